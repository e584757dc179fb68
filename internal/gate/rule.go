package gate

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/mail"
)

// Access says who a rule lets in.
type Access string

const (
	// AccessRequired needs a pass of the rule's scope, or a session that one began.
	// It is the default.
	AccessRequired Access = "required"
	// AccessOptional lets a request without a token through, without an identity.
	AccessOptional Access = "optional"
	// AccessPublic lets everybody through; tokens are not looked at.
	AccessPublic Access = "public"
	// AccessLogin needs somebody who logged in by e-mail on this host. Tokens are
	// not looked at, and a session that a pass began does not count, whatever its
	// scope: a pass proves that somebody issued it, not who reads a mailbox.
	AccessLogin Access = "login"
)

// Rule says what requests to one part of a protected host need. The first rule
// that matches a request decides; a request that none matches is denied.
type Rule struct {
	// Host is exact, or "*.example.com" for every name below. Empty matches the
	// host of the server's base URL. A port in the request is ignored.
	Host string `yaml:"host" json:"host"`
	// Path is a prefix on segment boundaries, or exact when it starts with "=".
	// Empty matches all.
	Path string `yaml:"path" json:"path"`
	// Methods are matched exactly, but GET matches HEAD. Empty matches all.
	Methods []string `yaml:"methods" json:"methods"`
	// Access defaults to required.
	Access Access `yaml:"access" json:"access"`
	// Scope is what a pass must be for; required unless the rule is public or for
	// logins.
	Scope hallpass.Scope `yaml:"scope" json:"scope"`
	// Allow narrows a rule for logins to some of those who may log in: addresses,
	// "*@example.com", or "*". Empty lets all of them in.
	Allow []string `yaml:"allow" json:"allow"`
	// Modes that are honoured. Empty honours all.
	Modes []hallpass.Mode `yaml:"modes" json:"modes"`
	// Confirm is auto, always, never or code; empty is auto. With code the page of a
	// link asks for what stands in its mail, and nothing else lets in.
	Confirm string `yaml:"confirm" json:"confirm"`
	// Reads says that the route changes nothing, so a link need not ask first.
	Reads bool `yaml:"reads" json:"reads"`
	// Title and Button are words of the confirmation page.
	Title  string `yaml:"title" json:"title"`
	Button string `yaml:"button" json:"button"`
}

// Rules are looked through in order.
type Rules []Rule

// Check says which rule is wrong, and how. Its error is a *hallpass.FieldError
// whose field is a path such as "rules.2.scope".
func (rs Rules) Check() error {
	for i, r := range rs {
		if field, reason := r.check(); field != "" {
			return &hallpass.FieldError{Field: fmt.Sprintf("rules.%d.%s", i, field), Reason: reason}
		}
	}
	return nil
}

func (r Rule) check() (field, reason string) {
	switch r.Access {
	case "", AccessRequired, AccessOptional:
		if r.Scope == "" {
			return "scope", "is required unless access is public or login"
		}
	case AccessPublic:
		if r.Scope != "" {
			return "scope", "says nothing where access is public; leave one of them out"
		}
	case AccessLogin:
		if field, reason := r.checkLogin(); field != "" {
			return field, reason
		}
	default:
		return "access", "must be required, optional, public or login"
	}
	if len(r.Allow) > 0 && r.Access != AccessLogin {
		return "allow", "says who of those who log in is let in; it needs access: login"
	}
	if _, ok := confirms[r.Confirm]; !ok {
		return "confirm", "must be auto, always, never or code"
	}
	for _, m := range r.Modes {
		if m != hallpass.ModePublic && m != hallpass.ModeRequest && m != hallpass.ModeSession {
			return "modes", fmt.Sprintf("%q is not one of public, request, session", string(m))
		}
	}
	for _, m := range r.Methods {
		if !isMethod(m) {
			return "methods", fmt.Sprintf("%q is no method; write one in capitals in each place of the list", m)
		}
	}
	if name := strings.TrimPrefix(r.Host, "*."); r.Host != "" {
		if host, ok := sessions.CanonicalHost(name); !ok || host != strings.ToLower(name) {
			return "host", "must be a host name without scheme, port and final dot, or *.name; an international one in its xn-- form"
		}
	}
	path := strings.TrimPrefix(r.Path, "=")
	if path != "" {
		if clean, ok := hallpass.CleanPath(path); !ok || clean != path {
			return "path", "must start with a slash and be written decoded, without dot segments or double slashes"
		}
	}
	return "", ""
}

// checkLogin is check for what only rules for logins have, or have not.
func (r Rule) checkLogin() (field, reason string) {
	switch {
	case r.Scope != "":
		return "scope", "says nothing where access is login; leave one of them out"
	case len(r.Modes) > 0:
		return "modes", "say nothing where access is login; leave one of them out"
	case strings.HasPrefix(r.Host, "*"):
		return "host", "must be exact where access is login: mailed links lead there, and are never built from what a request says"
	}
	_, err := mail.ParsePatterns(r.Allow)
	if wrong, ok := errors.AsType[*hallpass.FieldError](err); ok {
		return "allow", wrong.Reason
	}
	return "", ""
}

// LoginOrigins returns the origins of the hosts where rules ask for a login, with
// scheme and port of the base URL.
func (rs Rules) LoginOrigins(baseURL string) (origins []string) {
	for _, r := range rs {
		if origin, ok := r.loginOrigin(baseURL); ok && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

func (r Rule) loginOrigin(baseURL string) (string, bool) {
	base, err := url.Parse(baseURL)
	switch {
	case r.Access != AccessLogin || err != nil:
		return "", false
	case r.Host == "":
		return base.Scheme + "://" + strings.ToLower(base.Host), true
	case base.Port() != "":
		return base.Scheme + "://" + strings.ToLower(r.Host) + ":" + base.Port(), true
	}
	return base.Scheme + "://" + strings.ToLower(r.Host), true
}

// confirmCode asks for the typed code.
const confirmCode = "code"

var confirms = map[string]guard.Confirm{
	"": guard.ConfirmAuto, "auto": guard.ConfirmAuto, "always": guard.ConfirmAlways, "never": guard.ConfirmNever,
	confirmCode: guard.ConfirmAlways,
}

func (r Rule) matches(baseHost, host, method, path string) bool {
	return r.matchesHost(baseHost, host) && r.matchesMethod(method) && r.matchesPath(path)
}

func (r Rule) matchesHost(baseHost, host string) bool {
	if below, wild := strings.CutPrefix(strings.ToLower(r.Host), "*"); wild {
		return strings.HasSuffix(host, below) && len(host) > len(below)
	}
	if r.Host == "" {
		return host == baseHost
	}
	return host == strings.ToLower(r.Host)
}

func (r Rule) matchesMethod(method string) bool {
	return len(r.Methods) == 0 || slices.Contains(r.Methods, method) ||
		method == "HEAD" && slices.Contains(r.Methods, "GET")
}

func (r Rule) matchesPath(path string) bool {
	if exact, ok := strings.CutPrefix(r.Path, "="); ok {
		return path == exact
	}
	if r.Path == "" || path == r.Path {
		return true
	}
	return strings.HasPrefix(path, r.Path) && (strings.HasSuffix(r.Path, "/") || path[len(r.Path)] == '/')
}
