package e2e_test

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/mailbox"
	"github.com/hallpass-go/hallpass/internal/needs"
)

func TestAnAddressOpensTheApplication(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	s := startLogin(t, sqliteFile(t), box, nil)
	c := newClient()
	defer c.close()
	got, err := c.open(s.URL + "/notes?tab=2")
	page := got.header.Get("Location")
	if err != nil || got.status != http.StatusSeeOther || page != loginAt+"?next="+url.QueryEscape("/notes?tab=2") {
		t.Fatalf("%d to %q, %v", got.status, page, err)
	}
	if got, err := c.form(s.URL+loginAt+"/code", url.Values{"email": {"Ada@Example.COM"}, "next": {"/notes?tab=2"}}); err != nil || got.status != http.StatusSeeOther {
		t.Fatalf("asking for a mail: %d %v", got.status, err)
	}
	mail := letters(t, box, "ada@example.com", 1)[0]
	if !strings.HasPrefix(mail.link, s.URL+loginAt+"/link?") {
		t.Error("the link leads elsewhere")
	}
	if got, err := c.form(s.URL+loginAt, url.Values{"code": {wrongFor(mail.code)}}); err != nil || got.status != http.StatusForbidden {
		t.Errorf("a wrong code: %d %v", got.status, err)
	}
	got, err = c.form(s.URL+loginAt, url.Values{"code": {mail.code}})
	if err != nil || got.status != http.StatusSeeOther || got.header.Get("Location") != "/notes?tab=2" {
		t.Fatalf("the code: %d to %q, %v", got.status, got.header.Get("Location"), err)
	}
	if got, err := c.open(s.URL + "/notes?tab=2"); err != nil || got.body != "the application" {
		t.Errorf("%d %v", got.status, err)
	}
	if got, err := newClient().form(s.URL+loginAt, url.Values{"code": {mail.code}}); err != nil || got.status < 400 {
		t.Errorf("the code in another browser: %d %v", got.status, err)
	}

	// The operator sees it and ends it, without the server.
	page1 := done[struct {
		Sessions []struct{ ID, Kind, Subject, Host string }
		Next     *string
	}](t, "sessions", "list", "--json", "--store", s.store, "--subject", "ada@example.com")
	if len(page1.Sessions) != 1 || page1.Sessions[0].Kind != "login" || page1.Next != nil {
		t.Fatalf("%+v", page1)
	}
	if got := hallpass(t, "sessions", "end", page1.Sessions[0].ID, "--store", s.store); got.code != 0 {
		t.Errorf("ending it: exit %d: %s", got.code, got.stderr)
	}
	if got := hallpass(t, "sessions", "end", page1.Sessions[0].ID, "--store", s.store); got.code != 1 {
		t.Errorf("ending it again: exit %d", got.code)
	}
	if got, err := c.open(s.URL + "/notes"); err != nil || got.status != http.StatusSeeOther {
		t.Errorf("after its end: %d %v", got.status, err)
	}
}

func TestTokensGoOnUntilTheSessionIsEnded(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	s := startLogin(t, sqliteFile(t), box, nil)
	c := newClient()
	defer c.close()
	first := logIn(t, c, s.URL, box, "ada@example.com")
	got, err := c.post(s.URL+loginAt+"/refresh", map[string]string{"token": first.Refresh})
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("a refresh: %d %v", got.status, err)
	}
	if got := hallpass(t, "sessions", "end", "--subject", "ada@example.com", "--store", s.store); got.stdout != "Ended 1 session.\n" {
		t.Errorf("%q %q", got.stdout, got.stderr)
	}
	if got, err := c.post(s.URL+loginAt+"/refresh", map[string]string{"token": first.Refresh}); err != nil || got.status != http.StatusForbidden {
		t.Errorf("a refresh after the end: %d %v", got.status, err)
	}
	if got, err := c.post(s.URL+loginAt+"/refresh", map[string]string{"token": "hpr_nonsense"}); err != nil || got.status != http.StatusUnauthorized {
		t.Errorf("a token that is none: %d %v", got.status, err)
	}
}

