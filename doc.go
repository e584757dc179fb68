// Package hallpass issues and honours passes: signed permission slips for HTTP
// that open one door, for one purpose, until a time, so many times.
//
// An [Issuer] is the whole of it. It issues a [Pass] from a [Spec] and gives its
// [Token]; it judges a presented token by itself ([Issuer.Verify]) or with the
// store ([Issuer.Check]); it honours one, counting the use in an atomic and
// durable step before anything happens ([Issuer.Redeem]), and records how that
// went ([Redemption.Settle]). Why a token was not honoured is one of a closed set
// of errors, [Refusal].
//
//	key, err := hallpass.ParseKey(secret, "")
//	keys, err := hallpass.NewKeyring(key)
//	issuer, err := hallpass.New(hallpass.Config{Keys: keys, Store: memstore.New()})
//	issued, err := issuer.Issue(ctx, hallpass.Spec{Scope: "rsvp", MaxUses: 1})
//	redemption, err := issuer.Redeem(ctx, hallpass.Presentation{Token: issued.Token, Scope: "rsvp"})
//	err = redemption.Settle(ctx, 200)
//
// Programs that serve HTTP use package guard, which does this around a handler.
// Stores are in sqlitestore and memstore; storetest checks others against the
// contract of [Store].
package hallpass
