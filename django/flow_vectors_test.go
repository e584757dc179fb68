package django_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

// flowConfig are the settings of jwt-email-auth that decide about a login; times in
// seconds.
type flowConfig struct {
	Updateable     []string `json:"UPDATEABLE_CLAIMS"`
	SendingOn      bool     `json:"SENDING_ON"`
	SkipCodeChecks bool     `json:"SKIP_CODE_CHECKS"`
	SkipCodesFor   []string `json:"SKIP_CODE_CHECKS_FOR"`
	Attempts       int      `json:"LOGIN_ATTEMPTS"`
	Cooldown       float64  `json:"LOGIN_COOLDOWN"`
	CodeLifetime   float64  `json:"LOGIN_CODE_LIFETIME"`
	SendCooldown   float64  `json:"CODE_SEND_COOLDOWN"`
}

func (f flowConfig) attempts() int {
	if f.Attempts == 0 {
		return 10
	}
	return f.Attempts
}

func secondsOr(seconds, usual float64) time.Duration {
	if seconds == 0 {
		seconds = usual
	}
	return floatDuration(seconds)
}

// flowSite is a site that has moved from jwt-email-auth to package login with its
// settings as docs/django.md says, and kept its front end: a client with cookies
// speaks to it on a real server.
type flowSite struct {
	t     *testing.T
	v     vector
	codec *django.EmailAuth
	login *login.Login
	base  string
	// browsers are one for each address: everybody has his own.
	browsers map[mail.Address]*http.Client

	mu      sync.Mutex
	now     time.Time
	codes   map[mail.Address]string // the latest
	sent    int
	handled chan struct{} // one for each mail that was sent or was not to be
	// ours are our tokens by the package's own: a client sends what it was given.
	ours map[string]string
}

func (s *flowSite) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Send is a mail.Sender.
func (s *flowSite) Send(_ context.Context, m mail.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[m.To] = m.Data["code"]
	s.sent++
	return nil
}

func emailAuthOf(v vector) (*django.EmailAuth, error) {
	cfg := django.EmailAuthConfig{
		SigningKey: v.file.Keys[v.Key].text(), CipherKey: v.Config.CipherKey, Issuer: v.Config.Issuer, Audience: v.Config.Audience,
		Headers: v.Config.Headers, ExpectedClaims: v.Config.ExpectedClaims, Leeway: floatDuration(v.Config.Leeway),
		AccessTTL: floatDuration(v.Config.AccessTTL), RefreshTTL: floatDuration(v.Config.RefreshTTL),
	}
	if v.Config.NotBefore != nil {
		cfg.NotBefore = floatDuration(*v.Config.NotBefore)
	}
	return django.NewEmailAuth(cfg)
}

// loginKeys are made once for all sites.
var loginKeys = sync.OnceValues(func() (pass, access hallpass.Key) {
	pass, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		panic(err)
	}
	if access, err = hallpass.GenerateKeyFor(hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
		panic(err)
	}
	return pass, access
})

func newFlowSite(t *testing.T, v vector, change func(*login.Config)) (*flowSite, error) {
	t.Helper()
	s := &flowSite{t: t, v: v, now: v.now(t), codes: map[mail.Address]string{}, handled: make(chan struct{}, 64), ours: map[string]string{}, browsers: map[mail.Address]*http.Client{}}
	var err error
	if s.codec, err = emailAuthOf(v); err != nil {
		return nil, err
	}
	pass, access := loginKeys()
	keys, err := hallpass.NewKeyring(pass)
	if err != nil {
		t.Fatal(err)
	}
	accessKeys, err := hallpass.NewKeyring(access)
	if err != nil {
		t.Fatal(err)
	}
	store, quiet := memstore.New(), slog.New(slog.DiscardHandler)
	issuer, err := hallpass.New(hallpass.Config{Keys: keys, Store: store, Now: s.clock, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	views := django.EmailAuthViews{Tokens: s.codec}
	f := v.Flow
	cfg := login.Config{
		Issuer: issuer, AccessKeys: accessKeys, Cells: store, Sender: s, BaseURL: server.URL, Logger: quiet,
		Allow:          s.allow,
		Tokens:         &login.TokenForm{Codec: s.codec, Identify: s.identify},
		ExpectedClaims: v.Config.ExpectedClaims, UpdatableClaims: f.Updateable,
		AccessTTL: secondsOr(v.Config.AccessTTL, 5*60), RefreshIdle: secondsOr(v.Config.RefreshTTL, 14*24*3600),
		RefreshGrace: -1,
		CodeTTL:      min(secondsOr(f.CodeLifetime, 5*60), 10*time.Minute),
		HandOverTTL:  time.Second,
		Limits: login.Limits{
			Tries: 20, FreeFailures: f.attempts(), Resend: secondsOr(f.SendCooldown, 60),
			Delay: secondsOr(f.Cooldown, 5*60), MaxDelay: secondsOr(f.Cooldown, 5*60),
		},
		HTTP: login.HTTP{
			Refused: func(w http.ResponseWriter, r *http.Request, status int, err error) bool {
				return views.Refused(w, r, status, err)
			},
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		},
		ObserveMail: func(e mail.OutboxEvent) {
			if e.Kind != mail.OutboxTakenOver {
				s.handled <- struct{}{}
			}
		},
	}
	cfg.RefreshLife = max(90*24*time.Hour, cfg.RefreshIdle)
	if !f.SendingOn { // then the package has no cooldown either
		cfg.Limits.Resend = -1
	}
	if change != nil {
		change(&cfg)
	}
	if s.login, err = login.New(cfg); err != nil {
		return nil, err
	}
	if cfg.Path != "" {
		views.Prefix, views.Path = cfg.Path, cfg.Path
	}
	handler = views.Handler(s.login.Handler())
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.login.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-done })
	s.base = server.URL
	return s, nil
}