// Whatever happens between asking and sending, the mail arrives, and once.
func TestAMailSurvivesTheProcessThatShouldSendIt(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	talking := make(chan net.Conn, 8)
	go func() {
		for {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			talking <- conn
		}
	}()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	for name, tt := range map[string]struct {
		addr string
		// wait is how long another process leaves the job to the dead one.
		wait time.Duration
	}{
		"while the mail server is down":     {nobody, 15 * time.Second},
		"in the middle of the conversation": {silent.Addr().String(), 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, box := sqliteFile(t), mailbox.Start(t, nil)
			rules := guardedBy(t, loginRules)
			app := newUpstream(t).URL
			args := []string{"--upstream", app, "--config", rules, "--login-allow", "*@example.com", "--mail"}
			s := startServeOn(t, store, nil, append(args, "smtp://"+tt.addr+"?from="+sender)...)
			c := newClient()
			defer c.close()
			if got, err := c.post(s.URL+loginAt+"/code", map[string]string{"email": "ada@example.com"}); err != nil || got.status != http.StatusNoContent {
				t.Fatalf("asking for a mail: %d %v", got.status, err)
			}
			if tt.addr == silent.Addr().String() {
				defer (<-talking).Close()
			}
			s.kill(t)
			addr := mustURL(t, s.URL).Host
			again := startServeOn(t, store, nil, append(append(args, box.DSN(sender)), "--addr", addr)...)
			for deadline := time.Now().Add(tt.wait); len(box.Messages()) == 0; time.Sleep(50 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("no mail after %v: %s", tt.wait, again.stderr)
				}
			}
			got, err := c.post(again.URL+loginAt, map[string]string{"email": "ada@example.com", "code": letters(t, box, "ada@example.com", 1)[0].code})
			if err != nil || got.status != http.StatusOK {
				t.Errorf("its code: %d %v", got.status, err)
			}
			time.Sleep(3 * time.Second)
			if n := len(box.Messages()); n != 1 {
				t.Errorf("%d mails", n)
			}
		})
	}
}

// strangers guess an address's code from so many networks, each with a login of
// its own, at two processes, and say how each was answered.
func strangers(t *testing.T, address string, sites []string, networks int) map[int]int {
	t.Helper()
	guessers := make([]*client, 250)
	for i := range guessers {
		guessers[i] = newClient()
		guessers[i].http.Jar = nil
		defer guessers[i].close()
	}
	from := func(i int) string { return fmt.Sprintf("10.%d.%d.7", i/256, i%256) }
	flows := make([]string, networks)
	each := func(do func(c *client, i int) error) {
		var all sync.WaitGroup
		for g, c := range guessers {
			all.Go(func() {
				for i := g; i < networks; i += len(guessers) {
					if err := do(c, i); err != nil {
						t.Errorf("stranger %d: %v", i, err)
						return
					}
				}
			})
		}
		all.Wait()
	}
	each(func(c *client, i int) error {
		got, err := c.post(sites[i%2]+loginAt+"/code", map[string]string{"email": address}, "X-Forwarded-For", from(i))
		if err == nil && got.status != http.StatusNoContent {
			err = fmt.Errorf("asking: %d %s", got.status, got.body)
		}
		flows[i] = got.header.Get("Hallpass-Flow")
		return err
	})
	var mu sync.Mutex
	seen := map[int]int{}
	each(func(c *client, i int) error {
		got, err := c.post(sites[(i+1)%2]+loginAt, map[string]string{"email": address, "code": fmt.Sprintf("%06d", i)},
			"X-Forwarded-For", from(i), "Hallpass-Flow", flows[i])
		if got.status == http.StatusTooManyRequests && got.header.Get("Retry-After") == "" {
			t.Error("turned away without Retry-After")
		}
		mu.Lock()
		defer mu.Unlock()
		seen[got.status]++
		return err
	})
	return seen
}

