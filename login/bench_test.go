package login_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// BenchmarkFullLogin is a whole login each: asking for the mail, its sending, the
// code, a session and one refresh, for a new address from a new network each time.
func BenchmarkFullLogin(b *testing.B) {
	for _, c := range []struct {
		name string
		open func(b *testing.B) hallpass.Store
	}{
		{"memory", func(*testing.B) hallpass.Store { return memstore.New() }},
		{"sqlite", func(b *testing.B) hallpass.Store {
			s, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), "login.db"), &sqlitestore.Options{Create: true})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = s.Close() })
			return s
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := engineOver(b, c.open(b), &clock{now: time.Now()}, nil)
			var n atomic.Int64
			b.SetParallelism(64)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					client := login.Client{Addr: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}
					email := mail.Address(fmt.Sprintf("user%d@example.com", i))
					e.outbox.expect(email)
					begun, err := e.Begin(b.Context(), login.Start{Email: string(email), Client: client})
					if err != nil {
						b.Error(err)
						return
					}
					m := e.outbox.take(b, begun.Address)
					id, err := e.ByCode(b.Context(), login.Entry{Flow: begun.Flow, Code: m.Data["code"], Client: client})
					if err != nil {
						b.Error(err)
						return
					}
					tokens, err := e.Open(b.Context(), id, client)
					if err == nil {
						_, err = e.Refresh(b.Context(), tokens.Refresh.Reveal())
					}
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
