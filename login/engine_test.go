package login_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

// engine is a Login over a store, with a clock that stands until it is moved.
type engine struct {
	*login.Login
	t      testing.TB
	clock  *clock
	outbox *letterbox
	issuer *hallpass.Issuer
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// letterbox is a mail.Sender that keeps what it is given.
type letterbox struct {
	mu      sync.Mutex
	letters []mail.Message
	arrived *sync.Cond
	taken   sync.Map // by address, for take: a chan mail.Message each
}

func newLetterbox() *letterbox {
	b := &letterbox{}
	b.arrived = sync.NewCond(&b.mu)
	return b
}

func (b *letterbox) Send(_ context.Context, m mail.Message) error {
	if c, ok := b.taken.Load(m.To); ok {
		c.(chan mail.Message) <- m
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters = append(b.letters, m)
	b.arrived.Broadcast()
	return nil
}

// wait returns the n-th letter to an address, counted from 1.
func (b *letterbox) wait(t testing.TB, to mail.Address, n int) mail.Message {
	t.Helper()
	return b.waitFor(t, n, func(m mail.Message) bool { return m.To == to })
}

// waitForFlow returns the first letter of a login.
func (b *letterbox) waitForFlow(t testing.TB, flow string) mail.Message {
	t.Helper()
	id := strings.Split(flow, "-")[1]
	return b.waitFor(t, 1, func(m mail.Message) bool { return strings.HasPrefix(m.ID, id) })
}

// expect makes the letters to an address go to whoever takes them, past the list.
func (b *letterbox) expect(to mail.Address) { b.taken.Store(to, make(chan mail.Message, 1)) }

// take returns the next letter to an address that was expected.
func (b *letterbox) take(t testing.TB, to mail.Address) mail.Message {
	c, _ := b.taken.Load(to)
	select {
	case m := <-c.(chan mail.Message):
		return m
	case <-time.After(10 * time.Second):
		t.Error("no letter came")
		return mail.Message{}
	}
}

func (b *letterbox) waitFor(t testing.TB, n int, is func(mail.Message) bool) mail.Message {
	t.Helper()
	late := time.AfterFunc(10*time.Second, func() { b.arrived.Broadcast() })
	defer late.Stop()
	end := time.Now().Add(10 * time.Second)
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		found := 0
		for _, m := range b.letters {
			if is(m) {
				if found++; found == n {
					return m
				}
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%d letters, want %d", found, n)
		}
		b.arrived.Wait()
	}
}

func (b *letterbox) count(to mail.Address) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.letters {
		if m.To == to {
			n++
		}
	}
	return n
}

// key is made once: all engines of a test process may share it.
var signingKey = sync.OnceValue(func() hallpass.Key {
	k, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		panic(err)
	}
	return k
})

var accessKey = sync.OnceValue(func() hallpass.Key {
	k, err := hallpass.GenerateKeyFor(hallpass.PurposeAccess, hallpass.EdDSA)
	if err != nil {
		panic(err)
	}
	return k
})

// newEngine starts an engine; everybody at example.com may log in.
func newEngine(t testing.TB, change func(*login.Config)) *engine {
	t.Helper()
	return engineOver(t, memstore.New(), &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, change)
}

func engineOver(t testing.TB, store hallpass.Store, c *clock, change func(*login.Config)) *engine {
	t.Helper()
	e := &engine{t: t, clock: c, outbox: newLetterbox()}
	cfg := configOver(t, store, c, e.outbox)
	e.issuer = cfg.Issuer
	if change != nil {
		change(&cfg)
	}
	var err error
	if e.Login, err = login.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = e.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-done })
	return e
}

// configOver is a Config in which everybody at example.com may log in.
func configOver(t testing.TB, store hallpass.Store, c *clock, sender mail.Sender) login.Config {
	t.Helper()
	ring, err := hallpass.NewKeyring(signingKey())
	if err != nil {
		t.Fatal(err)
	}
	access, err := hallpass.NewKeyring(accessKey())
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: ring, Store: store, Now: c.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return login.Config{
		Issuer: issuer, AccessKeys: access, Cells: store, Sender: sender, BaseURL: "https://example.com",
		Allow: func(_ context.Context, a mail.Address) (login.Claims, error) {
			if a.Domain() != "example.com" {
				return nil, hallpass.RefusalUnknownSubject
			}
			return login.Claims{"role": "reader"}, nil
		},
		Logger: slog.New(slog.DiscardHandler),
	}
}

// newWith returns what New says of a changed Config.
func newWith(t testing.TB, change func(*login.Config)) error {
	t.Helper()
	cfg := configOver(t, memstore.New(), &clock{now: time.Now()}, newLetterbox())
	change(&cfg)
	_, err := login.New(cfg)
	return err
}

func from(n int) login.Client {
	return login.Client{Addr: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), UserAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"}
}

// begin asks for a mail and waits for it.
func (e *engine) begin(email string) (begun login.Begun, code, link string) {
	e.t.Helper()
	return e.beginFrom(from(1), email)
}

// beginFrom is begin from another place.
func (e *engine) beginFrom(c login.Client, email string) (begun login.Begun, code, link string) {
	e.t.Helper()
	begun, err := e.Begin(e.t.Context(), login.Start{Email: email, Client: c})
	if err != nil {
		e.t.Fatal(err)
	}
	m := e.outbox.waitForFlow(e.t, begun.Flow)
	_, link, _ = strings.Cut(m.Data["link"], login.LinkParam+"=")
	return begun, m.Data["code"], link
}

func (e *engine) enter(flow, code string, c login.Client) (login.Identity, error) {
	return e.ByCode(e.t.Context(), login.Entry{Flow: flow, Code: code, Client: c})
}

// wrongCode is another one of the same length.
func wrongCode(code string, n int) string {
	var value int
	fmt.Sscanf(code, "%d", &value)
	return fmt.Sprintf("%0*d", len(code), (value+1+n)%1_000_000)
}

// session logs somebody in.
func (e *engine) session(email string) login.Tokens {
	e.t.Helper()
	begun, code, _ := e.begin(email)
	id, err := e.enter(begun.Flow, code, from(1))
	if err != nil {
		e.t.Fatal(err)
	}
	tokens, err := e.Open(e.t.Context(), id, from(1))
	if err != nil {
		e.t.Fatal(err)
	}
	return tokens
}