func TestTwoProcessesOnOneFileAreOneDoor(t *testing.T) {
	t.Parallel()
	store, box := sqliteFile(t), mailbox.Start(t, nil)
	// The first wait after five failures is long, so that exactly five are looked at
	// however slow the machine is.
	args := []string{"--trusted-proxy", "127.0.0.1", "--trusted-proxy", "::1", "--login-limits-delay", "5m"}
	one := startLogin(t, store, box, nil, args...)
	two := startLogin(t, store, box, nil, append(args, "--base-url", one.URL)...)
	ada := newClient()
	defer ada.close()
	asked, err := ada.post(one.URL+loginAt+"/code", map[string]string{"email": "ada@example.com"})
	if err != nil || asked.status != http.StatusNoContent {
		t.Fatalf("%d %v", asked.status, err)
	}
	mail := letters(t, box, "ada@example.com", 1)[0]
	got, err := ada.post(two.URL+loginAt, map[string]string{"email": "ada@example.com", "code": mail.code}, "Hallpass-Flow", asked.header.Get("Hallpass-Flow"))
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("asked at one, entered at the other: %d %v", got.status, err)
	}

	const victim = "vic@example.com"
	asked, err = ada.post(one.URL+loginAt+"/code", map[string]string{"email": victim}, "Hallpass-Flow", "")
	if err != nil || asked.status != http.StatusNoContent {
		t.Fatalf("%d %v", asked.status, err)
	}
	own := letters(t, box, victim, 1)[0]
	seen := strangers(t, victim, []string{one.URL, two.URL}, 1000)
	if want := map[int]int{http.StatusForbidden: 5, http.StatusTooManyRequests: 995}; !maps.Equal(seen, want) {
		t.Errorf("answers by status %v, want %v", seen, want)
	}
	const wrong, blocked = `hallpass_login_refusals_total{reason="bad_signature"}`, `hallpass_login_blocked_total{what="account"}`
	t.Logf("looked at: %s and %s; turned away: %s and %s", one.metric(t, wrong), two.metric(t, wrong), one.metric(t, blocked), two.metric(t, blocked))

	// The right code has to wait like any other; the link never does.
	got, err = ada.post(two.URL+loginAt, map[string]string{"email": victim, "code": own.code}, "Hallpass-Flow", asked.header.Get("Hallpass-Flow"))
	if err != nil || got.status != http.StatusTooManyRequests {
		t.Errorf("the owner's code meanwhile: %d %v", got.status, err)
	}
	if got, err := ada.post(two.URL+loginAt+"/link", map[string]string{"token": own.token}); err != nil || got.status != http.StatusOK {
		t.Errorf("the owner's link: %d %v", got.status, err)
	}
}

