package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

// loginSettings are the settings of serve for logging in by e-mail. Those with the
// tag "secret" are never shown.
type loginSettings struct {
	Mail       string   `setting:"mail" secret:"yes" placeholder:"DSN" help:"How mails leave: smtp://…, smtps://…, dir:FOLDER, log (on loopback only) or the https:// URL of a webhook."`
	MailSecret string   `name:"mail-secret" setting:"mail.secret" secret:"yes" placeholder:"TEXT" help:"Signs what goes to a webhook; at least 32 bytes."`
	LoginAllow []string `setting:"login.allow" placeholder:"PATTERN" help:"Who may log in by e-mail: an address, *@example.com or *; may be repeated. Nobody by default."`
	LoginStore string   `setting:"login.store" secret:"yes" placeholder:"DSN" help:"Where logins are kept, if elsewhere than passes."`

	LoginCodeDigits  string `setting:"login.code_digits" placeholder:"N" help:"How many digits a code has, 6 to 10; 6 by default."`
	LoginCodeTTL     string `name:"login-code-ttl" setting:"login.code_ttl" placeholder:"D" help:"How long code and link work; 10m by default, and at most."`
	LoginHandOver    string `setting:"login.hand_over" placeholder:"on|off" help:"Whether a link opened on another device shows a code for the first; on by default."`
	LoginHandOverTTL string `name:"login-hand-over-ttl" setting:"login.hand_over_ttl" placeholder:"D" help:"How long that code works; 2m by default."`

	LoginTries           string `name:"login-limits-tries" setting:"login.limits.tries" placeholder:"N" help:"Codes that may be entered for one mail; 5 by default."`
	LoginResend          string `name:"login-limits-resend" setting:"login.limits.resend" placeholder:"D" help:"The wait between two mails to one address; 60s by default, 0 for none."`
	LoginAccountSends    string `name:"login-limits-account-sends" setting:"login.limits.account_sends" placeholder:"N" help:"Mails to one address an hour; 10 by default. For this and the other counts -1 is no limit."`
	LoginNetworkSends    string `name:"login-limits-network-sends" setting:"login.limits.network_sends" placeholder:"N" help:"Mails that one network may cause an hour; 60 by default."`
	LoginGlobalSends     string `name:"login-limits-global-sends" setting:"login.limits.global_sends" placeholder:"N" help:"Mails that everybody may cause an hour; no limit by default."`
	LoginFreeFailures    string `name:"login-limits-free-failures" setting:"login.limits.free_failures" placeholder:"N" help:"Wrong codes in a row before an account has to wait; 5 by default."`
	LoginDelay           string `name:"login-limits-delay" setting:"login.limits.delay" placeholder:"D" help:"The first such wait, which doubles each time; 1s by default."`
	LoginMaxDelay        string `name:"login-limits-max-delay" setting:"login.limits.max_delay" placeholder:"D" help:"The longest such wait; 5m by default."`
	LoginForgive         string `name:"login-limits-forgive" setting:"login.limits.forgive" placeholder:"D" help:"The time after which one wrong code is forgotten; 15m by default."`
	LoginStop            string `name:"login-limits-stop" setting:"login.limits.stop" placeholder:"N" help:"Wrong codes in a row at which codes stop for an account, links never; 100 by default, and at most."`
	LoginStopFor         string `name:"login-limits-stop-for" setting:"login.limits.stop_for" placeholder:"D" help:"How long they stop; 24h by default."`
	LoginNetworkFailures string `name:"login-limits-network-failures" setting:"login.limits.network_failures" placeholder:"N" help:"Wrong codes from one network an hour; 60 by default."`
	LoginGlobalFailures  string `name:"login-limits-global-failures" setting:"login.limits.global_failures" placeholder:"N" help:"Wrong codes from everybody an hour; 10000 by default."`

	LoginAccessTTL    string   `name:"login-access-ttl" setting:"login.access_ttl" placeholder:"D" help:"The life of an access token; 5m by default."`
	LoginRefreshIdle  string   `setting:"login.refresh_idle" placeholder:"D" help:"When a login ends that is not refreshed; 14d by default."`
	LoginRefreshLife  string   `setting:"login.refresh_life" placeholder:"D" help:"When it ends in any case; 90d by default."`
	LoginRefreshGrace string   `setting:"login.refresh_grace" placeholder:"D" help:"How long the refresh token before the current one still gets the current one; 10s by default, 0 for none."`
	LoginIssuer       string   `setting:"login.issuer" placeholder:"TEXT" help:"The iss of access tokens; the base URL by default."`
	LoginAudience     string   `setting:"login.audience" placeholder:"TEXT" help:"Their aud; the base URL by default."`
	LoginClientID     string   `name:"login-client-id" setting:"login.client_id" placeholder:"TEXT" help:"Their client_id; hallpass by default."`
	LoginLeeway       string   `setting:"login.leeway" placeholder:"D" help:"What clocks may differ by when they are judged here; 0 by default."`
	LoginCipherKey    string   `setting:"login.cipher_key" secret:"yes" placeholder:"KEY" help:"Encrypts access tokens: 32 bytes in base64, or @FILE. Not encrypted by default."`
	LoginExpected     []string `name:"login-expected-claims" setting:"login.expected_claims" placeholder:"NAME" help:"Claims without which nobody gets in; may be repeated."`
	LoginUpdatable    []string `name:"login-updatable-claims" setting:"login.updatable_claims" placeholder:"NAME" help:"Claims that a session may change itself; may be repeated."`

	LoginPrefer          string   `setting:"login.prefer" placeholder:"token|cookies" help:"What programs get that do not say; token by default."`
	LoginHeaderPrefix    string   `setting:"login.header_prefix" placeholder:"WORD" help:"The scheme of the Authorization header with an access token; Bearer by default."`
	LoginHome            string   `setting:"login.home" placeholder:"PATH" help:"Where a browser goes that was going nowhere in particular; / by default."`
	LoginRedirectOrigins []string `setting:"login.redirect_origins" placeholder:"URL" help:"Other origins to which a login may lead; may be repeated."`
	LoginCookieAccess    string   `name:"login-cookies-access" setting:"login.cookies.access" placeholder:"NAME" help:"Name of the cookie with the access token."`
	LoginCookieRefresh   string   `name:"login-cookies-refresh" setting:"login.cookies.refresh" placeholder:"NAME" help:"Name of the cookie with the refresh token."`
	LoginCookieFlow      string   `name:"login-cookies-flow" setting:"login.cookies.flow" placeholder:"NAME" help:"Name of the cookie that binds a login to the browser that began it."`
	LoginCookieDomain    string   `name:"login-cookies-domain" setting:"login.cookies.domain" placeholder:"DOMAIN" help:"Domain of the token cookies; the host alone by default."`
	LoginCookiePath      string   `name:"login-cookies-path" setting:"login.cookies.path" placeholder:"PATH" help:"Path of the access cookie; / by default."`
	LoginCookieSameSite  string   `name:"login-cookies-same-site" setting:"login.cookies.same_site" placeholder:"lax|strict|none" help:"SameSite of the token cookies; lax by default."`

	LoginReview    []string `name:"login-review-accounts" setting:"login.review_accounts" secret:"yes" placeholder:"ADDRESS=CODE" help:"Accounts with a fixed code, for reviewers of an app store; may be repeated. None by default."`
	LoginTexts     string   `setting:"login.texts" placeholder:"FOLDER" help:"Texts of mails and pages in further languages, or in place of ours."`
	LoginTemplates string   `setting:"login.templates" placeholder:"FOLDER" help:"Mails and pages in place of ours."`
	LoginFallback  string   `setting:"login.fallback" placeholder:"LANGUAGE" help:"The language of readers who understand none of the others; en by default."`
}

