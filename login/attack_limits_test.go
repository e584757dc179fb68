package login_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

func (b *letterbox) has(flow string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.letters {
		if strings.HasPrefix(m.ID, strings.Split(flow, "-")[1]) {
			return true
		}
	}
	return false
}

func (e *engine) settled() {
	e.t.Helper()
	for range 100 {
		time.Sleep(30 * time.Millisecond)
		if n, _ := e.Queue(); n == 0 {
			return
		}
	}
}

func TestImpatienceCostsNoMails(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	b, _, _ := e.begin("hugo@example.com")
	for range 9 {
		if _, err := e.Begin(t.Context(), login.Start{Email: "hugo@example.com", Flow: b.Flow, Client: from(1)}); err != nil {
			t.Fatal(err)
		}
	}
	e.clock.Pass(61 * time.Second)
	if _, err := e.Begin(t.Context(), login.Start{Email: "hugo@example.com", Flow: b.Flow, Client: from(1)}); err != nil {
		t.Fatal(err)
	}
	e.settled()
	if n := e.outbox.count("hugo@example.com"); n != 2 {
		t.Errorf("AccountSends is 10 an hour; after one mail and a minute's wait the second one did not come: %d", n)
	}
}

func TestAClockThatWasAheadLocksNobodyOutForLong(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	e.clock.Pass(365 * 24 * time.Hour)
	if _, err := e.Begin(t.Context(), login.Start{Email: "x@example.com", Client: from(1)}); err != nil {
		t.Fatal(err)
	}
	e.clock.Pass(-365 * 24 * time.Hour)
	_, err := e.Begin(t.Context(), login.Start{Email: "hugo@example.com", Client: from(1)})
	if th, ok := errors.AsType[*login.Throttled](err); ok && th.RetryAfter > time.Hour {
		t.Errorf("the network may ask again in %v", th.RetryAfter)
	}
}

type flaky struct {
	*memstore.Store
	prefix atomic.Pointer[string]
}

func (f *flaky) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (hallpass.Cell, error) {
	if p := f.prefix.Load(); p != nil && strings.HasPrefix(c.Group, *p) && f.prefix.CompareAndSwap(p, nil) {
		return hallpass.Cell{}, errors.New("database is locked")
	}
	return f.Store.Swap(ctx, c, now)
}

func (f *flaky) Cell(ctx context.Context, g, k string, now time.Time) (hallpass.Cell, error) {
	if p := f.prefix.Load(); p != nil && strings.HasPrefix(g, *p) && f.prefix.CompareAndSwap(p, nil) {
		return hallpass.Cell{}, errors.New("database is locked")
	}
	return f.Store.Cell(ctx, g, k, now)
}

func TestWhatWasNotLookedAtCostsNoTry(t *testing.T) {
	t.Parallel()
	store, c := &flaky{Store: memstore.New()}, &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	e := engineOver(t, store, c, nil)
	b, code, _ := e.begin("hugo@example.com")
	for range 5 {
		prefix := "login-failures"
		store.prefix.Store(&prefix)
		if _, err := e.enter(b.Flow, code, from(1)); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Fatal(err)
		}
		store.prefix.Store(nil)
	}
	if _, err := e.enter(b.Flow, code, from(1)); err != nil {
		t.Errorf("five answers of 503, and the right code is %v", err)
	}
}