// Nobody learns from an answer, or its time, who has an account.
func TestKnownAndUnknownAddressesLookAlike(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	s := startLogin(t, sqliteFile(t), box, nil, "--login-limits-resend", "0s", "--login-limits-account-sends", "-1", "--login-limits-network-sends", "-1")
	c := newClient()
	c.http.Jar = nil
	defer c.close()
	known, unknown := "ada@example.com", "eve@example.org"
	shape := func(address string) string {
		got, err := c.post(s.URL+loginAt+"/code", map[string]string{"email": address})
		if err != nil {
			t.Fatal(err)
		}
		lines := []string{fmt.Sprint(got.status, got.body)}
		for name, values := range got.header {
			switch name {
			case "Date":
				continue
			case "Hallpass-Flow", "Set-Cookie", "X-Request-Id": // random, of one length
				lines = append(lines, fmt.Sprint(name, len(values[0]), len(values)))
			default:
				lines = append(lines, fmt.Sprint(name, values))
			}
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	if a, b := shape(known), shape(unknown); a != b {
		t.Errorf("known:\n%s\nunknown:\n%s", a, b)
	}
	var ratios []float64
	for attempt := range 5 { // a busy machine disturbs one or two of them
		var took [2]time.Duration
		const rounds = 1000
		for i := range 2 * rounds {
			which := (i + i/2) % 2 // each comes first as often
			began := time.Now()
			shape([]string{known, unknown}[which])
			took[which] += time.Since(began)
		}
		ratios = append(ratios, float64(took[0])/float64(took[1]))
		t.Logf("attempt %d: known %v, unknown %v on average, ratio %.3f", attempt+1, took[0]/rounds, took[1]/rounds, ratios[attempt])
	}
	slices.Sort(ratios)
	if median := ratios[2]; median <= 0.9 || median >= 1.1 {
		t.Errorf("the times tell: ratios %.3f", ratios)
	}
	for _, m := range box.Messages() {
		if m.To == unknown {
			t.Fatal("a mail went to an address that may not log in")
		}
	}
}

// Codes and tokens of logins stand nowhere in clear.
func TestNoSecretOfALoginIsInAnyOutput(t *testing.T) {
	t.Parallel()
	traces := newCollector(t)
	store, box := sqliteFile(t), mailbox.Start(t, nil)
	// Ten digits occur nowhere by chance.
	s := startLogin(t, store, box, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + traces.URL}, "--login-code-digits", "10", "--log-level", "debug", "--login-limits-resend", "0s")
	c, b := newClient(), newClient()
	defer c.close()
	defer b.close()
	secrets := map[string]string{}
	pair := logIn(t, c, s.URL, box, "ada@example.com")
	secrets["the access token"], secrets["the refresh token"] = pair.Access, pair.Refresh
	got, err := c.post(s.URL+loginAt+"/refresh", map[string]string{"token": pair.Refresh})
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("a refresh: %d %v", got.status, err)
	}
	// A login by pages, by link on another device, with wrong codes and nonsense between.
	if got, err := b.form(s.URL+loginAt+"/code", url.Values{"email": {"bob@example.com"}, "next": {"/notes"}}); err != nil || got.status != http.StatusSeeOther {
		t.Fatalf("%d %v", got.status, err)
	}
	for _, cookie := range b.http.Jar.Cookies(mustURL(t, s.URL)) {
		if strings.Contains(cookie.Name, "hallpass") {
			secrets["the cookie "+cookie.Name] = cookie.Value
		}
	}
	mail := letters(t, box, "bob@example.com", 1)[0]
	secrets["the code"], secrets["the link's token"] = mail.code, mail.token
	wrong := wrongFor(mail.code)
	secrets["the wrong code"] = wrong
	b.form(s.URL+loginAt, url.Values{"code": {wrong}})
	other := newClient()
	defer other.close()
	other.open(mail.link)
	shown, err := other.form(s.URL+loginAt+"/link", url.Values{"token": {mail.token}, "step": {"code"}})
	handOver := regexpCode(shown.body)
	if err != nil || handOver == "" {
		t.Fatalf("no code for the other device: %d %v", shown.status, err)
	}
	secrets["the code for the other device"] = handOver
	other.open(mail.link + "x")
	other.post(s.URL+loginAt, map[string]string{"email": mail.token, "code": mail.code})
	other.post(s.URL+loginAt+"/logout", map[string]string{"token": pair.Refresh + "x"})
	other.do(http.MethodGet, s.URL+loginAt+"/claims", "", "Authorization", "Bearer "+pair.Access+"x")
	if got, err := b.form(s.URL+loginAt, url.Values{"code": {handOver}}); err != nil || got.header.Get("Location") != "/notes" {
		t.Errorf("the code typed where the login began: %d %v", got.status, err)
	}
	for _, cookie := range b.http.Jar.Cookies(mustURL(t, s.URL)) {
		secrets["the cookie "+cookie.Name] = cookie.Value
	}
	ops := newClient()
	defer ops.close()
	metrics, err := ops.do(http.MethodGet, s.OpsURL+"/metrics", "")
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{"the metrics": metrics.body}
	file := strings.TrimPrefix(store, "sqlite:")
	for _, name := range []string{file, file + "-wal"} {
		if content, err := os.ReadFile(name); err == nil {
			outputs[filepath.Base(name)] = string(content)
		}
	}
	s.stop(t)
	outputs["the log"], outputs["the output"], outputs["the traces"] = s.stderr.String(), s.stdout.String(), traces.text()
	if content, err := os.ReadFile(file); err == nil {
		outputs["the file afterwards"] = string(content)
	}
	if len(outputs["the traces"]) == 0 || !strings.Contains(outputs["the log"], "/.hallpass/login") {
		t.Error("there is nothing to search")
	}
	for place, text := range outputs {
		for name, secret := range secrets {
			for _, part := range append(strings.Split(secret, "."), strings.Split(secret, "-")...) {
				if len(part) >= 10 && strings.Contains(text, part) && !strings.HasPrefix(part, "eyJ") && !isID(part, secret) {
					t.Errorf("%s: holds %s", place, name)
				}
			}
		}
		if place != "passes.db" && place != "passes.db-wal" && place != "the file afterwards" && strings.Contains(text, "bob@example.com") {
			t.Errorf("%s: holds an address", place)
		}
	}
	t.Logf("searched %d outputs for %d secrets", len(outputs), len(secrets))
}

