package login

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Cookies are the names and attributes of the cookies. All of them are HttpOnly.
// The zero value of each field is a good default.
type Cookies struct {
	// Access, Refresh and Flow name the cookies with the access token, the refresh
	// token and what binds a login to the browser that began it. They default to
	// "hallpass-access", "hallpass-refresh" and "hallpass-login", with the prefix
	// __Host- where TLS and the other attributes allow it, else __Secure- where
	// there is TLS (RFC 6265bis section 4.1.3). A name that is given is taken as it
	// is.
	Access, Refresh, Flow string
	// Domain is that of the access and refresh cookies, for applications on several
	// hosts below it; each of those hosts can then read and replace them. Defaults
	// to the login's host alone.
	Domain string
	// Path is the access cookie's; the refresh cookie goes to Config.Path alone.
	// Defaults to "/".
	Path string
	// SameSite is that of the access and refresh cookies. None needs Secure, and
	// Strict logs out whoever follows a link from elsewhere. Defaults to Lax.
	SameSite http.SameSite
	// Secure says that browsers come over TLS although no origin says https. With an
	// origin that does, cookies are Secure anyway.
	Secure bool
}

func (c Cookies) withDefaults() Cookies {
	def(&c.Path, "/")
	def(&c.SameSite, http.SameSiteLaxMode)
	return c
}

