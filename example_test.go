package hallpass_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

// newIssuer makes what every example needs. Real links want a store that
// outlives the process.
func newIssuer() *hallpass.Issuer {
	key, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		log.Fatal(err)
	}
	ring, err := hallpass.NewKeyring(key)
	if err != nil {
		log.Fatal(err)
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: ring, Store: memstore.New()})
	if err != nil {
		log.Fatal(err)
	}
	return issuer
}

// Issue a pass for one person and one purpose, and honour it as often as it says.
func Example() {
	ctx := context.Background()
	issuer := newIssuer()
	issued, err := issuer.Issue(ctx, hallpass.Spec{
		Scope: "rsvp", Mode: hallpass.ModeRequest, Subject: "ada", MaxUses: 1, TTL: 24 * time.Hour,
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		r, err := issuer.Redeem(ctx, hallpass.Presentation{Token: issued.Token, Scope: "rsvp"})
		if refusal, ok := hallpass.RefusalOf(err); ok {
			fmt.Println("refused:", refusal)
			continue
		}
		if err != nil {
			log.Fatal(err) // nothing was decided, so nothing is done
		}
		fmt.Println("welcome,", r.Entry.Subject)
		if err := r.Settle(ctx, 200); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// welcome, ada
	// refused: spent
}

// A short token survives any mail program. What it permits is in the store.
func ExampleLink() {
	ctx := context.Background()
	issuer := newIssuer()
	issued, err := issuer.Issue(ctx, hallpass.Spec{Scope: "invitation", Format: hallpass.FormatShort})
	if err != nil {
		log.Fatal(err)
	}
	link, err := hallpass.Link("https://example.com/join?team=7#top", issued.Token, "")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(link), "characters")

	pasted, _ := hallpass.FindToken(link, "")
	entry, _, err := issuer.Check(ctx, hallpass.Presentation{Token: pasted})
	fmt.Println(entry.Scope, err)
	fmt.Println("logged as", pasted)
	// Output:
	// 61 characters
	// invitation <nil>
	// logged as [token]
}

// Passes of a batch are taken back together, those that nobody has used included.
func ExampleIssuer_RevokeGroup() {
	ctx := context.Background()
	issuer := newIssuer()
	var tokens []hallpass.Token
	for range 3 {
		issued, err := issuer.Issue(ctx, hallpass.Spec{Scope: "voucher", Batch: "march", Unrecorded: true})
		if err != nil {
			log.Fatal(err)
		}
		tokens = append(tokens, issued.Token)
	}
	time.Sleep(time.Millisecond) // what is issued later stays valid
	if err := issuer.RevokeGroup(ctx, hallpass.Revocation{Batch: "march"}); err != nil {
		log.Fatal(err)
	}
	for _, token := range tokens {
		_, err := issuer.Redeem(ctx, hallpass.Presentation{Token: token, Scope: "voucher"})
		fmt.Println(errors.Is(err, hallpass.RefusalRevoked))
	}
	// Output:
	// true
	// true
	// true
}

// Publish the next key, let it sign, and retire the old one when its last token
// has ended.
func ExampleKeyring() {
	ctx := context.Background()
	issuer := newIssuer()
	issued, err := issuer.Issue(ctx, hallpass.Spec{Scope: "report"})
	if err != nil {
		log.Fatal(err)
	}
	old, _ := issuer.Keys().Active()
	next, err := hallpass.GenerateKey(hallpass.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"published", func() error { return issuer.Keys().Add(next, hallpass.KeyVerifying) }},
		{"activated", func() error { return issuer.Keys().Activate(next.ID()) }},
		{"retired", func() error { return issuer.Keys().Retire(old.ID()) }},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			log.Fatal(err)
		}
		_, err := issuer.Verify(hallpass.Presentation{Token: issued.Token})
		fmt.Println(step.name, "- the old token:", err)
	}
	// Output:
	// published - the old token: <nil>
	// activated - the old token: <nil>
	// retired - the old token: unknown_key
}

// An access token (RFC 9068), signed with a key of its own. Its time and its claims
// are the caller's to judge.
func ExampleKeyring_SignJWT() {
	key, err := hallpass.GenerateKeyFor(hallpass.PurposeAccess, hallpass.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	keys, err := hallpass.NewKeyring(key)
	if err != nil {
		log.Fatal(err)
	}
	token, err := keys.SignJWT("at+jwt", []byte(`{"sub":"ada"}`))
	if err != nil {
		log.Fatal(err)
	}
	payload, _, err := keys.OpenJWT("at+jwt", token.Reveal())
	fmt.Println(string(payload), err)
	_, _, err = keys.OpenJWT("logout+jwt", token.Reveal())
	fmt.Println(err)
	// Output:
	// {"sub":"ada"} <nil>
	// wrong_type
}

// A newsletter: a link for each reader, and not one row until somebody clicks.
func ExampleIssuer_IssueAll() {
	ctx := context.Background()
	issuer := newIssuer()
	readers := []string{"ada", "grace", "edsger"}
	specs := func(yield func(hallpass.Spec) bool) {
		for _, reader := range readers {
			if !yield(hallpass.Spec{Scope: "unsubscribe", Mode: hallpass.ModeRequest, Subject: reader, Unrecorded: true}) {
				return
			}
		}
	}
	var tokens []hallpass.Token
	for issued, err := range issuer.IssueAll(ctx, specs) {
		if err != nil {
			log.Fatal(err)
		}
		tokens = append(tokens, issued.Token)
	}
	rows := func() int {
		page, err := issuer.Entries(ctx, hallpass.EntryFilter{})
		if err != nil {
			log.Fatal(err)
		}
		return len(page.Entries)
	}
	fmt.Println(len(tokens), "links,", rows(), "rows")
	if _, err := issuer.Redeem(ctx, hallpass.Presentation{Token: tokens[1], Scope: "unsubscribe"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("one click,", rows(), "row")
	// Output:
	// 3 links, 0 rows
	// one click, 1 row
}