// isID reports whether a part of a flow or link token is the flow's id, which
// names its row and is worth nothing alone.
func isID(part, secret string) bool {
	pieces := strings.Split(secret, "-")
	return len(pieces) == 3 && len(pieces[0]) == 1 && part == pieces[1]
}

func regexpCode(page string) string {
	_, rest, _ := strings.Cut(page, `<p class="code-shown"`)
	_, rest, _ = strings.Cut(rest, "<code>")
	code, _, _ := strings.Cut(rest, "</code>")
	return code
}

func TestOthersVerifyAccessTokensByTheKeysAlone(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	s := startLogin(t, sqliteFile(t), box, nil)
	c := newClient()
	defer c.close()
	pair := logIn(t, c, s.URL, box, "ada@example.com")
	keys := s.URL + "/.well-known/jwks.json"
	say := func(t *testing.T, dir, program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", filepath.Base(program), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	t.Run("PyJWT", func(t *testing.T) {
		python := needs.Python(t, "jwt", "cryptography")
		const program = `
import sys, jwt
url, issuer, token = sys.argv[1:]
key = jwt.PyJWKClient(url).get_signing_key_from_jwt(token)
claims = jwt.decode(token, key.key, algorithms=["EdDSA"], audience=issuer, issuer=issuer, leeway=1, options={"require": ["exp", "iat", "jti", "sub"]})
print(jwt.get_unverified_header(token)["typ"], claims["sub"], claims["email"], claims["client_id"])
head, body, signature = token.split(".")
try:
    jwt.decode(head + "." + body + "." + signature[::-1], key.key, algorithms=["EdDSA"], audience=issuer)
    print("a forged token passed")
except jwt.InvalidTokenError:
    pass
`
		if got := say(t, t.TempDir(), python, "-c", program, keys, s.URL, pair.Access); got != "at+jwt ada@example.com ada@example.com hallpass" {
			t.Error(got)
		}
	})
	t.Run("jose", func(t *testing.T) {
		node, dir := needs.Node(t, "jose@6.2.17")
		const program = `
import { createRemoteJWKSet, jwtVerify } from "jose";
const [url, issuer, token] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(url));
const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer, audience: issuer, typ: "at+jwt", requiredClaims: ["exp", "jti", "sub"] });
console.log(protectedHeader.typ, payload.sub, payload.email, payload.client_id);
const [head, body, signature] = token.split(".");
await jwtVerify([head, body, [...signature].reverse().join("")].join("."), keys).then(() => console.log("a forged token passed"), () => {});
`
		if err := os.WriteFile(filepath.Join(dir, "verify.js"), []byte(program), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := say(t, dir, node, "verify.js", keys, s.URL, pair.Access); got != "at+jwt ada@example.com ada@example.com hallpass" {
			t.Error(got)
		}
	})
}
