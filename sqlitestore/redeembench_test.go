package sqlitestore_test

import (
	"context"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

// BenchmarkRedeem is the whole way of a use: token, revocations, count, audit, end.
func BenchmarkRedeem(b *testing.B) {
	for name, store := range map[string]hallpass.Store{"sqlite": open(b, fresh(b)), "memory": memstore.New()} {
		b.Run(name, func(b *testing.B) {
			key, err := hallpass.ParseKey("the shared secret of these tests, 32 bytes and more", "k1")
			if err != nil {
				b.Fatal(err)
			}
			ring, err := hallpass.NewKeyring(key)
			if err != nil {
				b.Fatal(err)
			}
			issuer, err := hallpass.New(hallpass.Config{Keys: ring, Store: store})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error)
			go func() { ended <- issuer.Run(ctx) }()
			tokens := make([]hallpass.Token, 1000)
			for n := range tokens {
				issued, err := issuer.Issue(b.Context(), hallpass.Spec{Scope: "report", Batch: "spring", MaxUses: hallpass.Unlimited})
				if err != nil {
					b.Fatal(err)
				}
				tokens[n] = issued.Token
			}
			share(b, 64, func(n int) error {
				p := hallpass.Presentation{Token: tokens[n%len(tokens)], Scope: "report", Method: "GET", Path: "/reports/7", ClientIP: "203.0.113.7"}
				_, err := issuer.RedeemOnce(context.Background(), p, 200)
				return err
			})
			b.StopTimer()
			cancel()
			if err := <-ended; err != nil {
				b.Fatal(err)
			}
		})
	}
}
