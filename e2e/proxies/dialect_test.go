package proxies_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
)

// Traefik and Envoy are no Debian packages. What they send, and what they make of
// the answer, is written here from their sources:
//
//   - Traefik 3, pkg/middlewares/auth/forward.go, ServeHTTP and writeHeader
//   - Envoy 1.29, source/extensions/filters/common/ext_authz/ext_authz_http_impl.cc,
//     RawHttpClientImpl::check and toResponse, and source/common/http/async_client_impl.cc

// asker asks hallpass about a request as a proxy does and returns the answer, or
// the headers the application would get.
type asker struct {
	name string
	ask  func(t testing.TB, w *world, method, target, client string, header http.Header) (answer, http.Header)
}

var askers = []asker{{"traefik", askAsTraefik}, {"envoy", askAsEnvoy}}

// hopHeaders is Traefik's list of what it does not pass on.
var hopHeaders = []string{"Connection", "Keep-Alive", "Te", "Trailers", "Transfer-Encoding", "Upgrade"}

// askAsTraefik: a GET without a body, the client's headers but the hop-by-hop ones,
// and six X-Forwarded-* of its own. On 2xx authResponseHeaders are removed from the
// request and set from the answer; so is what matches authResponseHeadersRegex.
// Anything else goes to the client, a relative Location completed with our address.
func askAsTraefik(t testing.TB, w *world, method, target, client string, header http.Header) (answer, http.Header) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, w.auth.URL+"/auth/forward", nil)
	if err != nil {
		t.Fatal(err)
	}
	clean := header.Clone()
	config, err := os.ReadFile(filepath.Join("..", "..", "examples", "traefik", "dynamic.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, removed := range regexp.MustCompile(`(?m)^          (\S+): ""$`).FindAllStringSubmatch(string(config), -1) {
		clean.Del(removed[1]) // middleware client-headers
	}
	for name := range clean {
		if strings.HasPrefix(name, "X-Forwarded-") {
			clean.Del(name) // the entry point
		}
	}
	req.Header = clean.Clone()
	for name := range strings.SplitSeq(header.Get("Connection"), ",") {
		req.Header.Del(strings.TrimSpace(name))
	}
	for _, name := range hopHeaders {
		req.Header.Del(name)
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header.Set("User-Agent", "")
	}
	req.Header.Set("X-Forwarded-For", client)
	req.Header.Set("X-Forwarded-Method", method)
	req.Header.Set("X-Forwarded-Proto", "http")
	req.Header.Set("X-Forwarded-Port", "80")
	req.Header.Set("X-Forwarded-Host", host)
	req.Header.Set("X-Forwarded-Uri", target)
	resp, a := roundTrip(t, req)
	if a.status < 200 || a.status > 299 {
		if to, err := resp.Location(); err == nil {
			a.header.Set("Location", to.String())
		}
		return a, nil
	}
	for _, name := range []string{"Cookie", "Authorization"} {
		clean.Del(name)
		if values := a.header.Values(name); len(values) > 0 {
			clean[name] = values
		}
	}
	pattern := regexp.MustCompile(`(?i)^x[-_]hallpass[-_]`)
	for name := range clean {
		if pattern.MatchString(name) {
			clean.Del(name)
		}
	}
	for name, values := range a.header {
		if pattern.MatchString(name) {
			clean[name] = values
		}
	}
	return a, clean
}

