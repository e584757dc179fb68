package adminui_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// BenchmarkPages times each page on a large SQLite store; docs/admin.md says how.
func BenchmarkPages(b *testing.B) {
	passes := number(b, "HALLPASS_BENCH_PASSES", 10_000)
	file := cmp.Or(os.Getenv("HALLPASS_BENCH_STORE"), filepath.Join(b.TempDir(), "passes.db"))
	_, missing := os.Stat(file)
	store, err := sqlitestore.Open(b.Context(), file, &sqlitestore.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	ring := ringOf(b, store)
	issuer := issuerAt(b, store, ring, time.Now)
	if missing != nil {
		fill(b, issuer, store, passes)
		indexed, err := sqlitestore.Open(b.Context(), file, &sqlitestore.Options{Indexes: []string{"subject", "recipient", "expires_at"}})
		if err != nil {
			b.Fatal(err)
		}
		indexed.Close()
	}
	handler, cookie := signedIn(b, issuer, store, ring)
	page, err := issuer.Entries(b.Context(), hallpass.EntryFilter{Scope: "act", Limit: 500})
	if err != nil || len(page.Entries) == 0 {
		b.Fatal(len(page.Entries), err)
	}
	some := page.Entries[len(page.Entries)-1]
	link, err := hallpass.Link("https://example.com/do", tokenOf(b, issuer, some), "")
	if err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]string{"link": link, "id": some.ID, "nothing of ours": "AAAAAAAAAAAAAAAAAAAAAA"} {
		b.Run("find "+name, func(b *testing.B) {
			timed(b, handler, cookie, func() *http.Request {
				r := httptest.NewRequest(http.MethodPost, "http://admin.example.com/admin/find", strings.NewReader(url.Values{"q": {q}}.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Origin", "http://admin.example.com")
				return r
			})
		})
	}
	for _, path := range []string{
		"/", "/?span=30d", "/passes", "/passes?after=" + page.Next, "/passes?scope=act", "/passes?batch=" + some.Batch, "/passes?state=revoked",
		"/passes?subject=" + some.Subject, "/passes?recipient=" + url.QueryEscape(some.Recipient), "/passes?q=" + some.Subject, "/passes?q=nobody", "/pass?id=" + some.ID,
		"/uses", "/uses?pass=" + some.ID, "/uses?subject=nobody", "/uses?state=refunded", "/uses?since=2020-01-01&until=2020-01-02",
		"/events", "/events?kind=refused", "/campaigns", "/campaign?batch=" + some.Batch, "/revoke?batch=" + some.Batch, "/revoke?scope=act",
		"/sessions", "/keys", "/settings", "/issue",
	} {
		b.Run(path, func(b *testing.B) { timedPage(b, handler, cookie, path) })
	}
}

// BenchmarkCounters times the pages that show counters where a lot was counted: in each
// hour of 31 days for each of so many scopes, and for so many campaigns.
func BenchmarkCounters(b *testing.B) {
	scopes, batches := number(b, "HALLPASS_BENCH_SCOPES", 5), number(b, "HALLPASS_BENCH_BATCHES", 500)
	store, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), "counters.db"), &sqlitestore.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	ring := ringOf(b, store)
	end := time.Now()
	now := end.Add(-31 * 24 * time.Hour)
	past := issuerAt(b, store, ring, func() time.Time { return now })
	count := func(scope hallpass.Scope, batch string) {
		issued, err := past.Issue(b.Context(), hallpass.Spec{Scope: scope, Batch: batch, Mode: hallpass.ModeRequest, Subject: "ada", Unrecorded: true})
		if err != nil {
			b.Fatal(err)
		}
		// Asked for by somebody else, which is refused without the store.
		if _, err := past.Redeem(b.Context(), hallpass.Presentation{Token: issued.Token, Scope: scope, Subject: "eve"}); err == nil {
			b.Fatal("not refused")
		}
	}
	flush := func() {
		if err := past.FlushStats(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	for ; now.Before(end); now = now.Add(time.Hour) {
		for n := range scopes {
			count(hallpass.Scope("scope-"+strconv.Itoa(n)), "")
		}
		flush()
	}
	for n := range batches {
		count("campaign", "campaign-"+strconv.Itoa(n))
		if n%5000 == 4999 {
			flush()
		}
	}
	flush()
	handler, cookie := signedIn(b, issuerAt(b, store, ring, time.Now), store, ring)
	for _, path := range []string{"/", "/?span=24h", "/?span=30d", "/campaigns", "/campaign?batch=campaign-0"} {
		b.Run(path, func(b *testing.B) { timedPage(b, handler, cookie, path) })
	}
}

// number reads a size from the environment.
func number(b *testing.B, name string, otherwise int) int {
	b.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv(name), strconv.Itoa(otherwise)))
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func ringOf(b *testing.B, store *sqlitestore.Store) *keystore.Ring {
	b.Helper()
	ring, _, err := keystore.Bootstrap(b.Context(), store, nil)
	if err != nil {
		b.Fatal(err)
	}
	return ring
}

func issuerAt(b *testing.B, store *sqlitestore.Store, ring *keystore.Ring, now func() time.Time) *hallpass.Issuer {
	b.Helper()
	issuer, err := hallpass.New(hallpass.Config{
		Keys: ring.Keyring(), Store: store, Instance: ring.Instance(), Now: now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	return issuer
}

// signedIn is the admin, and the cookie of an operator.
func signedIn(b *testing.B, issuer *hallpass.Issuer, store *sqlitestore.Store, ring *keystore.Ring) (http.Handler, *http.Cookie) {
	b.Helper()
	ui, err := adminui.New(adminui.Config{Issuer: issuer, Cells: store, Ring: ring, BaseURL: "http://admin.example.com"})
	if err != nil {
		b.Fatal(err)
	}
	handler := ui.Handler()
	return handler, cookieOf(b, issuer, handler, ui.URL())
}

func timedPage(b *testing.B, handler http.Handler, cookie *http.Cookie, path string) {
	b.Helper()
	timed(b, handler, cookie, func() *http.Request {
		return httptest.NewRequest(http.MethodGet, "http://admin.example.com/admin"+path, nil)
	})
}

// timed asks again and again, and tells the slowest answer too.
func timed(b *testing.B, handler http.Handler, cookie *http.Cookie, ask func() *http.Request) {
	b.Helper()
	var most time.Duration
	for b.Loop() {
		r := ask()
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		began := time.Now()
		handler.ServeHTTP(w, r)
		most = max(most, time.Since(began))
		if w.Code >= http.StatusInternalServerError || w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden {
			b.Fatalf("status %d", w.Code)
		}
	}
	b.ReportMetric(float64(most.Microseconds())/1000, "ms-at-most")
}

// tokenOf makes a pass's token once more.
func tokenOf(b *testing.B, issuer *hallpass.Issuer, entry hallpass.Entry) hallpass.Token {
	b.Helper()
	token, err := issuer.TokenAgain(entry)
	if err != nil {
		b.Fatal(err)
	}
	return token
}

// fill issues the passes, a thousand a campaign, uses each once, and has one of ten
// refused after that.
func fill(b *testing.B, issuer *hallpass.Issuer, store *sqlitestore.Store, passes int) {
	b.Helper()
	began := time.Now()
	specs := func(yield func(hallpass.Spec) bool) {
		for n := range passes {
			if !yield(hallpass.Spec{
				Scope: "act", Mode: hallpass.ModeRequest, Subject: "user-" + strconv.Itoa(n), Recipient: fmt.Sprintf("user-%d@example.com", n),
				Batch: "campaign-" + strconv.Itoa(n/1000), TTL: 30 * 24 * time.Hour,
			}) {
				return
			}
		}
	}
	made := make(chan hallpass.Pass, 10_000)
	var writers sync.WaitGroup
	var failed atomic.Pointer[error]
	var count atomic.Int64
	for range 512 {
		writers.Go(func() {
			for p := range made {
				now := issuer.Now()
				ms := now.UnixMilli()
				n := count.Add(1)
				id := fmt.Sprintf("%08x-%04x-7000-8000-%012x", ms>>16, ms&0xffff, n)
				_, err := store.Reserve(context.Background(), hallpass.Reservation{Pass: p, Use: hallpass.Use{
					ID: id, Pass: p.ID, Subject: p.Subject, At: now, State: hallpass.UseSettled, Status: 200, ClientIP: "192.0.2.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)", Method: "GET", Path: "/do",
				}})
				if err == nil && n%10 == 0 {
					err = store.RecordEvents(context.Background(), []hallpass.Event{{
						ID: id, At: now, Kind: hallpass.EventRefused, Pass: p.ID, Scope: p.Scope, Subject: p.Subject, Batch: p.Batch,
						Reason: hallpass.RefusalSpent, ClientIP: "192.0.2.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)", Method: "GET", Path: "/do",
					}})
				}
				if err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	for issued, err := range issuer.IssueAll(b.Context(), specs) {
		if err != nil {
			b.Fatal(err)
		}
		made <- issued.Pass
	}
	close(made)
	writers.Wait()
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	if err := issuer.FlushStats(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d passes and uses in %s", passes, time.Since(began).Round(time.Second))
}

// cookieOf signs an operator in as a browser would.
func cookieOf(b *testing.B, issuer *hallpass.Issuer, handler http.Handler, base string) *http.Cookie {
	b.Helper()
	issued, err := issuer.Issue(b.Context(), hallpass.Spec{
		Scope: adminui.Scope, Mode: hallpass.ModeSession, Subject: "greta", Data: json.RawMessage(`{"role":"admin"}`), TTL: time.Hour,
	})
	if err != nil {
		b.Fatal(err)
	}
	link, err := hallpass.Link(base, issued.Token, "")
	if err != nil {
		b.Fatal(err)
	}
	shown := httptest.NewRecorder()
	handler.ServeHTTP(shown, httptest.NewRequest(http.MethodGet, link, nil))
	form := url.Values{}
	for _, name := range []string{"token", "nonce"} {
		form.Set(name, between(shown.Body.String(), `name="`+name+`" value="`, `"`))
	}
	press := httptest.NewRequest(http.MethodPost, "http://admin.example.com"+between(shown.Body.String(), `action="`, `"`), strings.NewReader(form.Encode()))
	press.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	press.Header.Set("Origin", "http://admin.example.com")
	for _, c := range shown.Result().Cookies() {
		press.AddCookie(c)
	}
	pressed := httptest.NewRecorder()
	handler.ServeHTTP(pressed, press)
	for _, c := range pressed.Result().Cookies() {
		if c.Name == "hallpass-admin" {
			return c
		}
	}
	b.Fatalf("nobody was signed in: %d", pressed.Code)
	return nil
}