// loginPlan is what serve opens for logins.
type loginPlan struct {
	server.LoginConfig
	mail       string
	mailSecret []byte
	store      string // empty: that of the passes
}

// planLogin judges the settings, together, as the parts themselves do.
func (c *loginSettings) planLogin(p *planner, to *servePlan, loopback bool, operators []string) {
	on := c.Mail != "" && len(c.LoginAllow)+len(operators) > 0
	switch {
	case c.Mail != "" && !on:
		p.addAt("mail", fieldError("login.allow", "is required with mail: without it nobody may log in"))
	case len(c.LoginAllow) > 0 && !on:
		p.addAt("login.allow", fieldError("mail", "is required with login.allow: codes and links are mailed"))
	case len(operators) > 0 && !on:
		p.addAt("admin.allow", fieldError("mail", "is required with admin.allow: codes and links are mailed"))
	}
	if len(c.LoginAllow) == 0 || !on {
		for i, r := range to.Rules {
			if r.Access == gate.AccessLogin {
				p.addIn("rules", fieldError("rules."+strconv.Itoa(i)+".access", "login needs mail and login.allow: nobody could log in"))
				break
			}
		}
	}
	if !on {
		return
	}
	l := &loginPlan{mail: c.Mail, mailSecret: []byte(c.MailSecret), store: c.LoginStore}
	p.add(mail.Check(c.Mail, &mail.OpenOptions{WebhookSecret: l.mailSecret}))
	if c.Mail == "log" && (!loopback || !onLoopback(to.BaseURL) || slices.ContainsFunc(c.loginOrigins(to), isPublic)) {
		p.add(fieldError("mail", "log shows everybody's codes, so addr, base_url and the hosts of rules for logins must be on loopback"))
	}
	if c.LoginStore != "" {
		p.add(renamed(openstore.Check(c.LoginStore, &openstore.Options{Memory: true}), "store", "login.store"))
	}
	patterns, err := mail.ParsePatterns(c.LoginAllow)
	p.add(renamed(err, "login_allow", "login.allow"))
	l.AllowList = patterns
	before := len(p.problems)
	l.Config = c.config(p)
	if claims, given := p.from.file.raw["login.claims"]; given {
		l.Claims, err = readClaims(claims)
		p.addIn("login.claims", err)
	}
	if len(p.problems) == before {
		p.add(c.check(l.Config, to))
	}
	to.login = l
}

