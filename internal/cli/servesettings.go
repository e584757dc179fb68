package cli

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/clientip"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/internal/interstitial"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// defaultAddr is where serve listens unless told otherwise.
const defaultAddr = "localhost:8080"

// serveSettings are the settings of serve as text; plan judges them, so that
// `config check` can name all that is wrong. The tag "setting" is the name in the
// file and, in capitals, in the environment.
type serveSettings struct {
	Addr    string `setting:"addr" placeholder:"HOST:PORT" help:"Where everybody comes; localhost:8080 by default, port 0 takes a free one."`
	OpsAddr string `setting:"ops_addr" placeholder:"HOST:PORT" help:"A listener of its own for /healthz, /readyz and /metrics, and for the admin beside an upstream."`
	BaseURL string `name:"base-url" setting:"base_url" placeholder:"URL" help:"The origin as browsers know it. Needed unless the address is on loopback."`
	TLSCert string `name:"tls-cert" setting:"tls_cert" placeholder:"FILE" help:"PEM file with the certificate and its chain; read again on SIGHUP."`
	TLSKey  string `name:"tls-key" setting:"tls_key" placeholder:"FILE" help:"PEM file with the certificate's private key."`

	Upstream  string `setting:"upstream" placeholder:"URL" help:"Protect the application there: requests that the rules let in go to it."`
	Prefix    string `setting:"prefix" placeholder:"PATH" help:"The path on protected hosts that is hallpass's; /.hallpass by default."`
	APIPrefix string `name:"api-prefix" setting:"api_prefix" placeholder:"PATH" help:"What stands before the API's paths; nothing by default, or the prefix where there is an upstream."`
	Site      string `setting:"site" placeholder:"NAME" help:"The application's name on hallpass's pages."`

	PageTexts     string `name:"pages-texts" setting:"pages.texts" placeholder:"FILE" help:"JSON object of texts in place of ours on the pages of links."`
	PageTemplates string `name:"pages-templates" setting:"pages.templates" placeholder:"FOLDER" help:"Pages of links in place of ours, such as confirm.html."`

	Keys     string `setting:"keys" placeholder:"FILE" help:"File with keys that sign in place of the store's: a key, or a JWK set."`
	Instance string `setting:"instance" placeholder:"ID" help:"The issuer's id in tokens; that of the store by default."`

	TrustedProxy   []string `setting:"trusted_proxies" placeholder:"ADDRESS" help:"A proxy, or a network of them, that may speak for clients; may be repeated."`
	ClientIPHeader string   `name:"client-ip-header" setting:"client_ip_header" placeholder:"NAME" help:"Where they name the client; X-Forwarded-For by default."`

	SessionIdle string `setting:"session.idle" placeholder:"D" help:"When a session ends that nobody uses; 2h by default."`
	SessionLife string `setting:"session.life" placeholder:"D" help:"When it ends in any case; 24h by default."`

	IdentitySubject string `setting:"identity.subject" placeholder:"NAME" help:"Header that tells the application the subject; X-Hallpass-Subject by default."`
	IdentityScope   string `setting:"identity.scope" placeholder:"NAME" help:"Header with the scope; X-Hallpass-Scope by default."`
	IdentityMode    string `setting:"identity.mode" placeholder:"NAME" help:"Header with the mode; X-Hallpass-Mode by default."`
	IdentityPass    string `setting:"identity.pass" placeholder:"NAME" help:"Header with the pass's id; X-Hallpass-Pass by default."`
	IdentityData    string `setting:"identity.data" placeholder:"NAME" help:"Header with the data, as base64url; X-Hallpass-Data by default."`

	AdminServe string   `name:"admin" setting:"admin.serve" placeholder:"on|off" help:"Whether there is an admin at /admin/; on by default."`
	AdminHost  string   `name:"admin-host" setting:"admin.host" placeholder:"HOST" help:"Put it on the public listener, under this host alone. Beside an upstream it is on ops_addr otherwise."`
	AdminURL   string   `name:"admin-url" setting:"admin.url" placeholder:"URL" help:"The origin under which browsers reach it, where that is another than the listener's."`
	AdminAllow []string `name:"admin-allow" setting:"admin.allow" placeholder:"PATTERN=ROLE" help:"Who may sign in to it by e-mail, and as what: an address or *@example.com, and viewer, issuer or admin; the first that fits counts; may be repeated. Needs mail. Nobody by default."`

	loginSettings

	DrainDelay   string `setting:"drain.delay" placeholder:"D" help:"How long readiness is refused before the listeners close; 1s by default."`
	DrainTimeout string `setting:"drain.timeout" placeholder:"D" help:"How long open requests may take after that; 30s by default."`
	LogLevel     string `setting:"log.level" placeholder:"LEVEL" help:"debug, info (default), warn or error."`
	LogFormat    string `setting:"log.format" placeholder:"FORMAT" help:"text (default) or json."`
}

// servePlan is the settings as the server takes them.
type servePlan struct {
	server.Config
	settings serveSettings
	login    *loginPlan // nil: nobody logs in
	claims   string     // login.claims, as a text that says whether it changed

	addr, opsAddr string
	logLevel      slog.Level
	logJSON       bool
}

