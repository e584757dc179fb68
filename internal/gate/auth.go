package gate

import (
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
)

// Auth serves the questions that proxies ask, each in its dialect. Only trusted
// proxies get an answer.
//
//	/auth/nginx      204, or 401/403: nginx knows nothing else
//	/auth/haproxy    the same
//	/auth/page       the answer for the browser, where the proxy could not pass it on
//	/auth/forward    Traefik, Caddy: 200, or the whole answer for the browser
//	/auth/envoy/…    the original request, as Envoy sends it
func (g *Gate) Auth() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		path := r.URL.Path // not by a mux: behind Envoy's prefix stands the client's own path
		switch {
		case !g.clients.Trusted(r):
			g.cfg.Logger.Warn("a question was refused, because its peer is none of the trusted proxies", "peer", r.RemoteAddr)
			g.guard.Refuse(w, r, errNoRule)
		case path == "/auth/nginx" || path == "/auth/haproxy":
			g.terse(w, r)
		case path == "/auth/forward":
			g.verbose(w, r)
		case path == "/auth/page":
			g.page(w, r)
		case strings.HasPrefix(path, envoyPrefix+"/"):
			g.envoy(w, r)
		default:
			g.guard.Refuse(w, r, errNoRule)
		}
	})
}

const envoyPrefix = "/auth/envoy"

// forwardedHeaders must occur once at most: a proxy that adds a line to a client's
// own would leave the choice to whoever reads it.
var forwardedHeaders = []string{"X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Proto"}

// asked rebuilds the client's request from what a trusted proxy says of it. What
// it does not say is not guessed: a missing method would be judged as a GET.
func (g *Gate) asked(r *http.Request) (*http.Request, bool) {
	for _, name := range forwardedHeaders {
		if len(r.Header.Values(name)) > 1 {
			return nil, false
		}
	}
	method, host, target := r.Header.Get("X-Forwarded-Method"), r.Header.Get("X-Forwarded-Host"), r.Header.Get("X-Forwarded-Uri")
	return g.rebuild(r, method, host, target)
}

func (g *Gate) rebuild(r *http.Request, method, host, target string) (*http.Request, bool) {
	if !strings.HasPrefix(target, "/") || host == "" {
		return nil, false
	}
	u, err := url.ParseRequestURI(target)
	if err != nil || u.Host != "" {
		return nil, false
	}
	out := (&http.Request{
		Method: method, URL: u, Host: host, RequestURI: target, Header: http.Header{}, Body: http.NoBody,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "0.0.0.0:0",
	}).WithContext(r.Context())
	for _, name := range []string{
		"Accept", "Accept-Language", "Authorization", "Cookie", "User-Agent", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest",
		"Sec-Fetch-User", // of somebody's press
		"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz",
	} {
		if values := r.Header.Values(name); len(values) > 0 {
			out.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	for name, values := range r.Header {
		if slices.Contains(overrides, plainName(name)) {
			out.Header[name] = values
		}
	}
	if addr := g.clients.Of(r); addr.IsValid() {
		out.RemoteAddr = net.JoinHostPort(addr.String(), "0")
	}
	return out, true
}

// requestID is what a trusted proxy calls the client's request.
func requestID(r *http.Request) string {
	ids := r.Header.Values("X-Request-Id")
	if len(ids) != 1 || len(ids[0]) < 8 || len(ids[0]) > 128 {
		return ""
	}
	return ids[0]
}

// requestKey names one client request: by the proxy's id, and by what it asks, so
// that an id a client managed to choose opens nothing else.
func requestKey(r *http.Request, v *visit) string {
	if v.requestID == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{v.requestID, r.Method, v.host, r.URL.RequestURI()}, "\x00")))
	return "request:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// useKey is the rules' Options.UseKey.
func useKey(r *http.Request) string {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	if v == nil {
		return ""
	}
	return requestKey(r, v)
}

// verdict is what a decision came to.
type verdict struct {
	allowed bool
	who     identity
	answer  buffer // the denial, for the browser
}

// decide runs a client's request through the gate with nobody listening.
func (g *Gate) decide(r *http.Request, id string) *verdict {
	d := &verdict{answer: buffer{header: http.Header{}}}
	g.serve(&d.answer, r, &visit{requestID: id, tickets: true, allow: func(_ http.ResponseWriter, _ *http.Request, who identity) {
		d.allowed, d.who = true, who
	}})
	return d
}