// config reads the settings as login.Config has them. What is out of bounds is for
// login itself to say.
func (c *loginSettings) config(p *planner) login.Config {
	cfg := login.Config{
		CodeDigits: p.number("login.code_digits", c.LoginCodeDigits), CodeTTL: p.duration("login.code_ttl", c.LoginCodeTTL, 0),
		HandOverTTL: p.duration("login.hand_over_ttl", c.LoginHandOverTTL, 0), NoHandOver: c.LoginHandOver == "off",
		Limits: login.Limits{
			Tries: p.number("login.limits.tries", c.LoginTries), Resend: p.orNone("login.limits.resend", c.LoginResend),
			AccountSends: p.number("login.limits.account_sends", c.LoginAccountSends),
			NetworkSends: p.number("login.limits.network_sends", c.LoginNetworkSends),
			GlobalSends:  p.number("login.limits.global_sends", c.LoginGlobalSends),
			FreeFailures: p.number("login.limits.free_failures", c.LoginFreeFailures),
			Delay:        p.duration("login.limits.delay", c.LoginDelay, 0), MaxDelay: p.duration("login.limits.max_delay", c.LoginMaxDelay, 0),
			Forgive: p.duration("login.limits.forgive", c.LoginForgive, 0),
			Stop:    p.number("login.limits.stop", c.LoginStop), StopFor: p.duration("login.limits.stop_for", c.LoginStopFor, 0),
			NetworkFailures: p.number("login.limits.network_failures", c.LoginNetworkFailures),
			GlobalFailures:  p.number("login.limits.global_failures", c.LoginGlobalFailures),
		},
		AccessTTL:   p.duration("login.access_ttl", c.LoginAccessTTL, 0),
		RefreshIdle: p.duration("login.refresh_idle", c.LoginRefreshIdle, 0), RefreshLife: p.duration("login.refresh_life", c.LoginRefreshLife, 0),
		RefreshGrace: p.orNone("login.refresh_grace", c.LoginRefreshGrace),
		IssuerURL:    c.LoginIssuer, Audience: c.LoginAudience, ClientID: c.LoginClientID, Leeway: p.duration("login.leeway", c.LoginLeeway, 0),
		ExpectedClaims: c.LoginExpected, UpdatableClaims: c.LoginUpdatable,
		HTTP: login.HTTP{
			Home: c.LoginHome, RedirectOrigins: c.LoginRedirectOrigins, Prefer: c.LoginPrefer, HeaderPrefix: c.LoginHeaderPrefix,
			Cookies: login.Cookies{
				Access: c.LoginCookieAccess, Refresh: c.LoginCookieRefresh, Flow: c.LoginCookieFlow,
				Domain: c.LoginCookieDomain, Path: c.LoginCookiePath, SameSite: sameSites[strings.ToLower(c.LoginCookieSameSite)],
			},
		},
		Words: login.Words{Fallback: c.LoginFallback},
	}
	if c.LoginHandOver != "" && c.LoginHandOver != "on" && c.LoginHandOver != "off" {
		p.add(fieldError("login.hand_over", "must be on or off"))
	}
	if _, known := sameSites[strings.ToLower(c.LoginCookieSameSite)]; !known {
		p.add(fieldError("login.cookies.same_site", "must be lax, strict or none"))
	}
	var err error
	if cfg.CipherKey, err = cipherKey(c.LoginCipherKey); err != nil {
		p.add(err)
	}
	if cfg.ReviewAccounts, err = reviewAccounts(c.LoginReview); err != nil {
		p.add(err)
	}
	if folder := p.folder("login.texts", c.LoginTexts); folder != "" {
		cfg.Words.Texts = os.DirFS(folder)
	}
	if folder := p.folder("login.templates", c.LoginTemplates); folder != "" {
		cfg.Words.Templates = os.DirFS(folder)
	}
	return cfg
}