var (
	cookieToken  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")
	cookieDomain = regexp.MustCompile(`^\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
)

func (c Cookies) validate(origins []string) error {
	secure := c.Secure || !hasPlain(origins)
	names := map[string]bool{}
	for _, name := range []struct {
		field, name string
		path        string
		domain      bool
	}{
		{"http.cookies.access", c.Access, c.Path, true},
		{"http.cookies.refresh", c.Refresh, "", true},
		{"http.cookies.flow", c.Flow, "/", false},
	} {
		lower := strings.ToLower(name.name)
		switch {
		case name.name == "":
			continue
		case !cookieToken.MatchString(name.name):
			return wrong(name.field, "is no cookie name")
		case names[lower]:
			return wrong(name.field, "is the name of another cookie")
		case strings.HasPrefix(lower, "__host-") && (!secure || name.path != "/" || name.domain && c.Domain != ""):
			return wrong(name.field, "begins with __Host-, which needs https, the path / and no domain")
		case strings.HasPrefix(lower, "__secure-") && !secure:
			return wrong(name.field, "begins with __Secure-, which needs https")
		}
		names[lower] = true
	}
	switch {
	case c.Domain != "" && !cookieDomain.MatchString(c.Domain):
		return wrong("http.cookies.domain", "must be a domain such as example.com")
	case !strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, ";, \t\r\n"):
		return wrong("http.cookies.path", "must be a path such as /")
	case c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode && c.SameSite != http.SameSiteNoneMode:
		return wrong("http.cookies.same_site", "must be Lax, Strict or None")
	case c.SameSite == http.SameSiteNoneMode && !secure:
		return wrong("http.cookies.same_site", "None needs https")
	}
	return nil
}

func hasPlain(origins []string) bool {
	for _, origin := range origins {
		if !strings.HasPrefix(origin, "https:") {
			return true
		}
	}
	return false
}

// prefixed is a default name under the strongest promise that its attributes allow.
func prefixed(name string, secure, host bool) string {
	switch {
	case secure && host:
		return "__Host-" + name
	case secure:
		return "__Secure-" + name
	}
	return name
}

// jar is the cookies of one request.
type jar struct {
	l      *Login
	r      *http.Request
	secure bool
}

func (l *Login) jar(r *http.Request) jar { return jar{l, r, l.secure(r)} }

func (j jar) cookies() Cookies { return j.l.cfg.HTTP.Cookies }

func (j jar) access() string {
	if name := j.cookies().Access; name != "" {
		return name
	}
	return prefixed("hallpass-access", j.secure, j.cookies().Domain == "" && j.cookies().Path == "/")
}

func (j jar) refresh() string {
	if name := j.cookies().Refresh; name != "" {
		return name
	}
	return prefixed("hallpass-refresh", j.secure, false)
}

func (j jar) flow() string {
	if name := j.cookies().Flow; name != "" {
		return name
	}
	return prefixed("hallpass-login", j.secure, true)
}

// value returns the one cookie of a name, or "". Two of a name are refused: a
// neighbouring host can plant a second, and nobody knows which is ours.
func (j jar) value(name string) (string, error) {
	found := j.r.CookiesNamed(name)
	switch {
	case len(found) > 1:
		return "", hallpass.RefusalMalformed
	case len(found) == 0:
		return "", nil
	}
	return found[0].Value, nil
}

// set sets one of our own cookies, for this host alone. A life of nothing removes
// it.
func (j jar) set(w http.ResponseWriter, name, value string, life time.Duration) {
	j.write(w, http.Cookie{Name: name, Value: value, Path: "/", SameSite: http.SameSiteLaxMode}, life)
}

// maxCookie is what browsers keep of a name and value together (RFC 6265bis section
// 5.7).
const maxCookie = 4096

func (j jar) write(w http.ResponseWriter, c http.Cookie, life time.Duration) {
	if len(c.Name)+len(c.Value) > maxCookie {
		j.l.cfg.Logger.Error("a cookie is too long for browsers, which drop it without a word; let Allow return fewer claims", "cookie", c.Name, "bytes", len(c.Name)+len(c.Value))
	}
	c.HttpOnly, c.Secure, c.MaxAge = true, j.secure, -1
	if life > 0 {
		c.MaxAge = int((life + time.Second - 1) / time.Second)
	}
	http.SetCookie(w, &c)
}

func (j jar) setTokens(w http.ResponseWriter, t Tokens) {
	now := j.l.now()
	j.writeTokens(w, t.Access.Reveal(), t.AccessEnds.Sub(now), t.Refresh.Reveal(), t.RefreshEnds.Sub(now))
}

func (j jar) clearTokens(w http.ResponseWriter) { j.writeTokens(w, "", 0, "", 0) }

func (j jar) writeTokens(w http.ResponseWriter, access string, accessLife time.Duration, refresh string, refreshLife time.Duration) {
	c := j.cookies()
	j.write(w, http.Cookie{Name: j.access(), Value: access, Path: c.Path, Domain: c.Domain, SameSite: c.SameSite}, accessLife)
	j.write(w, http.Cookie{Name: j.refresh(), Value: refresh, Path: j.l.cfg.Path, Domain: c.Domain, SameSite: c.SameSite}, refreshLife)
}

// FlowHeader carries the flow of a login for apps that keep no cookies: the answer
// to POST /login/code has it, and POST /login sends it back.
const FlowHeader = "Hallpass-Flow"

// flowOfRequest is what this browser or app holds of a login that it began. One
// that stands in two places must be the same in both.
func (j jar) flowOfRequest() (string, error) {
	cookie, err := j.value(j.flow())
	if err != nil {
		return "", err
	}
	headers := j.r.Header.Values(FlowHeader)
	switch {
	case len(headers) > 1 || len(headers) == 1 && cookie != "" && headers[0] != cookie:
		return "", hallpass.RefusalMalformed
	case len(headers) == 1:
		return headers[0], nil
	}
	return cookie, nil
}

func (j jar) setFlow(w http.ResponseWriter, b Begun) {
	// It stays a while longer than the code, so that its holder hears that it expired.
	j.set(w, j.flow(), b.Flow, b.Ends.Add(flowKept).Sub(j.l.now()))
}

func (j jar) clearFlow(w http.ResponseWriter) {
	if len(j.r.CookiesNamed(j.flow())) > 0 {
		j.set(w, j.flow(), "", 0)
	}
}