func (p *servePlan) scheme() string {
	if p.Certificate != nil {
		return "https"
	}
	return "http"
}

// planner collects problems.
type planner struct {
	from     *settings
	problems []problem
}

func (p *planner) add(err error) { p.addAt("", err) }

// addAt is add for a problem that is due to another setting than it names.
func (p *planner) addAt(due string, err error) {
	if err == nil {
		return
	}
	field, ok := errors.AsType[*hallpass.FieldError](err)
	if !ok {
		field = &hallpass.FieldError{Reason: err.Error()}
	}
	detail := field.Reason
	if field.Field != "" {
		detail = field.Field + ": " + detail
	}
	p.problems = append(p.problems, problem{p.from.origins[orText(due, field.Field)].String(), field.Field, detail})
}

// err is the problem as the error of a command.
func (p problem) err() error {
	detail := strings.TrimPrefix(p.Detail, p.Field+": ")
	if p.Where != "" {
		detail += " (" + p.Where + ")"
	}
	return fieldError(p.Field, "%s", detail)
}

// plan judges all settings, and reads the files they name. It opens no store and
// no listener.
func (c *serveSettings) plan(a *app) (*servePlan, []problem) {
	to := &servePlan{settings: *c, addr: orText(c.Addr, defaultAddr), opsAddr: c.OpsAddr}
	p := &planner{from: a.settings}
	p.problems = append(p.problems, a.settings.file.problems...)
	before := len(a.settings.file.problems)
	to.Rules = a.settings.file.rules()
	to.ForeignKeys = a.settings.file.foreignKeys()
	p.problems = append(p.problems, a.settings.file.problems[before:]...)
	a.settings.file.problems = a.settings.file.problems[:before]

	loopback := p.addr("addr", to.addr)
	if c.OpsAddr != "" {
		p.addr("ops_addr", c.OpsAddr)
	}
	c.planURLs(p, to, loopback)
	c.planFiles(p, to)
	c.planGate(p, to)
	c.planAdmin(p, to)
	c.planLogin(p, to, loopback, c.AdminAllow)
	to.claims = nodeText(a.settings.file.raw["login.claims"])
	to.DrainDelay = p.duration("drain.delay", c.DrainDelay, time.Second)
	to.DrainTimeout = p.duration("drain.timeout", c.DrainTimeout, 30*time.Second)
	if err := to.logLevel.UnmarshalText([]byte(orText(c.LogLevel, "info"))); err != nil {
		p.add(fieldError("log.level", "must be debug, info, warn or error"))
	}
	if to.logJSON = c.LogFormat == "json"; !to.logJSON && c.LogFormat != "" && c.LogFormat != "text" {
		p.add(fieldError("log.format", "must be text or json"))
	}
	p.add(openstore.Check(a.grammar.Store, &openstore.Options{Memory: true}))
	if c.Keys == "" && openstore.KindOf(a.grammar.Store) == openstore.Redis {
		p.add(fieldError("keys", "is required with a redis: store, which is never the only place of a signing key"))
	}
	_, err := a.master()
	p.add(err)
	return to, p.problems
}

func (c *serveSettings) planURLs(p *planner, to *servePlan, loopback bool) {
	if c.BaseURL != "" {
		base, err := originOf("base_url", c.BaseURL)
		if p.add(err); err == nil {
			to.BaseURL = base.String()
		}
	} else if !loopback {
		p.addAt("addr", fieldError("base_url", "is required: %s is not on loopback, and links are never built from what a request says", to.addr))
	}
	if c.Upstream != "" {
		var err error
		to.Upstream, err = originOf("upstream", c.Upstream)
		p.add(err)
	}
	to.Prefix, to.APIPrefix = c.Prefix, c.APIPrefix
	p.path("prefix", c.Prefix)
	p.path("api_prefix", c.APIPrefix)
	prefixes, err := clientip.ParsePrefixes(c.TrustedProxy)
	if err != nil {
		p.add(fieldError("trusted_proxies", "%v", err))
	}
	to.TrustedProxies, to.ClientIPHeader = prefixes, c.ClientIPHeader
	if _, err := clientip.New([]netip.Prefix{}, c.ClientIPHeader, nil); err != nil {
		p.add(fieldError("client_ip_header", "%v", err))
	}
}

func (c *serveSettings) planFiles(p *planner, to *servePlan) {
	switch {
	case c.TLSCert != "" && c.TLSKey != "":
		cert, err := server.LoadCertificate(c.TLSCert, c.TLSKey)
		if p.add(err); err == nil {
			to.Certificate = cert
		}
	case c.TLSCert != "":
		p.add(fieldError("tls_key", "is required with tls_cert"))
	case c.TLSKey != "":
		p.add(fieldError("tls_cert", "is required with tls_key"))
	}
	if c.Keys != "" {
		ring, err := readKeys(c.Keys)
		p.add(err)
		to.FileKeys = ring
	}
	to.Instance = c.Instance // else the store's
}

