package django_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/memstore"
)

// unicodeScope is what the packages' own view /uni/ asks for.
const unicodeScope = "überweisung ✓ 送金"

// djangoApp is an application behind a real guard with Django-compatible settings,
// on a real server.
type djangoApp struct {
	t      *testing.T
	db     vectorDB
	now    time.Time
	issuer *hallpass.Issuer
	guard  *guard.Guard
	server *httptest.Server
	cookie string // of the one browser
}

// setting is what differs between the packages.
type setting struct {
	param   string
	foreign hallpass.ForeignKey
	rows    []hallpass.Entry
	routes  func(a *djangoApp) http.Handler
	refused func(w http.ResponseWriter, r *http.Request, refused guard.Refused)
	// byName says that a subject is the user's name, not the id.
	byName bool
}

func newDjangoApp(t *testing.T, v vector, db vectorDB, s setting) *djangoApp {
	t.Helper()
	a := &djangoApp{t: t, db: db, now: v.now(t)}
	own, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := hallpass.NewKeyring(own)
	if err != nil {
		t.Fatal(err)
	}
	s.foreign.ID, s.foreign.Key = "site", v.file.Keys[v.Key].text()
	if err := keys.AddForeign(s.foreign); err != nil {
		t.Fatal(err)
	}
	store := memstore.New()
	if err := store.Record(context.Background(), s.rows); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	a.issuer, err = hallpass.New(hallpass.Config{
		Keys: keys, Store: store, Logger: quiet, Now: func() time.Time { return a.now },
		Active: func(_ context.Context, subject string) (bool, error) {
			for _, u := range db.Users {
				if subject == u.Username && s.byName || subject == itoa(u.ID) && !s.byName {
					return u.IsActive == nil || *u.IsActive, nil
				}
			}
			return false, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.guard, err = guard.New(guard.Config{
		Issuer: a.issuer, Param: s.param, Logger: quiet, Refused: s.refused,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, ClientIPHeader: "X-Test-Client",
		SignedIn: func(r *http.Request) (string, error) {
			c, err := r.Cookie("session")
			if err != nil {
				return "", nil
			}
			return c.Value, nil
		},
		Login: func(w http.ResponseWriter, r *http.Request, p hallpass.Pass) error {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: p.Subject, Path: "/"})
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := s.routes(a)
	a.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(a.server.Close)
	return a
}

// say reports what the handler saw.
func (a *djangoApp) say(w http.ResponseWriter, r *http.Request, status int) {
	user, _ := guard.Subject(r.Context())
	if user == "" {
		if c, err := r.Cookie("session"); err == nil {
			user = c.Value
		}
	}
	w.Header().Set("X-Seen-User", user)
	if h := guard.FromContext(r.Context()); h != nil {
		w.Header().Set("X-Seen-Pass", h.Pass.ID)
		w.Header().Set("X-Seen-Data", base64.StdEncoding.EncodeToString(h.Pass.Data))
		w.Header().Set("X-Seen-Recipient", base64.StdEncoding.EncodeToString([]byte(h.Pass.Recipient)))
	}
	w.WriteHeader(status)
}

// requestTokenRoutes are the views that the vectors were made with.
func requestTokenRoutes(a *djangoApp) http.Handler {
	options := func(audit hallpass.Audit) *guard.Options {
		return &guard.Options{Transports: guard.Query | guard.Form | guard.JSON, Confirm: guard.ConfirmNever, Audit: audit}
	}
	open := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.say(w, r, http.StatusOK) })
	need := a.guard.Require("foo", options(""))
	routes := map[string]http.Handler{
		"/open/":  open,
		"/opt/":   a.guard.Optional("foo", options(""))(open),
		"/req/":   need(open),
		"/uni/":   a.guard.Require(unicodeScope, options(""))(open),
		"/nolog/": a.guard.Require("foo", options(hallpass.AuditOff))(open),
		"/boom/":  need(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })),
		"/expire/": need(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := a.issuer.RevokePass(r.Context(), guard.FromContext(r.Context()).Pass); err != nil {
				a.t.Error(err)
			}
			a.say(w, r, http.StatusOK)
		})),
	}
	status := need(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(strings.Trim(strings.TrimPrefix(r.URL.Path, "/status/"), "/"))
		if err != nil {
			n = http.StatusNotFound
		}
		a.say(w, r, n)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch h := routes[r.URL.Path]; {
		case h != nil:
			h.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/status/"):
			status.ServeHTTP(w, r)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
}

var allModes = []hallpass.Mode{hallpass.ModePublic, hallpass.ModeRequest, hallpass.ModeSession}

func requestTokenSetting(db vectorDB) setting {
	s := setting{
		param:   "rt",
		foreign: hallpass.ForeignKey{Form: django.RequestToken{}, Scopes: []hallpass.Scope{"foo", unicodeScope}, Modes: allModes},
		routes:  requestTokenRoutes,
	}
	for _, row := range db.Tokens {
		e := entryOf(row)
		e.ID, e.Scope, e.Mode, e.Subject = django.RequestTokenID("site", row.ID), hallpass.Scope(row.Scope), modeOf(row.Mode), userID(db, row.User)
		s.rows = append(s.rows, e)
	}
	return s
}

// entryOf is a row as DESIGN 9 imports it.
func entryOf(row vectorRow) hallpass.Entry {
	e := hallpass.Entry{Used: row.Used, Pass: hallpass.Pass{
		Data: row.Data, Recorded: true, Key: "site", MaxUses: row.MaxUses,
		IssuedAt: floatTime(row.IAT), NotBefore: floatTime(row.NBF), ExpiresAt: floatTime(row.Exp),
	}}
	if e.MaxUses <= 0 {
		e.Used = max(1, row.Used)
		e.MaxUses = e.Used
	}
	return e
}

func expiringLinksSetting(t *testing.T, db vectorDB) setting {
	t.Helper()
	s := setting{
		param: "jwt", byName: true,
		foreign: hallpass.ForeignKey{Form: django.ExpiringLinks{Site: db.SiteDomain}, Scopes: []hallpass.Scope{"link"}, Modes: allModes},
		routes: func(a *djangoApp) http.Handler {
			o := &guard.Options{Transports: guard.Query, Confirm: guard.ConfirmNever}
			return a.guard.Optional("link", o)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.say(w, r, http.StatusOK) }))
		},
	}
	for _, row := range db.Tokens {
		e := entryOf(row)
		var data string
		unmarshal(t, row.Data, &data)
		e.Data = json.RawMessage(data)
		e.ID, e.Scope, e.Mode = django.ExpiringLinkID("site", row.ID), "link", hallpass.ModePublic
		if row.User != nil {
			e.Mode, e.Subject = hallpass.ModeRequest, *row.User
		}
		if row.TargetURL != nil {
			grants, err := django.ExpiringLinkGrants(*row.TargetURL)
			if err != nil {
				t.Fatal(err)
			}
			e.Grants = grants
		}
		s.rows = append(s.rows, e)
	}
	return s
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
}

