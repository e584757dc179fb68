package sessions_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/memstore"
)

// world is a keeper with a clock that a test sets.
type world struct {
	keeper *sessions.Keeper
	clock  atomic.Int64
	pass   hallpass.Issued
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w, store := &world{}, memstore.New()
	w.clock.Store(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Unix())
	key, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := hallpass.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: ring, Store: store, Now: func() time.Time { return time.Unix(w.clock.Load(), 0) }})
	if err != nil {
		t.Fatal(err)
	}
	w.pass, err = issuer.Issue(t.Context(), hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo", TTL: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	w.keeper = sessions.New(sessions.Config{Issuer: issuer, Cells: store, Group: "test", Cookie: "test", Idle: time.Hour, Life: 12 * time.Hour})
	return w
}

func (w *world) later(d time.Duration) { w.clock.Add(int64(d.Seconds())) }

// begin signs a browser in and returns a request of it.
func (w *world) begin(t *testing.T) *http.Request {
	t.Helper()
	answer := httptest.NewRecorder()
	if err := w.keeper.Begin(answer, httptest.NewRequest(http.MethodGet, "http://app.example.com/", nil), w.pass.Pass); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "http://app.example.com/", nil)
	for _, c := range answer.Result().Cookies() {
		r.AddCookie(c)
	}
	return r
}

func (w *world) in(t *testing.T, r *http.Request) bool {
	t.Helper()
	s, err := w.keeper.Of(r)
	if err != nil {
		t.Fatal(err)
	}
	return s != nil
}

func TestASessionEndsWhenIdleAndAtLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	idle, used := w.begin(t), w.begin(t)
	for range 23 {
		w.later(30 * time.Minute)
		if !w.in(t, used) {
			t.Fatal("a session that is used ended before its end")
		}
	}
	if w.in(t, idle) {
		t.Error("a session that nobody used is there after its idle end")
	}
	w.later(30 * time.Minute)
	if w.in(t, used) {
		t.Error("a session is there after its absolute end")
	}
}

func TestAPeekDoesNotKeepASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.begin(t)
	for range 2 {
		w.later(25 * time.Minute)
		if s, err := w.keeper.Peek(r); err != nil || s == nil {
			t.Fatalf("within the idle time: %v, %v", s, err)
		}
	}
	w.later(15 * time.Minute)
	if w.in(t, r) {
		t.Error("peeking kept the session")
	}
}

func TestASessionIsForItsHostAndItsOneCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.begin(t)
	other := r.Clone(t.Context())
	other.Host = "evil.example.com"
	if w.in(t, other) {
		t.Error("another host has the session")
	}
	planted := r.Clone(t.Context())
	planted.AddCookie(&http.Cookie{Name: "hallpass-test", Value: "AAAAAAAAAAAAAAAAAAAAAAAAAA"})
	if w.in(t, planted) {
		t.Error("a browser with two cookies has the session")
	}
	if err := w.keeper.Leave(httptest.NewRecorder(), r); err != nil {
		t.Fatal(err)
	}
	if w.in(t, r) {
		t.Error("the session is there after leaving")
	}
}