// terse answers nginx and HAProxy. A link is never let in here: the page that
// follows asks first, or exchanges it for a ticket, and counts once.
func (g *Gate) terse(w http.ResponseWriter, r *http.Request) {
	out, ok := g.asked(r)
	if !ok {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if rule, _, _ := g.locate(out); rule != nil && rule.handler != nil && hasToken(out) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	d := g.decide(out, requestID(r))
	switch {
	case d.allowed:
		g.describe(w.Header(), d.who)
		w.Header().Set("X-Hallpass-Cookie", g.withoutOurs(out.Header["Cookie"]))
		w.Header().Set("X-Hallpass-Authorization", authorizationFor(out.Header, d.who))
		w.WriteHeader(http.StatusNoContent)
	case d.answer.status == http.StatusForbidden || d.answer.status >= 500:
		w.WriteHeader(d.answer.status)
	default:
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// page shows the browser what terse could not.
func (g *Gate) page(w http.ResponseWriter, r *http.Request) {
	out, ok := g.asked(r)
	if !ok {
		g.guard.Refuse(w, r, errNoRule)
		return
	}
	if rule, _, _ := g.locate(out); rule == nil || rule.handler == nil || !hasToken(out) {
		// The question was answered with no; asking again must not take a ticket or
		// count a use, so only what a request without credentials would see is shown.
		// A bad bearer token gets its reason by being judged alone.
		g.showDenial(w, out)
		return
	}
	d := g.decide(out, requestID(r))
	if d.allowed { // public meanwhile
		g.guard.Refuse(w, out, hallpass.RefusalMissing)
		return
	}
	d.answer.copyTo(w, d.answer.status)
}

// showDenial tells why a request without a link was turned away.
func (g *Gate) showDenial(w http.ResponseWriter, out *http.Request) {
	found, host, path := g.locate(out)
	if found != nil && found.Access == AccessLogin {
		g.servePerson(w, out, &visit{route: found, host: host, path: path, allow: func(w http.ResponseWriter, r *http.Request, _ identity) {
			g.guard.Refuse(w, r, errNoRule) // the proxy's own denial, or let in meanwhile
		}})
		return
	}
	if found == nil || found.Access == AccessPublic { // public: the proxy's own denial, such as nginx's of a directory
		g.guard.Refuse(w, out, errNoRule)
		return
	}
	if scheme, text, _ := strings.Cut(strings.TrimSpace(out.Header.Get("Authorization")), " "); strings.EqualFold(scheme, "Bearer") {
		g.showBearer(w, out, found.Rule, hallpass.NewToken(strings.TrimSpace(text)))
		return
	}
	if s, err := g.passes.Of(out); err != nil {
		g.guard.Refuse(w, out, err)
		return
	} else if s != nil && found.takes(s.Pass) && !g.byOwnPage(out) {
		g.guard.Refuse(w, out, hallpass.RefusalNeedsConfirmation)
		return
	} else if s != nil && found.takes(s.Pass) {
		g.guard.Refuse(w, out, hallpass.RefusalNotGranted)
		return
	}
	g.guard.Refuse(w, out, hallpass.RefusalMissing)
}

// showBearer tells why a bearer token was turned away. It is looked at before it
// is presented again, so that no use is counted here.
func (g *Gate) showBearer(w http.ResponseWriter, out *http.Request, rule Rule, token hallpass.Token) {
	signedIn, err := g.signedIn(out)
	if err == nil {
		_, _, err = g.cfg.Issuer.Check(out.Context(), hallpass.Presentation{
			Token: token, Scope: rule.Scope, Modes: rule.Modes, SignedIn: signedIn,
			Method: out.Method, Path: out.URL.EscapedPath(), Target: out.URL.RequestURI(),
		})
	}
	if err == nil {
		err = hallpass.ErrUnavailable // turned away a moment ago, good now: try again
	}
	if _, refused := hallpass.RefusalOf(err); refused {
		if d := g.decide(out, ""); !d.allowed {
			d.answer.copyTo(w, d.answer.status)
			return
		}
		err = hallpass.ErrUnavailable
	}
	g.guard.Refuse(w, out, err)
}

// verbose answers Traefik and Caddy, which pass a denial on as it is.
func (g *Gate) verbose(w http.ResponseWriter, r *http.Request) {
	out, ok := g.asked(r)
	if !ok {
		g.guard.Refuse(w, r, errNoRule)
		return
	}
	d := g.decide(out, requestID(r))
	if to := d.answer.header.Get("Location"); strings.HasPrefix(to, "/") {
		// Traefik would complete a relative one with our own address.
		scheme := "http"
		if g.secure {
			scheme = "https"
		}
		d.answer.header.Set("Location", scheme+"://"+out.Host+to)
	}
	g.answer(w, out, d)
}

// envoy answers ext_authz over HTTP: the path behind our prefix is the client's,
// method, host and headers too.
func (g *Gate) envoy(w http.ResponseWriter, r *http.Request) {
	out, ok := g.rebuild(r, r.Method, r.Host, strings.TrimPrefix(r.RequestURI, envoyPrefix))
	if !ok {
		g.guard.Refuse(w, r, errNoRule)
		return
	}
	d := g.decide(out, requestID(r))
	if d.allowed {
		w.Header().Set("X-Envoy-Auth-Headers-To-Remove", strings.Join(g.unsaid(out, d.who), ", "))
	}
	g.answer(w, out, d)
}

// unsaid names the headers that answer sets to nothing. Envoy would pass them on
// empty, unless it is told to remove them (CheckResponse, headers_to_remove).
func (g *Gate) unsaid(out *http.Request, who identity) (names []string) {
	for _, pair := range append(g.cfg.Identity.values(who),
		[2]string{"Cookie", g.withoutOurs(out.Header["Cookie"])}, [2]string{"Authorization", authorizationFor(out.Header, who)}) {
		if pair[1] == "" {
			names = append(names, strings.ToLower(pair[0]))
		}
	}
	return names
}

// answer allows with 200 and the headers the application gets, or passes the
// denial on. A page with status 200 is a denial still, so it goes as 403.
func (g *Gate) answer(w http.ResponseWriter, out *http.Request, d *verdict) {
	if !d.allowed {
		status := d.answer.status
		if status < 300 {
			status = http.StatusForbidden
		}
		d.answer.copyTo(w, status)
		return
	}
	g.describe(w.Header(), d.who)
	w.Header().Set("Cookie", g.withoutOurs(out.Header["Cookie"]))
	w.Header().Set("Authorization", authorizationFor(out.Header, d.who))
	w.WriteHeader(http.StatusOK)
}

// describe sets every identity header, empty where there is nothing to say.
func (g *Gate) describe(h http.Header, who identity) {
	for _, pair := range g.cfg.Identity.values(who) {
		h.Set(pair[0], pair[1])
	}
}

// hasToken reports whether a request's query has anything under our parameter.
func hasToken(r *http.Request) bool {
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err != nil || decoded == hallpass.DefaultParam {
			return true
		}
	}
	return false
}

// Steps serves the reserved prefix on a protected host: the forms of our pages
// post there, with bodies, which forward-auth never sees.
func (g *Gate) Steps() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		step := strings.TrimPrefix(r.URL.Path, g.cfg.Prefix+"/")
		if step == "login" || strings.HasPrefix(step, "login/") || step == "logout" {
			g.servePages(w, r, step)
			return
		}
		page, err := url.ParseRequestURI(r.URL.Query().Get("page"))
		if err != nil || page.Host != "" || !strings.HasPrefix(page.Path, "/") || strings.HasPrefix(page.Path, "//") ||
			r.Method != http.MethodPost || step != "confirm" && step != "fresh" {
			g.guard.Refuse(w, r, errNoRule)
			return
		}
		host := g.publicHost(r)
		target := guard.StepTarget(page.RequestURI(), step)
		out, ok := g.rebuild(r, http.MethodPost, host, target)
		if !ok {
			g.guard.Refuse(w, r, errNoRule)
			return
		}
		out.Body, out.ContentLength = r.Body, r.ContentLength
		out.Header.Set("Content-Type", r.Header.Get("Content-Type"))
		g.serveStep(w, out)
	})
}

// publicHost is the host that the browser asked.
func (g *Gate) publicHost(r *http.Request) string {
	if forwarded := r.Header.Values("X-Forwarded-Host"); g.clients.Trusted(r) && len(forwarded) == 1 {
		return forwarded[0]
	}
	return r.Host
}

// serveStep finds the rule of the GET that the page was for.
func (g *Gate) serveStep(w http.ResponseWriter, r *http.Request) {
	v := &visit{tickets: true, allow: func(w http.ResponseWriter, r *http.Request, _ identity) {
		g.guard.Refuse(w, r, hallpass.RefusalMalformed)
	}}
	get := r.Clone(r.Context())
	get.Method = http.MethodGet
	v.route, v.host, v.path = g.locate(get)
	if v.route == nil || v.route.handler == nil {
		g.guard.Refuse(w, r, errNoRule)
		return
	}
	v.route.handler.ServeHTTP(w, withVisit(r, v))
}