// send writes the request as it stands: the target's spelling and the method's case
// are what some vectors are about.
func (a *djangoApp) send(r vectorRequest) reply {
	a.t.Helper()
	conn, err := net.Dial("tcp", a.server.Listener.Addr().String())
	if err != nil {
		a.t.Fatal(err)
	}
	defer conn.Close()
	body := []byte(r.Body)
	if r.BodyBase64 != "" {
		if body, err = base64.StdEncoding.DecodeString(r.BodyBase64); err != nil {
			a.t.Fatal(err)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nX-Test-Client: 203.0.113.7\r\n", r.Method, r.Target)
	for name, value := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	if r.ContentType != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\n", r.ContentType)
	}
	if a.cookie != "" {
		fmt.Fprintf(&b, "Cookie: session=%s\r\n", a.cookie)
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := conn.Write(b.Bytes()); err != nil {
		a.t.Fatal(err)
	}
	method := strings.ToUpper(r.Method)
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		a.t.Fatalf("%s %s: %v", r.Method, r.Target, err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		a.t.Fatal(err)
	}
	for _, c := range answer.Cookies() {
		if c.Name == "session" {
			a.cookie = c.Value
		}
	}
	return reply{answer.StatusCode, answer.Header}
}

// signInAs gives the browser the cookies that a step begins with.
func (a *djangoApp) signInAs(who json.RawMessage, byName bool) {
	if len(who) == 0 {
		return
	}
	var name *string
	unmarshal(a.t, who, &name)
	a.cookie = ""
	if name != nil {
		a.cookie = *name
		if !byName {
			a.cookie = userID(a.db, name)
		}
	}
}

// userSeen is the name of the user that the handler saw.
func (a *djangoApp) userSeen(r reply, byName bool) string {
	user := r.header.Get("X-Seen-User")
	for _, u := range a.db.Users {
		if !byName && itoa(u.ID) == user {
			if u.IsActive != nil && !*u.IsActive {
				return ""
			}
			return u.Username
		}
	}
	return user
}

func runHTTP(t *testing.T, v vector) (d differences) {
	db := v.db(t)
	s := requestTokenSetting(db)
	if v.System == "django-jwt-expiringlinks" {
		s = expiringLinksSetting(t, db)
	}
	a := newDjangoApp(t, v, db, s)
	began := a.now
	for i, step := range v.Steps {
		a.now = began.Add(floatDuration(step.DT + step.Request.DT))
		a.signInAs(step.Request.AsUser, s.byName)
		got := a.send(step.Request)
		where := "step " + strconv.Itoa(i+1) + ": "
		d.want(where+"status", got.status, step.Expect.Status)
		if got.status == step.Expect.Status && step.Expect.Status < 400 && step.Request.Method != "HEAD" {
			user := ""
			if step.Expect.SeenUser != nil {
				user = *step.Expect.SeenUser
			}
			d.want(where+"user", a.userSeen(got, s.byName), user)
			if text := got.header.Get("X-Seen-Data"); text != "" && len(step.Expect.SeenData) > 0 {
				data, _ := base64.StdEncoding.DecodeString(text)
				d.wantJSON(where+"data", data, step.Expect.SeenData)
			}
		}
		d.compareCounts(t, a, s, db, where, step)
	}
	return d
}

// compareCounts compares what was counted since the beginning.
func (d *differences) compareCounts(t *testing.T, a *djangoApp, s setting, db vectorDB, where string, step vectorStep) {
	t.Helper()
	var after map[string]int64
	unmarshal(t, step.Expect.Tokens, &after)
	logs, newest := 0, hallpass.Use{}
	for i, row := range db.Tokens {
		e, err := a.issuer.Entry(context.Background(), s.rows[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		d.want(where+"count of "+itoa(row.ID), e.Used-s.rows[i].Used, after[itoa(row.ID)]-row.Used)
		page, err := a.issuer.Uses(context.Background(), hallpass.UseQuery{Pass: e.ID, Limit: hallpass.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range page.Uses {
			if use.State != hallpass.UseRefunded {
				logs++
				if use.ID > newest.ID {
					newest = use
				}
			}
		}
	}
	if step.Expect.LogsAfter != nil {
		d.want(where+"uses", logs, *step.Expect.LogsAfter)
	}
	if last := step.Expect.LastLog; last != nil && newest.ID != "" && last.StatusCode != 0 {
		d.want(where+"logged address", newest.ClientIP, last.ClientIP)
		d.want(where+"logged status", newest.Status, last.StatusCode)
	}
}

// viewDifferences sends a token of jwt-decode to a view that requires one.
func viewDifferences(t *testing.T, v vector) (d differences) {
	if v.Expect.ViewStatus == 0 {
		return nil
	}
	db := v.db(t)
	a := newDjangoApp(t, v, db, requestTokenSetting(db))
	got := a.send(vectorRequest{Method: "GET", Target: "/req/?rt=" + url.QueryEscape(v.Token)})
	d.want("status of the view", got.status, v.Expect.ViewStatus)
	return d
}

// djangoRESTRefusals answers as Django REST framework does: 401 to everything.
func djangoRESTRefusals(w http.ResponseWriter, _ *http.Request, _ guard.Refused) {
	w.Header().Set("WWW-Authenticate", "TmpToken")
	w.WriteHeader(http.StatusUnauthorized)
}

func runScopedAuth(t *testing.T, v vector) (d differences) {
	db := v.db(t)
	a := newDjangoApp(t, v, db, setting{
		param:   "TOKEN",
		foreign: hallpass.ForeignKey{Form: django.ScopedToken{}, Scopes: []hallpass.Scope{"api"}, Modes: []hallpass.Mode{hallpass.ModeRequest}},
		refused: djangoRESTRefusals,
		routes: func(a *djangoApp) http.Handler {
			o := &guard.Options{Keyword: "TmpToken", Confirm: guard.ConfirmNever}
			return a.guard.Require("api", o)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.say(w, r, http.StatusOK) }))
		},
	})
	got := a.send(v.Request)
	d.want("status", got.status, v.Expect.Status)
	verdict := "refused"
	if got.status == http.StatusOK {
		verdict = "valid"
	}
	d.want("verdict", verdict, v.Expect.Verdict)
	if verdict != "valid" || v.Expect.Verdict != "valid" {
		return d
	}
	user := ""
	if v.Expect.User != nil {
		user, _ = (*v.Expect.User).(string)
	}
	d.want("user", a.userSeen(got, false), user)
	recipient := ""
	if v.Expect.Recipient != nil {
		recipient = fmt.Sprint(v.Expect.Recipient)
	}
	seen, err := base64.StdEncoding.DecodeString(got.header.Get("X-Seen-Recipient"))
	d.want("recipient", string(seen), recipient)
	d.want("error", err, nil)
	if v.Token != "" {
		verified, err := a.issuer.Verify(hallpass.Presentation{Token: hallpass.NewToken(v.Token)})
		d.want("error of Verify", err, nil)
		d.wantJSON("claims", verified.Claims, v.Expect.Claims)
	}
	return d
}
