package hallpass_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

func TestTurningTheAuditOffNeverTurnsTheQuotaOff(t *testing.T) {
	t.Parallel()
	for _, audit := range []hallpass.Audit{hallpass.AuditOff, hallpass.AuditBehind, hallpass.AuditDurable, hallpass.AuditDefault} {
		for _, format := range []hallpass.Format{hallpass.FormatSigned, hallpass.FormatShort} {
			s := newSite(t)
			p := s.issue(t, hallpass.Spec{MaxUses: 2, Format: format, Mode: hallpass.ModeRequest, Subject: "ada"})
			var got []string
			for range 3 {
				r, err := s.redeem(t, p.Token, func(q *hallpass.Presentation) {
					q.Audit, q.ClientIP, q.UserAgent, q.Method, q.Path = audit, "192.0.2.1", "Mozilla", "GET", "/secret"
				})
				if got = append(got, reason(err)); err == nil {
					_ = r.Settle(t.Context(), 200)
				}
			}
			if want := "valid valid spent"; strings.Join(got, " ") != want {
				t.Errorf("audit %q: %v", audit, got)
			}
			counted, rows := s.used(t, p.ID)
			if counted != 2 || len(rows) != 2 || rows[0].State != hallpass.UseSettled {
				t.Errorf("audit %q: %d counted, %+v", audit, counted, rows)
			}
			bare := rows[0].ClientIP+rows[0].UserAgent+rows[0].Method+rows[0].Path+rows[0].Subject == ""
			if bare != (audit == hallpass.AuditOff) {
				t.Errorf("audit %q wrote %+v", audit, rows[0])
			}
		}
	}
}

func TestAnUnlimitedPassWithoutAuditLeavesNoRow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited})
	for range 5 {
		r, err := s.redeem(t, p.Token, func(q *hallpass.Presentation) { q.Audit = hallpass.AuditOff })
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Settle(t.Context(), 200); err != nil {
			t.Fatal(err)
		}
	}
	if counted, rows := s.used(t, p.ID); counted != 0 || len(rows) != 0 {
		t.Errorf("%d counted, %+v", counted, rows)
	}
}

func TestLongCallersAreCutToFit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{})
	_, err := s.redeem(t, p.Token, func(q *hallpass.Presentation) {
		q.UserAgent, q.Path = strings.Repeat("é", 4000)+"\xff", "/\xff"+strings.Repeat("a", 4000)
	})
	if err != nil {
		t.Fatal(err)
	}
	_, rows := s.used(t, p.ID)
	if u := rows[0]; len(u.UserAgent) > 512 || len(u.Path) > 1024 || strings.ToValidUTF8(u.UserAgent+u.Path, "") != u.UserAgent+u.Path {
		t.Errorf("agent of %d bytes, path of %d", len(u.UserAgent), len(u.Path))
	}
}

func TestRunWritesUnlimitedUsesBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		p := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited, Unrecorded: true})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		synctest.Wait()

		r, err := s.redeem(t, p.Token)
		if err != nil {
			t.Fatal(err)
		}
		if counted, _ := s.used(t, p.ID); counted != 0 {
			t.Errorf("%d counted before it was settled", counted)
		}
		if err := r.Settle(t.Context(), 201); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if counted, rows := s.used(t, p.ID); counted != 1 || rows[0].State != hallpass.UseSettled || rows[0].Status != 201 {
			t.Errorf("%d counted, %+v", counted, rows)
		}

		late, err := s.redeem(t, p.Token)
		if err != nil {
			t.Fatal(err)
		}
		var flushed []*hallpass.Redemption
		for range 200 {
			r, err := s.redeem(t, p.Token)
			if err != nil {
				t.Fatal(err)
			}
			flushed = append(flushed, r)
		}
		var wg sync.WaitGroup
		for i, r := range flushed {
			wg.Go(func() {
				if i == 100 {
					stop()
				}
				_ = r.Settle(t.Context(), 200)
			})
		}
		wg.Wait()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		// Settled when nobody runs any more: written all the same.
		if err := late.Settle(t.Context(), 200); err != nil {
			t.Fatal(err)
		}
		if counted, _ := s.used(t, p.ID); counted != 202 || s.Dropped() != 0 {
			t.Errorf("%d counted, %d dropped", counted, s.Dropped())
		}
	})
}

// stuckStore holds every write of a use until it is released.
type stuckStore struct {
	hallpass.Store
	release chan struct{}
}

func (s *stuckStore) Reserve(ctx context.Context, r hallpass.Reservation) (hallpass.Reserved, error) {
	<-s.release
	return s.Store.Reserve(ctx, r)
}

func TestAFullQueueDropsAndCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &stuckStore{memstore.New(), make(chan struct{})}
		s := newSite(t, func(c *hallpass.Config) { c.Store = store })
		p := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited, Unrecorded: true})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		synctest.Wait()
		const n = 9000
		for range n {
			r, err := s.redeem(t, p.Token)
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Settle(t.Context(), 200)
		}
		dropped := s.Dropped()
		close(store.release)
		stop()
		<-ended
		counted, _ := s.used(t, p.ID)
		if dropped == 0 || counted+s.Dropped() != n {
			t.Errorf("%d dropped, then %d; %d counted; of %d", dropped, s.Dropped(), counted, n)
		}
	})
}

func TestRunFindsRevocationsAndOutagesByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		store, sign := &brokenStore{Store: memstore.New()}, newSigner(t, hallpass.HS256)
		here := newSiteWith(t, sign, func(c *hallpass.Config) { c.Store = store.Store })
		there := newSiteWith(t, sign, func(c *hallpass.Config) {
			c.Store, c.Logger = store, slog.New(slog.NewTextHandler(&log, nil))
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- there.Run(ctx) }()
		p := here.issue(t, hallpass.Spec{})
		synctest.Wait()
		here.Clock.Advance(time.Second)
		if err := here.RevokeGroup(ctx, hallpass.Revocation{Scope: "report"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(600 * time.Millisecond) // one poll
		synctest.Wait()
		store.failCells.Store(true)
		if _, err := there.redeem(t, p.Token); reason(err) != "revoked" {
			t.Errorf("after a poll: %v", err)
		}
		time.Sleep(5 * time.Second)
		if _, err := there.redeem(t, p.Token); reason(err) != "unavailable" {
			t.Errorf("after five seconds of outage: %v", err)
		}
		store.failCells.Store(false)
		time.Sleep(time.Second)
		if _, err := there.redeem(t, p.Token); reason(err) != "revoked" {
			t.Errorf("afterwards: %v", err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if n := strings.Count(log.String(), "revocations cannot be read"); n != 1 {
			t.Errorf("one outage was logged %d times:\n%s", n, log.String())
		}
	})
}

func TestTokensAndKeysNeverShow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, format := range []hallpass.Format{hallpass.FormatSigned, hallpass.FormatCompact, hallpass.FormatShort} {
		issued := s.issue(t, hallpass.Spec{Format: format})
		token := issued.Token
		presentation := hallpass.Presentation{Token: token}
		key := s.Sign.key
		secret, err := key.Reveal()
		if err != nil {
			t.Fatal(err)
		}
		var jwk struct{ K string }
		if err := json.Unmarshal([]byte(secret), &jwk); err != nil {
			t.Fatal(err)
		}
		redemption, err := s.redeem(t, token)
		if err != nil {
			t.Fatal(err)
		}
		hidden := []string{token.Reveal(), jwk.K, string(s.Sign.secret), fmt.Sprint(s.Sign.secret)[1:40], fmt.Sprintf("%x", s.Sign.secret), fmt.Sprintf("%x", token.Reveal())}
		if dot := strings.LastIndexByte(token.Reveal(), '.'); dot > 0 {
			hidden = append(hidden, token.Reveal()[dot+1:])
		}
		things := map[string]any{
			"token": token, "&token": &token, "tokens": []hallpass.Token{token}, "issued": issued, "&issued": &issued, "presentation": presentation,
			"key": key, "&key": &key, "map": map[string]hallpass.Key{"a": key}, "keyring": s.Keys(), "issuer": s.Issuer, "redemption": redemption,
		}
		for name, thing := range things {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%08b"} {
				show(t, name+" by "+verb, fmt.Sprintf(verb, thing), hidden)
			}
			if text, err := json.Marshal(thing); err == nil {
				show(t, name+" as JSON", string(text), hidden)
			}
			var log bytes.Buffer
			slog.New(slog.NewTextHandler(&log, nil)).Info("x", "thing", thing)
			slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "thing", thing)
			show(t, name+" in a log", log.String(), hidden)
		}
	}
	if text := fmt.Sprint(hallpass.Token{}); text != "" || !(hallpass.Token{}).IsZero() {
		t.Errorf("no token is %q", text)
	}
	_, err := hallpass.ParseKey("a secret that is too short", "")
	show(t, "an error", fmt.Sprint(err), []string{"too short to tell", "a secret that"})
}

func show(t *testing.T, what, text string, hidden []string) {
	t.Helper()
	for _, h := range hidden {
		if strings.Contains(text, h) {
			t.Errorf("%s shows it: %s", what, text)
			return
		}
	}
}

func TestRunPrunesOnceAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *hallpass.Config) {
			c.Retention = hallpass.PruneOptions{MaxAge: 30 * time.Minute}
			c.Now = time.Now
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		issued, err := s.Issue(ctx, hallpass.Spec{Scope: "once", MaxUses: 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.RedeemOnce(ctx, hallpass.Presentation{Token: issued.Token, Scope: "once"}, 200); err != nil {
			t.Fatal(err)
		}
		count := func() int {
			page, err := s.Uses(ctx, hallpass.UseQuery{Pass: issued.ID})
			if err != nil {
				t.Fatal(err)
			}
			return len(page.Uses)
		}
		time.Sleep(59 * time.Minute)
		if n := count(); n != 1 {
			t.Errorf("%d uses before the hour, want 1", n)
		}
		time.Sleep(2 * time.Minute)
		if n := count(); n != 0 {
			t.Errorf("%d uses after the hour, want 0", n)
		}
		if e, err := s.Entry(ctx, issued.ID); err != nil || e.Used != 1 {
			t.Errorf("the count is %d (%v), want 1", e.Used, err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestAClockThatJumpedPrunesNothing: rows of good passes would go, and with them
// what they have used.
func TestAClockThatJumpedPrunesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ahead atomic.Int64
		s := newSite(t, func(c *hallpass.Config) {
			c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			c.Logger = slog.New(slog.DiscardHandler)
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		issued, err := s.Issue(ctx, hallpass.Spec{Scope: "once", MaxUses: 1, TTL: 5 * time.Hour, Unrecorded: true})
		if err != nil {
			t.Fatal(err)
		}
		p := hallpass.Presentation{Token: issued.Token, Scope: "once"}
		if _, err := s.RedeemOnce(ctx, p, 200); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Minute)
		ahead.Store(int64(48 * time.Hour))
		time.Sleep(time.Hour)
		ahead.Store(0)
		if _, err := s.RedeemOnce(ctx, p, 200); !errors.Is(err, hallpass.RefusalSpent) {
			t.Errorf("after the jump: %v, want spent", err)
		}
		stop()
		<-done
	})
}