// askAsEnvoy: the client's method, host and path behind the prefix, no body but
// "content-length: 0", Authorization and the allowed headers; the client Envoy asks
// with adds x-envoy-internal and its own address to x-forwarded-for. Only 200
// allows; then allowed_upstream_headers are set over the client's. 5xx is an error.
func askAsEnvoy(t testing.TB, w *world, method, target, client string, header http.Header) (answer, http.Header) {
	t.Helper()
	asked := []string{
		method + " /auth/envoy" + target + " HTTP/1.1", "host: " + host, "content-length: 0",
		"x-envoy-internal: true", "x-forwarded-for: " + client + ",127.0.0.1", "x-forwarded-proto: http",
	}
	clean := header.Clone()
	for name := range clean {
		if strings.Contains(name, "_") {
			clean.Del(name) // headers_with_underscores_action
		}
	}
	for _, name := range []string{"X-Request-Id", "X-Forwarded-For", "X-Forwarded-Proto"} {
		clean.Del(name) // made anew, or appended to
	}
	for name, values := range clean {
		switch lower := strings.ToLower(name); {
		case lower == "authorization", lower == "cookie", lower == "accept", lower == "user-agent", lower == "origin",
			lower == "purpose", lower == "x-purpose", lower == "x-moz", strings.HasPrefix(lower, "sec-"),
			lower == "x-http-method", lower == "x-http-method-override", lower == "x-method-override":
			asked = append(asked, lower+": "+strings.Join(values, ","))
		}
	}
	a, err := exchangeFrom(&front{addr: listenAddr(w.auth)}, "127.0.0.1", strings.Join(asked, "\r\n")+"\r\n\r\n", method)
	if err != nil {
		t.Fatal(err)
	}
	if a.status != http.StatusOK {
		return a, nil
	}
	for name, values := range a.header {
		if lower := strings.ToLower(name); lower == "cookie" || lower == "authorization" || strings.HasPrefix(lower, "x-hallpass-") {
			clean[name] = values
		}
	}
	for name := range strings.SplitSeq(a.header.Get("X-Envoy-Auth-Headers-To-Remove"), ", ") {
		clean.Del(name)
	}
	config, err := os.ReadFile(filepath.Join("..", "..", "examples", "envoy", "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, removed := range regexp.MustCompile(`(?m)^ {24}- ([a-z-]+)$`).FindAllStringSubmatch(string(config), -1) {
		clean.Del(removed[1]) // request_headers_to_remove, by the router, after ext_authz
	}
	return a, clean
}

// roundTrip sends a request from the trusted address.
func roundTrip(t testing.TB, req *http.Request) (*http.Response, answer) {
	t.Helper()
	transport := &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: waitTime}).DialContext(ctx, "tcp", req.URL.Host)
	}}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport, Timeout: waitTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, answer{resp.StatusCode, resp.Header.Clone(), string(body)}
}

func TestTraefikAndEnvoyGetTheSameVerdicts(t *testing.T) {
	t.Parallel()
	w := common(t)
	for _, p := range askers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			reports := func(uses int64) string {
				return bearer(w.token(t, hallpass.Spec{Scope: "reports", Mode: hallpass.ModeRequest, Subject: "greta", MaxUses: uses}))
			}
			once := reports(1)
			for _, c := range []struct {
				name, method, target string
				headers              []string
				status               int
				text                 string // the subject where allowed, else in the body
			}{
				{"a bearer token", "GET", "/reports/1?x=%41", []string{reports(hallpass.Unlimited)}, 200, "greta"},
				{"another method", "PATCH", "/reports/1", []string{reports(hallpass.Unlimited)}, 200, "greta"},
				{"a single use", "GET", "/reports", []string{once, "X-Request-Id: chosen-by-the-client"}, 200, "greta"},
				{"a single use again", "GET", "/reports", []string{once, "X-Request-Id: chosen-by-the-client"}, 401, "spent"},
				{"nothing", "GET", "/reports", nil, 401, "bad_signature"},
				{"spoofed headers", "GET", "/reports", spoofed, 401, "bad_signature"},
				{"a public path", "GET", "/open", spoofed, 200, ""},
				{"another scope", "GET", "/rsvp", []string{reports(hallpass.Unlimited)}, 403, "wrong_scope"},
				{"an ambiguous path", "GET", "/open/..%2freports", []string{reports(hallpass.Unlimited)}, 403, "not_granted"},
				{"dot segments", "GET", "/open/../reports", []string{reports(hallpass.Unlimited)}, 403, "not_granted"},
				{"two slashes", "GET", "//open", nil, 403, "not_granted"},
				{"no rule", "GET", "/elsewhere", nil, 403, "not_granted"},
			} {
				header := http.Header{"Accept": {"application/json"}, "Cookie": {"app=1; hallpass-session=AAAAAAAAAAAAAAAAAAAAAAAAAA"}}
				for _, line := range c.headers {
					name, value, _ := strings.Cut(line, ": ")
					header.Add(name, value)
				}
				a, upstream := p.ask(t, w, c.method, c.target, clientAddr, header)
				if a.status != c.status || c.status != 200 && !strings.Contains(a.body, c.text) {
					t.Errorf("%s: got %d, want %d %q: %s", c.name, a.status, c.status, c.text, a.body)
				}
				if c.status != 200 || upstream == nil {
					continue
				}
				if upstream.Get("X-Hallpass-Subject") != c.text || upstream.Get("Cookie") != "app=1" || upstream.Get("Authorization") != "" {
					t.Errorf("%s: the application would get %v", c.name, upstream)
				}
				for _, name := range []string{"Subject", "Scope", "Mode", "Pass", "Data"} {
					if len(a.header.Values("X-Hallpass-"+name)) != 1 {
						t.Errorf("%s: X-Hallpass-%s is not in the answer", c.name, name)
					}
				}
				noEvil(t, echo{Header: upstream})
				for name, values := range upstream {
					if p.name == "envoy" && slices.Contains(values, "") {
						t.Errorf("%s: the application would get an empty %s", c.name, name)
					}
				}
			}
		})
	}
}