func (c *serveSettings) planGate(p *planner, to *servePlan) {
	to.Site = c.Site
	c.planPages(p, to)
	to.Identity = gate.IdentityHeaders{
		Subject: c.IdentitySubject, Scope: c.IdentityScope, Mode: c.IdentityMode, Pass: c.IdentityPass, Data: c.IdentityData,
	}
	c.planIdentity(p)
	to.SessionIdle = p.duration("session.idle", c.SessionIdle, 2*time.Hour)
	to.SessionLife = p.duration("session.life", c.SessionLife, 24*time.Hour)
	switch {
	case to.SessionIdle < time.Minute:
		p.add(fieldError("session.idle", "must be a minute or more"))
	case to.SessionLife < to.SessionIdle:
		p.add(fieldError("session.life", "must not be shorter than session.idle"))
	}
}

// planPages reads the pages and texts that replace ours, and tries them.
func (c *serveSettings) planPages(p *planner, to *servePlan) {
	if c.PageTexts != "" {
		text, err := os.ReadFile(c.PageTexts)
		if err != nil {
			p.add(fieldError("pages.texts", "%s is no file that can be read", c.PageTexts))
			return
		}
		texts, err := look.ParseTexts(c.PageTexts, text)
		if err == nil {
			_, err = interstitial.New(&interstitial.Options{Texts: texts})
		}
		if err != nil {
			p.add(fieldError("pages.texts", "%v", err))
			return
		}
		to.Texts = texts
	}
	if folder := p.folder("pages.templates", c.PageTemplates); folder != "" {
		to.Templates = os.DirFS(folder)
		if _, err := interstitial.New(&interstitial.Options{Templates: to.Templates, Texts: to.Texts}); err != nil {
			p.add(fieldError("pages.templates", "%v", err))
		}
	}
}

// planIdentity checks the names of the headers that tell the application who it is.
func (c *serveSettings) planIdentity(p *planner) {
	headers := []struct{ setting, value string }{
		{"identity.subject", c.IdentitySubject}, {"identity.scope", c.IdentityScope}, {"identity.mode", c.IdentityMode},
		{"identity.pass", c.IdentityPass}, {"identity.data", c.IdentityData},
	}
	taken := map[string]string{} // the setting, by name; unset ones have their default
	for _, h := range headers {
		if h.value == "" {
			taken["x-hallpass-"+strings.TrimPrefix(h.setting, "identity.")] = h.setting
		}
	}
	for _, h := range headers {
		name := strings.ToLower(h.value)
		switch {
		case name == "":
			continue
		case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			p.add(fieldError(h.setting, "must be the name of a header: letters, digits and hyphens"))
		case isForeignHeader(name):
			p.add(fieldError(h.setting, "must not be %s, which means something else to proxies and applications", h.value))
		case taken[name] != "":
			p.add(fieldError(h.setting, "is the header of %s already", taken[name]))
		}
		taken[name] = h.setting
	}
}

// isForeignHeader reports whether a header, in small letters, says something about
// the connection, the message or the client, that an identity must not replace.
func isForeignHeader(name string) bool {
	switch name {
	case "host", "content-length", "transfer-encoding", "connection", "upgrade", "keep-alive", "te", "trailer",
		"cookie", "authorization", "forwarded", "x-request-id":
		return true
	}
	return strings.HasPrefix(name, "proxy-") || strings.HasPrefix(name, "x-forwarded-")
}

// addr checks an address and reports whether it is on loopback.
func (p *planner) addr(name, text string) (loopback bool) {
	host, port, err := net.SplitHostPort(text)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil || n > 65535 {
		p.add(fieldError(name, "must be HOST:PORT with a number as its port, such as %s", defaultAddr))
		return true // one complaint is enough
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (p *planner) path(name, path string) {
	if clean, ok := hallpass.CleanPath(path); path != "" &&
		(!ok || clean != path || strings.HasSuffix(path, "/") || strings.ContainsAny(path, "{}%?# ")) {
		p.add(fieldError(name, "must be a plain path such as /.hallpass, without a slash at its end"))
	}
}

func (p *planner) duration(name, text string, unset time.Duration) time.Duration {
	if text == "" {
		return unset
	}
	d, err := wire.ParseDuration(name, text)
	if err == nil && d < 0 {
		err = fieldError(name, "must not be negative")
	}
	if err != nil {
		p.add(err)
		return unset
	}
	return d
}

// changed names the settings that differ.
func (c serveSettings) changed(other serveSettings) (names []string) {
	a, b := reflect.ValueOf(c), reflect.ValueOf(other)
	for _, f := range settingFields() {
		name := f.Tag.Get("setting")
		if name != "keys" && !reflect.DeepEqual(a.FieldByIndex(f.Index).Interface(), b.FieldByIndex(f.Index).Interface()) {
			names = append(names, name)
		}
	}
	return names
}

// settingFields are the settings of serve, in the order in which they are shown.
func settingFields() (fields []reflect.StructField) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[serveSettings]()) {
		if f.Tag.Get("setting") != "" {
			fields = append(fields, f)
		}
	}
	return fields
}