func TestAnApplicationThatCannotSayCostsNoTry(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	e := newEngine(t, func(cfg *login.Config) {
		cfg.Allow = func(context.Context, mail.Address) (login.Claims, error) {
			if down.Load() {
				return nil, errors.New("the user database is down")
			}
			return nil, nil
		}
	})
	b, code, _ := e.begin("hugo@example.com")
	down.Store(true)
	for range 5 {
		if _, err := e.enter(b.Flow, code, from(1)); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	down.Store(false)
	if _, err := e.enter(b.Flow, code, from(1)); err != nil {
		t.Errorf("five answers of 503, and the right code is %v", err)
	}
}

func TestWhoIsTurnedAwayCannotProlongTheOwnersWait(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(cfg *login.Config) {
		cfg.Limits = login.Limits{AccountSends: -1, NetworkSends: -1, Resend: -1, NetworkFailures: 6, FreeFailures: 1, Delay: time.Minute}
	})
	victim := "hugo@example.com"
	for n := range 3 { // three real failures, from elsewhere
		b, code, _ := e.begin(victim)
		if _, err := e.enter(b.Flow, wrongCode(code, n), from(8)); !errors.Is(err, hallpass.RefusalBadSignature) {
			t.Fatal(err)
		}
		e.clock.Pass(2*time.Minute + time.Second)
	}
	e.clock.Pass(2 * time.Minute) // the account is free again
	for n := range 6 {            // the stranger's network is used up
		b, code, _ := e.begin(fmt.Sprintf("other%d@example.com", n))
		if _, err := e.enter(b.Flow, wrongCode(code, 1), from(7)); !errors.Is(err, hallpass.RefusalBadSignature) {
			t.Fatal(err)
		}
	}
	b, code, _ := e.begin(victim)
	_, err := e.enter(b.Flow, wrongCode(code, 3), from(7))
	if th, ok := errors.AsType[*login.Throttled](err); !ok || th.What != "network" {
		t.Fatalf("setup: %v", err)
	}
	b, code, _ = e.begin(victim)
	if _, err := e.enter(b.Flow, code, from(1)); err != nil {
		t.Errorf("the stranger was not looked at, but now the owner's right code is: %v", err)
	}
}

func TestTheFuseForEverybodyIsExact(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(cfg *login.Config) {
		cfg.Limits = login.Limits{AccountSends: -1, NetworkSends: -1, Resend: -1, GlobalFailures: 5}
	})
	type g struct {
		flow, code string
	}
	var gs []g
	for n := range 60 {
		b, code, _ := e.begin(fmt.Sprintf("u%d@example.com", n))
		gs = append(gs, g{b.Flow, wrongCode(code, 1)})
	}
	var looked atomic.Int32
	var wg sync.WaitGroup
	for n, x := range gs {
		wg.Go(func() {
			if _, err := e.enter(x.flow, x.code, from(n)); errors.Is(err, hallpass.RefusalBadSignature) {
				looked.Add(1)
			}
		})
	}
	wg.Wait()
	if looked.Load() > 5 {
		t.Errorf("%d wrong codes were looked at, the limit for everybody is 5", looked.Load())
	}
}

type hanging struct {
	*memstore.Store
	on atomic.Bool
}

func (h *hanging) Cell(ctx context.Context, g, k string, now time.Time) (hallpass.Cell, error) {
	if h.on.Load() {
		<-ctx.Done()
		return hallpass.Cell{}, ctx.Err()
	}
	return h.Store.Cell(ctx, g, k, now)
}

func (h *hanging) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (hallpass.Cell, error) {
	if h.on.Load() {
		<-ctx.Done()
		return hallpass.Cell{}, ctx.Err()
	}
	return h.Store.Swap(ctx, c, now)
}

func TestAStoreThatHangsIsOneThatIsDown(t *testing.T) {
	t.Parallel()
	store, c := &hanging{Store: memstore.New()}, &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	e := engineOver(t, store, c, nil)
	store.on.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
	defer cancel()
	began := time.Now()
	_, err := e.Begin(ctx, login.Start{Email: "hugo@example.com", Client: from(1)})
	store.on.Store(false)
	if d := time.Since(began); d > 11*time.Second {
		t.Errorf("waited %v, until the client gave up: %v", d, err)
	}
}