// browser is that of whom a request is about.
func (s *flowSite) browser(r vectorRequest) *http.Client {
	address := r.address()
	if s.browsers[address] == nil {
		cookies, err := cookiejar.New(nil)
		if err != nil {
			s.t.Fatal(err)
		}
		s.browsers[address] = &http.Client{Jar: cookies, Timeout: 20 * time.Second}
	}
	return s.browsers[address]
}

func (r vectorRequest) email() string {
	var sent struct{ Email string }
	if json.Unmarshal([]byte(r.Body), &sent) != nil {
		form, _ := url.ParseQuery(r.Body)
		sent.Email = form.Get("email")
	}
	return sent.Email
}

func (r vectorRequest) address() mail.Address {
	address, _ := mail.ParseAddress(r.email())
	return address
}

// userClaims are what a token says of its user.
func userClaims(all map[string]any) map[string]any {
	own := map[string]any{}
	for name, value := range all {
		if !slices.Contains([]string{"type", "exp", "iat", "nbf", "aud", "iss", "sub", "jti"}, name) {
			own[name] = value
		}
	}
	return own
}

// identify takes the claims that say who somebody is: those that nobody may change.
// Where all may be changed, tokens say nobody in particular.
func (s *flowSite) identify(claims login.Claims) (login.Identity, error) {
	who := map[string]any{}
	for _, name := range s.v.Config.ExpectedClaims {
		if !slices.Contains(s.v.Flow.Updateable, name) {
			who[name] = claims[name]
		}
	}
	text, err := json.Marshal(who)
	return login.Identity{Subject: string(text)}, err
}

// allow is the site's callback. Its users are all but those whom the package was
// made to refuse; its data is what the package put into tokens.
func (s *flowSite) allow(_ context.Context, a mail.Address) (login.Claims, error) {
	data := map[string]any{"user_id": json.Number("7"), "roles": []any{}}
	for _, step := range s.v.Steps {
		if step.Request.address() != a {
			continue
		}
		if step.Request.Target == "/authenticate" && step.Expect.Status == http.StatusNotFound {
			return nil, hallpass.RefusalUnknownSubject
		}
		if access, _ := pairOf(step.Expect.Body); step.Request.Target == "/login" && access != "" {
			data = userClaims(s.claimsOf(access))
		}
	}
	return data, nil
}

func pairOf(body json.RawMessage) (access, refresh string) {
	var pair struct{ Access, Refresh string }
	_ = json.Unmarshal(body, &pair)
	return pair.Access, pair.Refresh
}

// claimsOf reads a token of either kind, whatever its time.
func (s *flowSite) claimsOf(token string) map[string]any {
	judge := django.Judge{Key: s.v.key(s.t), Now: s.clock()}
	rules := django.EmailAuthRules{}
	if s.v.Config.CipherKey != "" {
		cipher, err := django.ParseCipherKey(s.v.Config.CipherKey)
		if err != nil {
			s.t.Fatal(err)
		}
		rules.CipherKey = cipher
	}
	raw, _ := judge.EmailAuth(token, rules)
	var claims map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&claims); err != nil {
		s.t.Fatalf("%s: no claims in %q", s.v.ID, token)
	}
	return claims
}