func TestALinkBehindTraefikAndEnvoy(t *testing.T) {
	t.Parallel()
	w := common(t)
	for _, p := range askers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			issued := w.issue(t, w.issuer, hallpass.Spec{Scope: "rsvp", Mode: hallpass.ModeRequest, Subject: "ivo", MaxUses: 1})
			page := http.Header{"Accept": {"text/html"}}
			asked, _ := p.ask(t, w, "GET", "/rsvp?x=1&rt="+issued.Token.Reveal(), clientAddr, page)
			if asked.status != 403 || !strings.Contains(asked.body, "<form") {
				t.Fatalf("the page with the button: %d\n%s", asked.status, asked.body)
			}
			// The prefix is routed to hallpass, with X-Forwarded-* and the body.
			cookie := strings.Split(asked.header.Get("Set-Cookie"), ";")[0]
			form := url.Values{}
			for _, h := range hiddenPattern.FindAllStringSubmatch(asked.body, -1) {
				form.Set(h[1], h[2])
			}
			to := strings.ReplaceAll(formPattern.FindStringSubmatch(asked.body)[1], "&amp;", "&")
			post, err := http.NewRequest("POST", w.auth.URL+to, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			post.Host = host
			post.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {cookie}, "Accept": {"text/html"},
				"X-Forwarded-For": {clientAddr}, "X-Forwarded-Host": {host}, "X-Forwarded-Proto": {"http"}}
			_, pressed := roundTrip(t, post)
			if got := moved(t, pressed); got != "/rsvp?x=1" {
				t.Fatalf("moved to %s", got)
			}
			page.Set("Cookie", strings.Split(pressed.header.Get("Set-Cookie"), ";")[0])
			a, upstream := p.ask(t, w, "GET", "/rsvp?x=1", clientAddr, page)
			if a.status != 200 || upstream.Get("X-Hallpass-Subject") != "ivo" || upstream.Get("Cookie") != "" {
				t.Fatalf("with the ticket: %d %v\n%s", a.status, upstream, a.body)
			}
			if a, _ := p.ask(t, w, "GET", "/rsvp?x=1", clientAddr, page); a.status == 200 {
				t.Error("the ticket was good twice")
			}
			// A link that asks nothing moves on within the protected host.
			public := w.token(t, hallpass.Spec{Scope: "rsvp", MaxUses: hallpass.Unlimited})
			a, _ = p.ask(t, w, "GET", "/rsvp?rt="+public, clientAddr, http.Header{"Accept": {"text/html"}})
			if got := moved(t, a); got != "/rsvp" {
				t.Errorf("moved to %s", got)
			}
		})
	}
}

// What the dialects above take from examples/ must be what stands there.
func TestTheConfigurationsOfTraefikAndEnvoySayWhatTheDialectsDo(t *testing.T) {
	t.Parallel()
	for name, wanted := range map[string][]string{
		"traefik/dynamic.yaml": {"/auth/forward", "trustForwardHeader: false", "[Cookie, Authorization]", `(?i)^x[-_]hallpass[-_]`, `X-Request-Id: ""`, "PathPrefix(`/.hallpass/`)",
			"HeaderRegexp(`Upgrade`, `(?i)^websocket$`)", `HTTP2-Settings: ""`, `Connection: ""`, `Upgrade: ""`, "[client-headers, no-upgrade, hallpass]", "[client-headers, no-upgrade]"},
		"envoy/envoy.yaml": {"path_prefix: /auth/envoy", "failure_mode_allow: false", "DROP_HEADER", "use_remote_address: true", "code: ServiceUnavailable",
			"exact: cookie", "exact: authorization", "prefix: x-hallpass-", `prefix: "/.hallpass/"`, "exact: x-forwarded-for"},
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", "examples", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range wanted {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s does not say %s", name, part)
			}
		}
	}
}