func TestAddressesThatDifferInATagAreOneMailbox(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	for n := range 50 {
		if _, err := e.Begin(t.Context(), login.Start{Email: fmt.Sprintf("hugo+%d@example.com", n), Client: from(1)}); err != nil {
			t.Fatal(err)
		}
	}
	e.settled()
	time.Sleep(300 * time.Millisecond)
	total := 0
	for n := range 50 {
		total += e.outbox.count(mail.Address(fmt.Sprintf("hugo+%d@example.com", n)))
	}
	if total > 10 {
		t.Errorf("%d mails to one mailbox within a second", total)
	}
}

func TestAStrangerCannotKeepAMailboxSilent(t *testing.T) {
	t.Parallel()
	var told atomic.Int32
	e := newEngine(t, func(c *login.Config) {
		c.OnBlocked = func(b login.Blocked) {
			if b.What == "account_sends" {
				told.Add(1)
			}
		}
	})
	e.session("hugo@example.com") // from(1) is where he logs in
	ask := func(n int) string {
		b, err := e.Begin(t.Context(), login.Start{Email: "hugo@example.com", Client: from(n)})
		if err != nil {
			t.Fatal(err)
		}
		return b.Flow
	}
	e.clock.Pass(time.Hour)
	missed, elsewhere := 0, 0
	for minute := range 120 {
		for n := range 3 {
			ask(600 + n) // three networks, once a minute each
		}
		if minute%12 == 6 {
			home, office := ask(1), ask(2)
			e.settled()
			if !e.outbox.has(home) {
				missed++
			}
			if !e.outbox.has(office) {
				elsewhere++
			}
		}
		e.clock.Pass(time.Minute)
	}
	if missed > 0 {
		t.Errorf("of ten mails that he asked for where he is known, %d were not sent", missed)
	}
	if elsewhere == 0 || told.Load() == 0 {
		t.Errorf("%d were not sent elsewhere and the application was told %d times: was the limit reached at all?", elsewhere, told.Load())
	}
}

// Two processes on one SQLite file: parallel flows, parallel guesses.

func TestTwoProcessesOnOneFileLookAtNoMoreThanPermitted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	var es []*engine
	for range 2 {
		st, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = st.Close() })
		es = append(es, engineOver(t, st, c, func(cfg *login.Config) {
			cfg.Limits = login.Limits{AccountSends: -1, NetworkSends: -1, Resend: -1}
		}))
	}
	type g struct{ flow string }
	var gs []g
	for range 20 {
		b, err := es[0].Begin(t.Context(), login.Start{Email: "hugo@example.com", Client: from(1)})
		if err != nil {
			t.Fatal(err)
		}
		gs = append(gs, g{b.Flow})
	}
	var looked, other atomic.Int32
	var wg sync.WaitGroup
	for n := range 200 {
		wg.Go(func() {
			_, err := es[n%2].enter(gs[n%20].flow, "abcdef", from(n))
			var th *login.Throttled
			if errors.Is(err, hallpass.RefusalBadSignature) {
				looked.Add(1)
			} else if !errors.As(err, &th) && !errors.Is(err, hallpass.RefusalSpent) {
				other.Add(1)
				t.Log(err)
			}
		})
	}
	wg.Wait()
	t.Logf("looked %d other %d", looked.Load(), other.Load())
	if looked.Load() > 5 {
		t.Errorf("looked at %d", looked.Load())
	}
}

func TestAClockThatWasAheadLocksNoAccount(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(cfg *login.Config) {
		cfg.Limits = login.Limits{AccountSends: -1, NetworkSends: -1, Resend: -1, NetworkFailures: -1}
	})
	e.clock.Pass(30 * 24 * time.Hour)
	for n := range 6 {
		b, code, _ := e.begin("hugo@example.com")
		_, _ = e.enter(b.Flow, wrongCode(code, n), from(n))
	}
	e.clock.Pass(-30 * 24 * time.Hour)
	b, code, _ := e.begin("hugo@example.com")
	_, err := e.enter(b.Flow, code, from(1))
	if th, ok := errors.AsType[*login.Throttled](err); ok && th.RetryAfter > 24*time.Hour {
		t.Errorf("codes stop for %v; the longest stop is a day", th.RetryAfter)
	}
}