// isRight reports whether a code is the one that the package's generator was fixed
// to: one that opened something without the checks switched off, or that the
// package never called wrong here.
func (v vector) isRight(code string) bool {
	for _, other := range v.file.Vectors {
		if other.Kind == v.Kind && !other.Flow.SkipCodeChecks && len(other.Flow.SkipCodesFor) == 0 && other.codeAnswered(code, http.StatusOK) {
			return true
		}
	}
	return !v.Flow.SkipCodeChecks && len(v.Flow.SkipCodesFor) == 0 && !v.codeAnswered(code, http.StatusForbidden)
}

func (v vector) codeAnswered(code string, status int) bool {
	return slices.ContainsFunc(v.Steps, func(s vectorStep) bool {
		return s.Request.Target == "/login" && s.Expect.Status == status && strings.Contains(s.Request.Body, `"`+code+`"`)
	})
}

// translate makes a request's text this client sends: with the code of its mail for the
// right one, and the tokens it was given.
func (s *flowSite) translate(text string) string {
	for theirs, ours := range s.ours {
		text = strings.ReplaceAll(text, theirs, ours)
	}
	var sent struct{ Email, Code string }
	if json.Unmarshal([]byte(text), &sent) != nil || sent.Code == "" {
		return text
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	address, _ := mail.ParseAddress(sent.Email)
	real := s.codes[address]
	code := sent.Code
	switch {
	case real != "" && s.v.isRight(sent.Code):
		code = real
	case real == sent.Code: // by chance
		code = wrongCode(real)
	}
	return strings.ReplaceAll(text, `"`+sent.Code+`"`, `"`+code+`"`)
}

func wrongCode(code string) string {
	return string('0'+(code[0]-'0'+1)%10) + code[1:]
}

func (s *flowSite) do(r vectorRequest) (status int, body []byte) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), r.Method, s.base+r.Target, strings.NewReader(s.translate(r.Body)))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range r.Headers {
		request.Header.Set(name, s.translate(value))
	}
	if r.ContentType != "" {
		request.Header.Set("Content-Type", r.ContentType)
	}
	resp, err := s.browser(r).Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		s.t.Fatal(err)
	}
	if r.Target == "/authenticate" && resp.StatusCode == http.StatusNoContent {
		select {
		case <-s.handled:
		case <-time.After(10 * time.Second):
			s.t.Fatalf("%s: no mail was handled", s.v.ID)
		}
	}
	return resp.StatusCode, body
}

func runEmailAuthFlow(t *testing.T, v vector) (d differences) {
	s, err := newFlowSite(t, v, nil)
	if err != nil {
		return differences{"the settings are refused: " + err.Error()}
	}
	for i, step := range v.Steps {
		s.mu.Lock()
		s.now = v.now(t).Add(floatDuration(step.Request.DT))
		s.mu.Unlock()
		status, body := s.do(step.Request)
		at := fmt.Sprintf("step %d, %s %s: ", i+1, step.Request.Method, step.Request.Target)
		d.want(at+"status", status, step.Expect.Status)
		if status == http.StatusOK && step.Expect.Status == http.StatusOK {
			s.compare(&d, at, body, step)
		}
		if v.Flow.SendingOn {
			s.mu.Lock()
			d.want(at+"mails", s.sent, step.Expect.CodesSent)
			s.mu.Unlock()
		}
		if v.Config.Rotate {
			sessions, _, err := s.login.Sessions(t.Context(), "", "", 100)
			d.want(at+"error", err, nil)
			d.want(at+"sessions", len(sessions), step.Expect.RotationRows)
		}
	}
	return d
}

// compare compares what is said, and keeps the tokens.
func (s *flowSite) compare(d *differences, at string, body []byte, step vectorStep) {
	access, refresh := pairOf(body)
	theirAccess, theirRefresh := pairOf(step.Expect.Body)
	if theirAccess == "" {
		d.wantJSON(at+"body", body, step.Expect.Body)
		return
	}
	if access == "" || refresh == "" {
		*d = append(*d, at+"there are no tokens: "+string(body))
		return
	}
	s.ours[theirAccess] = access
	d.want(at+"access token", s.claimsOf(access), s.claimsOf(theirAccess))
	if s.v.Config.CipherKey == "" && len(userClaims(s.claimsOf(access))) < 2 {
		d.want(at+"text of the access token", access, theirAccess) // the order of more is not known here
	}
	if theirRefresh == "" {
		return
	}
	s.ours[theirRefresh] = refresh
	d.want(at+"user of the refresh token", userClaims(s.claimsOf(refresh)), userClaims(s.claimsOf(theirRefresh)))
}
