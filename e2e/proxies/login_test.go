package proxies_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

// inbox is where the mails of a world arrive.
type inbox struct {
	mu    sync.Mutex
	mails []mail.Message
}

func (b *inbox) Send(_ context.Context, m mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mails = append(b.mails, m)
	return nil
}

var (
	codeLine = regexp.MustCompile(`(?m)^(\d{6})\r?$`)
	linkLine = regexp.MustCompile(`(?m)^(http\S+)\r?$`)
)

// mailTo waits for a mail and returns its code and link.
func (b *inbox) mailTo(t testing.TB, address string) (code, link string) {
	t.Helper()
	for until := time.Now().Add(waitTime); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		b.mu.Lock()
		for _, m := range b.mails {
			if string(m.To) == address {
				code, link = codeLine.FindString(m.Text), linkLine.FindString(m.Text)
			}
		}
		b.mu.Unlock()
		if code != "" && link != "" {
			return strings.TrimSpace(code), strings.TrimSpace(link)
		}
	}
	t.Fatalf("no mail to %s", address)
	return "", ""
}

// openLogin lets people log in at the gate, as package server does.
func (w *world) openLogin(quiet *slog.Logger) error {
	key, err := hallpass.GenerateKeyFor(hallpass.PurposeAccess, hallpass.EdDSA)
	if err != nil {
		return err
	}
	access, err := hallpass.NewKeyringFor(hallpass.PurposeAccess, key)
	if err != nil {
		return err
	}
	l, err := login.New(login.Config{
		Issuer: w.issuer, AccessKeys: access, Cells: w.store, Sender: &w.inbox, BaseURL: "http://" + host, Path: w.gate.Prefix() + "/login",
		Limits: login.Limits{Resend: -1, NetworkSends: -1},
		Allow: func(_ context.Context, a mail.Address) (login.Claims, error) {
			if !strings.HasSuffix(string(a), "@example.com") {
				return nil, hallpass.RefusalUnknownSubject
			}
			return nil, nil
		},
		HTTP: login.HTTP{
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
			Complete: func(rw http.ResponseWriter, r *http.Request, id login.Identity) error {
				return w.gate.LogIn(rw, r, gate.Person{Subject: id.Subject, Address: id.Address, Claims: id.Claims})
			},
		},
		Logger: quiet,
	})
	if err != nil {
		return err
	}
	w.gate.SetLogin(&gate.Logins{Pages: l.Handler(), Token: func(r *http.Request) (gate.Person, time.Time, error) {
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		a, err := l.OpenAccess(token)
		return gate.Person{Subject: a.Subject, Address: a.Address, Claims: a.Claims}, a.IssuedAt, err
	}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = l.Run(ctx) // it fails only when it runs twice
	}()
	w.end = append(w.end, func() { cancel(); <-ended })
	return nil
}

// send sends a form of our pages, as a browser on plain HTTP does: it says nothing
// of where the form is from.
func (b *browser) send(t testing.TB, path string, fields url.Values) answer {
	t.Helper()
	return b.do(t, "POST", "http://"+host+path, fields.Encode(), "Content-Type: application/x-www-form-urlencoded", "Accept: text/html",
		"Origin: http://"+host, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
}

func TestAPersonLogsInByMailThroughEachProxy(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		address := "ada-" + f.name + "@example.com"
		b := newBrowser(t, f)
		page := moved(t, b.open(t, "/members/list?tab=1&x=%2f"))
		if page != "/.hallpass/login?next="+url.QueryEscape("/members/list?tab=1&x=%2f") {
			t.Fatalf("sent to %s", page)
		}
		if a := b.open(t, page); a.status != 200 || !strings.Contains(a.body, `action="/.hallpass/login/code"`) {
			t.Fatalf("the login page: %d\n%s", a.status, a.body)
		}
		if to := moved(t, b.send(t, "/.hallpass/login/code", url.Values{"email": {address}, "next": {"/members/list?tab=1&x=%2f"}})); to != "/.hallpass/login" {
			t.Fatalf("sent to %s", to)
		}
		code, link := w.inbox.mailTo(t, address)
		if !strings.HasPrefix(link, "http://"+host+"/.hallpass/login/link?token=") {
			t.Errorf("the link is %s", link)
		}
		if to := moved(t, b.send(t, "/.hallpass/login", url.Values{"code": {code}})); to != "/members/list?tab=1&x=%2f" {
			t.Fatalf("sent to %s", to)
		}
		a := b.do(t, "GET", "http://"+host+"/members/list?tab=1", "", append([]string{"X-Hallpass-Subject: chief@example.com", "X-Hallpass-Pass: p"}, navigation...)...)
		got := verdictOf(t, a)
		if !got.allowed || got.subject != address || got.scope != "login" {
			t.Fatalf("%+v\n%s", got, a.body)
		}
		e := a.echo(t)
		if e.Header["Cookie"] != nil || e.Header["X-Hallpass-Pass"] != nil {
			t.Errorf("the application got %v", e.Header)
		}
		if data := strings.Join(e.Header["X-Hallpass-Data"], "|"); data != base64.RawURLEncoding.EncodeToString([]byte(`{"email":"`+address+`"}`)) {
			t.Errorf("the application got the data %q", data)
		}
		if a := b.do(t, "POST", "http://"+host+"/members/list", "body", "Origin: http://"+host); a.echo(t).Body != "body" {
			t.Errorf("a form of the application: %d %s", a.status, a.body)
		}
		// What is for others, and what is for passes, stays closed.
		if a := b.open(t, "/chiefs/room"); a.fromApp() || a.status != 403 || !strings.Contains(a.body, "Log in with another address") {
			t.Errorf("a page for others: %d\n%s", a.status, a.body)
		}
		if a := b.open(t, "/home"); a.fromApp() || a.status != 403 {
			t.Errorf("a page for passes of the scope login: %d", a.status)
		}
		if a := newBrowser(t, f).open(t, "/members/list"); a.fromApp() {
			t.Error("another browser is in, too")
		}
		found, _, err := w.gate.Sessions().List(t.Context(), address, "", 10)
		if err != nil || len(found) != 1 || found[0].Kind != sessions.KindLogin || string(found[0].Address) != address {
			t.Fatalf("%+v %v", found, err)
		}
		if to := moved(t, b.send(t, "/.hallpass/logout?next=/open", nil)); to != "/open" {
			t.Errorf("logged out to %s", to)
		}
		if a := b.open(t, "/members/list"); a.fromApp() || a.status != 303 {
			t.Errorf("after logging out: %d", a.status)
		}
	})
}