var sameSites = map[string]http.SameSite{
	"": 0, "lax": http.SameSiteLaxMode, "strict": http.SameSiteStrictMode, "none": http.SameSiteNoneMode,
}

func nobodyMay(context.Context, mail.Address) (login.Claims, error) {
	return nil, hallpass.RefusalUnknownSubject
}

// check asks login itself, with parts that are thrown away.
func (c *loginSettings) check(cfg login.Config, to *servePlan) error {
	passes, err := hallpass.NewKeyring()
	if err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	store := memstore.New()
	if cfg.Issuer, err = hallpass.New(hallpass.Config{Keys: passes, Store: store, Logger: quiet}); err != nil {
		return err
	}
	if cfg.AccessKeys, err = hallpass.NewKeyringFor(hallpass.PurposeAccess); err != nil {
		return err
	}
	cfg.Cells, cfg.Sender, cfg.Allow, cfg.Logger = store, mail.NewLog(io.Discard), nobodyMay, quiet
	cfg.BaseURL, cfg.Origins = orText(to.BaseURL, "http://"+defaultAddr), c.loginOrigins(to)
	_, err = login.New(cfg)
	return settingOf(err)
}

// settingOf names the setting that a field of login.Config comes from.
func settingOf(err error) error {
	field, ok := errors.AsType[*hallpass.FieldError](err)
	if !ok {
		return err
	}
	name := field.Field
	switch {
	case name == "base_url":
	case strings.HasPrefix(name, "http."):
		name = "login." + strings.TrimPrefix(name, "http.")
	case strings.HasPrefix(name, "words."):
		name = "login." + strings.TrimPrefix(name, "words.")
	default:
		name = "login." + name
	}
	return fieldError(name, "%s", field.Reason)
}

// renamed gives the setting's name to an error of what another part calls so.
func renamed(err error, from, to string) error {
	if field, ok := errors.AsType[*hallpass.FieldError](err); ok && field.Field == from {
		return fieldError(to, "%s", field.Reason)
	}
	return err
}

// addIn is add for a problem within what only the file has.
func (p *planner) addIn(section string, err error) {
	if line := p.from.file.lines[section]; line > 0 {
		p.from.setOrigin(section, origin{file: p.from.file.name, line: line})
	}
	p.addAt(section, err)
}

// number reads a count. 0 is refused: to login it would mean the default.
func (p *planner) number(name, text string) int {
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < -1 || n == 0 {
		p.add(fieldError(name, "must be a number above 0, or -1 for no limit"))
	}
	return n
}

// orNone is duration where 0 means none, which to login is a negative one.
func (p *planner) orNone(name, text string) time.Duration {
	d := p.duration(name, text, 0)
	if text != "" && d == 0 {
		return -1
	}
	return d
}

func (p *planner) folder(name, path string) string {
	if path == "" {
		return ""
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		p.add(fieldError(name, "%s is no folder that can be read", path))
		return ""
	}
	return path
}

func cipherKey(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	if name, inFile := strings.CutPrefix(text, "@"); inFile {
		content, err := readFile(name, 4<<10)
		if err != nil {
			return nil, fieldError("login.cipher_key", "%v", err)
		}
		text = strings.TrimSpace(content)
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	key, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil || len(key) != 32 {
		return nil, fieldError("login.cipher_key", "must be 32 bytes in base64, or @ and the name of a file that holds them")
	}
	return key, nil
}

func reviewAccounts(pairs []string) (map[mail.Address]string, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	all := map[mail.Address]string{}
	for i, pair := range pairs {
		text, code, _ := strings.Cut(pair, "=")
		address, err := mail.ParseAddress(text)
		if err != nil || code == "" {
			return nil, fieldError("login.review_accounts", "entry %d must be ADDRESS=CODE", i+1)
		}
		all[address] = code
	}
	return all, nil
}

// loginOrigins are where rules ask people to log in.
func (c *loginSettings) loginOrigins(to *servePlan) []string {
	return to.Rules.LoginOrigins(orText(to.BaseURL, "http://"+defaultAddr))
}

func isPublic(origin string) bool { return !onLoopback(origin) }

// onLoopback reports whether an origin, or none, leads to this machine only.
func onLoopback(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || origin == "" {
		return origin == ""
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}
