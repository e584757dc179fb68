package hallpassclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/hallpassclient"
	"github.com/hallpass-go/hallpass/internal/api"
	"github.com/hallpass-go/hallpass/memstore"
)

// site is a server and a client of it. Before a request reaches the API, the hook
// may answer in its place.
type site struct {
	*hallpass.Issuer
	client *hallpassclient.Client
	hook   atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	calls  atomic.Int64
	url    string
}

func newSite(t *testing.T) *site {
	t.Helper()
	key, err := hallpass.GenerateKey(hallpass.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := hallpass.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{}
	quiet := slog.New(slog.DiscardHandler)
	if s.Issuer, err = hallpass.New(hallpass.Config{Keys: ring, Store: memstore.New(), Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	a, err := api.New(api.Config{Issuer: s.Issuer, Prefix: "/pass", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		if hook := s.hook.Load(); hook != nil && (*hook)(w, r) {
			return
		}
		a.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/pass"
	s.client = s.as(t, hallpass.Spec{})
	return s
}

// as returns a client whose own pass is like the spec.
func (s *site) as(t *testing.T, spec hallpass.Spec) *hallpassclient.Client {
	t.Helper()
	spec.Scope = hallpass.ScopeAPI
	issued, err := s.Issue(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	c, err := hallpassclient.New(hallpassclient.Config{URL: s.url + "/", Token: issued.Token})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// losing makes the server do its work and then lose the answer, for the first n
// requests.
func (s *site) losing(t *testing.T, n int64, handler http.Handler) {
	t.Helper()
	var lost atomic.Int64
	hook := func(w http.ResponseWriter, r *http.Request) bool {
		if lost.Add(1) > n {
			return false
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	s.hook.Store(&hook)
}

func TestWhatGoesOutComesBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	spec := hallpass.Spec{
		Scope: "report", Mode: hallpass.ModeRequest, Subject: "ada", MaxUses: 3, TTL: 36 * time.Hour,
		Data: json.RawMessage(`{"n":1.0}`), Grants: []hallpass.Grant{{Method: "GET", Path: "/a b"}, {Method: "PUT", Path: "/c", Exact: true}},
		Recipient: "r", Batch: "b/1", Format: hallpass.FormatCompact,
	}
	issued, err := s.client.Issue(t.Context(), spec, &hallpassclient.IssueOptions{URL: "https://x.example/y"})
	if err != nil {
		t.Fatal(err)
	}
	row, err := s.Entry(t.Context(), issued.ID)
	if err != nil {
		t.Fatal(err)
	}
	notOnTheWire := cmpopts.IgnoreFields(hallpass.Entry{}, "Refunds", "Browser", "KeepUntil")
	if diff := cmp.Diff(row, issued.Entry, notOnTheWire); diff != "" {
		t.Errorf("issued (-row +client):\n%s", diff)
	}
	if !strings.HasPrefix(issued.URL, "https://x.example/y?rt=hp_") {
		t.Errorf("the link is %q", issued.URL)
	}
	if got, err := s.client.Pass(t.Context(), issued.ID); err != nil || cmp.Diff(row, got, notOnTheWire) != "" {
		t.Errorf("%v\n%s", err, cmp.Diff(row, got, notOnTheWire))
	}
	asked := hallpass.Presentation{Token: issued.Token, Scope: "report", Method: "GET", Path: "/a%20b/c", ClientIP: "192.0.2.1", UserAgent: "test"}
	if got, claims, err := s.client.Verify(t.Context(), asked); err != nil || got.ID != issued.ID || len(claims) == 0 {
		t.Errorf("%+v, %s, %v", got, claims, err)
	}
	use, err := s.client.Redeem(t.Context(), asked)
	if err != nil || use.Entry.Used != 1 || string(use.Entry.Data) != `{"n":1.0}` || use.Duplicate {
		t.Fatalf("%+v, %v", use, err)
	}
	if err := use.Settle(t.Context(), 204); err != nil {
		t.Error(err)
	}
	page, err := s.client.Uses(t.Context(), hallpass.UseQuery{Pass: issued.ID})
	if err != nil || len(page.Uses) != 1 || page.Uses[0].Status != 204 || page.Uses[0].ClientIP != "192.0.2.1" || page.Uses[0].State != hallpass.UseSettled {
		t.Errorf("%+v, %v", page, err)
	}
	amended, err := s.client.Amend(t.Context(), issued.ID, hallpass.Change{AddUses: 2, From: &use.Entry})
	if err != nil || amended.MaxUses != 5 || !amended.Token.IsZero() {
		t.Errorf("%+v, %v", amended, err)
	}
	if _, err := s.client.Amend(t.Context(), issued.ID, hallpass.Change{AddUses: 2, From: &use.Entry}); !errors.Is(err, hallpass.ErrConflict) {
		t.Errorf("from what is no longer true: %v", err)
	}
	longer, err := s.client.Amend(t.Context(), issued.ID, hallpass.Change{ExpiresAt: issued.ExpiresAt.Add(time.Hour)})
	if err != nil || longer.Token.IsZero() {
		t.Errorf("%+v, %v", longer, err)
	}
	seen, err := s.client.Introspect(t.Context(), longer.Token)
	if err != nil || !seen.Active || seen.Subject != "ada" || !seen.ExpiresAt.Equal(issued.ExpiresAt.Add(time.Hour)) {
		t.Errorf("%+v, %v", seen, err)
	}
	list, err := s.client.List(t.Context(), hallpass.EntryFilter{Batch: "b/1", State: hallpass.StateActive, Limit: 5})
	if err != nil || len(list.Entries) != 1 || list.Next != "" {
		t.Errorf("%+v, %v", list, err)
	}
	if got, err := s.client.Revoke(t.Context(), issued.ID); err != nil || got.RevokedAt.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	if _, _, err := s.client.Verify(t.Context(), asked); !errors.Is(err, hallpass.RefusalRevoked) {
		t.Errorf("revoked: %v", err)
	}
	if seen, err := s.client.Introspect(t.Context(), issued.Token); err != nil || seen != (hallpassclient.Introspection{}) {
		t.Errorf("revoked: %+v, %v", seen, err)
	}
}

func TestErrorsAreThoseOfTheLibrary(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx := t.Context()
	once, err := s.client.Issue(ctx, hallpass.Spec{Scope: "a", MaxUses: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := hallpass.Presentation{Token: once.Token, Scope: "a"}
	if _, err := s.client.RedeemOnce(ctx, asked); err != nil {
		t.Fatal(err)
	}
	redeem := func(p hallpass.Presentation) error { _, err := s.client.Redeem(ctx, p); return err }
	second := func(_ any, err error) error { return err }
	poor := s.as(t, hallpass.Spec{Grants: []hallpass.Grant{{Method: "GET", Path: "/pass/v1"}}})
	stranger, err := hallpassclient.New(hallpassclient.Config{URL: s.url, Token: hallpass.NewToken("x")})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		err  error
		want error
	}{
		{"a spent pass", redeem(asked), hallpass.RefusalSpent},
		{"another scope", redeem(hallpass.Presentation{Token: once.Token, Scope: "b"}), hallpass.RefusalWrongScope},
		{"no token", redeem(hallpass.Presentation{Scope: "a"}), hallpass.RefusalMissing},
		{"no pass", second(s.client.Pass(ctx, "x")), hallpass.ErrNotFound},
		{"no pass to revoke", second(s.client.Revoke(ctx, "x")), hallpass.ErrNotFound},
		{"the client may not", second(poor.Issue(ctx, hallpass.Spec{Scope: "a"}, nil)), hallpass.ErrUnavailable},
		{"the client is unknown", second(stranger.Pass(ctx, once.ID)), hallpass.ErrUnavailable},
	} {
		if !errors.Is(row.err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, row.err, row.want)
		}
	}
	for field, err := range map[string]error{
		"scope":      second(s.client.Issue(ctx, hallpass.Spec{}, nil)),
		"max_uses":   second(s.client.Issue(ctx, hallpass.Spec{Scope: "a", MaxUses: -2}, nil)),
		"expires_at": second(s.client.Issue(ctx, hallpass.Spec{Scope: "a", ExpiresAt: time.Now()}, nil)),
		"data":       second(s.client.Issue(ctx, hallpass.Spec{Scope: "a", Data: json.RawMessage(`{`)}, nil)),
		"limit":      second(s.client.List(ctx, hallpass.EntryFilter{Limit: 1001})),
		"body":       s.client.RevokeGroup(ctx, hallpass.Revocation{}),
	} {
		if f, ok := errors.AsType[*hallpass.FieldError](err); !ok || f.Field != field {
			t.Errorf("%v, want a FieldError of %s", err, field)
		}
	}
	// A user must not read about his link what is true of the server's own pass.
	_, err = stranger.Redeem(ctx, asked)
	caller, ok := errors.AsType[*hallpassclient.CallerError](err)
	if _, refused := hallpass.RefusalOf(err); refused || !ok || caller.Status != 401 || caller.Reason != hallpass.RefusalBadSignature {
		t.Errorf("%v", err)
	}
}

func TestALostAnswerCountsOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	quiet := slog.New(slog.DiscardHandler)
	a, err := api.New(api.Config{Issuer: s.Issuer, Prefix: "/pass", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	s.losing(t, 2, a.Handler())
	issued, err := s.client.Issue(t.Context(), hallpass.Spec{Scope: "a", MaxUses: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.Entries(t.Context(), hallpass.EntryFilter{Scope: "a"})
	if err != nil || len(page.Entries) != 1 {
		t.Errorf("%d passes, %v", len(page.Entries), err)
	}
	s.losing(t, 2, a.Handler())
	use, err := s.client.Redeem(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: "a"})
	if err != nil || use.Duplicate || use.Entry.Used != 1 {
		t.Fatalf("%+v, %v", use, err)
	}
	s.losing(t, 2, a.Handler())
	if err := use.Refund(t.Context(), 500); err != nil {
		t.Error(err)
	}
	if entry, err := s.Entry(t.Context(), issued.ID); err != nil || entry.Used != 0 {
		t.Errorf("%d used, %v", entry.Used, err)
	}
	// Uses that are added twice are two too many: nothing is tried again.
	s.losing(t, 1, a.Handler())
	if _, err := s.client.Amend(t.Context(), issued.ID, hallpass.Change{AddUses: 1}); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Error(err)
	}
	if entry, err := s.Entry(t.Context(), issued.ID); err != nil || entry.MaxUses != 3 {
		t.Errorf("%d uses in all, %v", entry.MaxUses, err)
	}
}

func TestAServerThatIsDownIsUnavailable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, hook := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"a proxy's page": func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "<html>", http.StatusBadGateway)
			return true
		},
		"another site": func(w http.ResponseWriter, _ *http.Request) bool { http.NotFound(w, nil); return true },
		"a redirect": func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "https://elsewhere.invalid/", http.StatusFound)
			return true
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) bool { _, _ = io.WriteString(w, "<html>"); return true },
	} {
		s.hook.Store(&hook)
		if _, err := s.client.Pass(t.Context(), "x"); !errors.Is(err, hallpass.ErrUnavailable) || errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.client.Pass(ctx, "x"); !errors.Is(err, context.Canceled) || !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestManyAreIssuedWhileTheyAreSent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const many = 5000
	orders := func(yield func(hallpassclient.Order) bool) {
		for n := range many {
			o := hallpassclient.Order{Spec: hallpass.Spec{Scope: "a", Unrecorded: true}, URL: "/x"}
			switch n {
			case 7:
				o.Spec.Scope = ""
			case 8:
				o.Spec.Data = json.RawMessage(`{`)
			}
			if !yield(o) {
				return
			}
		}
	}
	issueAll := func() (ids []string) {
		n := 0
		for issued, err := range s.client.IssueAll(t.Context(), orders, "newsletter") {
			var field *hallpass.FieldError
			switch {
			case n == 7 && errors.As(err, &field) && field.Field == "scope":
			case n == 8 && errors.As(err, &field) && field.Field == "data":
			case err != nil:
				t.Fatalf("order %d: %v", n, err)
			case !strings.HasSuffix(issued.URL, issued.Token.Reveal()):
				t.Fatalf("order %d: %+v", n, issued)
			}
			ids = append(ids, issued.ID)
			n++
		}
		return ids
	}
	first := issueAll()
	if len(first) != many {
		t.Errorf("%d of %d", len(first), many)
	}
	if !slices.Equal(first, issueAll()) {
		t.Error("the same key gave other passes")
	}
	for range s.client.IssueAll(t.Context(), orders, "") {
		break // and nothing hangs
	}
	refused := 0
	for _, err := range s.as(t, hallpass.Spec{Data: json.RawMessage(`{"issue":{"scopes":[]}}`)}).IssueAll(t.Context(), orders, "") {
		if errors.As(err, new(*hallpassclient.CallerError)) {
			refused++
		}
	}
	if refused != many-2 {
		t.Errorf("%d were refused", refused)
	}
}

func TestAWrongConfigNamesItsField(t *testing.T) {
	t.Parallel()
	token := hallpass.NewToken("t")
	for field, cfg := range map[string]hallpassclient.Config{
		"url":     {URL: "pass.example", Token: token},
		"token":   {URL: "https://pass.example"},
		"timeout": {URL: "https://pass.example", Token: token, Timeout: -1},
	} {
		_, err := hallpassclient.New(cfg)
		if f, ok := errors.AsType[*hallpass.FieldError](err); !ok || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