func TestTheLinkOfAMailLogsInThroughEachProxy(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		address := "lin-" + f.name + "@example.com"
		b, elsewhere := newBrowser(t, f), newBrowser(t, f)
		moved(t, b.send(t, "/.hallpass/login/code", url.Values{"email": {address}, "next": {"/members"}}))
		_, link := w.inbox.mailTo(t, address)
		path := strings.TrimPrefix(link, "http://"+host)
		if a := elsewhere.open(t, path); a.status != 200 || !strings.Contains(a.body, `value="continue"`) {
			t.Fatalf("the link's page: %d\n%s", a.status, a.body)
		}
		if a := elsewhere.open(t, "/members"); a.fromApp() {
			t.Fatal("opening the link was enough")
		}
		token := strings.TrimPrefix(path, "/.hallpass/login/link?token=")
		if to := moved(t, elsewhere.send(t, "/.hallpass/login/link", url.Values{"token": {token}, "step": {"continue"}})); to != "/members" {
			t.Errorf("sent to %s", to)
		}
		if a := elsewhere.open(t, "/members"); !a.fromApp() {
			t.Errorf("after the press: %d", a.status)
		}
		if a := b.open(t, "/members"); a.fromApp() {
			t.Error("the browser where it began is in, though nobody typed anything there")
		}
	})
}

func TestAProgramIsToldThroughEachProxyThatALoginIsMissing(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			if a := raw(t, f, method, "/members/list", "", asJSON); a.fromApp() || a.status != 401 || a.header.Get("Location") != "" || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %d %v", method, a.status, a.header)
			}
		}
		// An access token opens it, and does not reach the application.
		address := "pat-" + f.name + "@example.com"
		c := newBrowser(t, f)
		if a := c.do(t, "POST", "http://"+host+"/.hallpass/login/code", `{"email":"`+address+`"}`, "Content-Type: application/json"); a.status != 204 {
			t.Fatalf("asking for a mail: %d %s", a.status, a.body)
		}
		code, _ := w.inbox.mailTo(t, address)
		given := c.do(t, "POST", "http://"+host+"/.hallpass/login", `{"email":"`+address+`","code":"`+code+`"}`, "Content-Type: application/json")
		var tokens struct{ Access string }
		if err := json.Unmarshal([]byte(given.body), &tokens); err != nil || tokens.Access == "" {
			t.Fatalf("logging in: %d %s", given.status, given.body)
		}
		a := raw(t, f, "DELETE", "/members/list", "", asJSON, bearer(tokens.Access))
		if got := verdictOf(t, a); !got.allowed || got.subject != address || a.echo(t).Header["Authorization"] != nil {
			t.Errorf("with an access token: %+v\n%s", got, a.body)
		}
		if a := raw(t, f, "GET", "/chiefs/room", "", asJSON, bearer(tokens.Access)); a.fromApp() || a.status != 403 {
			t.Errorf("a page for others with an access token: %d", a.status)
		}
		if a := raw(t, f, "GET", "/home", "", asJSON, bearer(tokens.Access)); a.fromApp() {
			t.Error("an access token opened a page for passes")
		}
		// A token of a pass opens nothing here, and is not used up.
		issued := w.issue(t, w.issuer, hallpass.Spec{Scope: "login", MaxUses: 1})
		if a := raw(t, f, "GET", "/members/list", "", bearer(issued.Token.Reveal())); a.fromApp() || a.status != 401 {
			t.Errorf("with a pass: %d", a.status)
		}
		if uses := w.uses(t, issued.Pass.ID); len(uses) != 0 {
			t.Errorf("it was counted: %+v", uses)
		}
	})
}
