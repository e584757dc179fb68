package cli

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/internal/wire"
	"github.com/hallpass-go/hallpass/mail"
)

// planAdmin decides where the admin is.
func (c *serveSettings) planAdmin(p *planner, to *servePlan) {
	switch c.AdminServe {
	case "", "on", "true":
	case "off", "false":
		to.Admin.Off = true
	default:
		p.add(fieldError("admin.serve", "must be on or off"))
	}
	var err error
	to.Admin.Allow, err = c.listed()
	p.add(err)
	if c.AdminHost != "" {
		host, ok := sessions.CanonicalHost(c.AdminHost)
		if !ok || strings.Contains(c.AdminHost, ":") {
			p.add(fieldError("admin.host", "must be the name of a host, without a port"))
		}
		to.Admin.Host = host
	}
	if c.AdminURL != "" {
		origin, err := originOf("admin.url", c.AdminURL)
		if p.add(err); err == nil {
			to.Admin.URL = origin.String()
		}
	}
}

// listed reads who may sign in by e-mail. Everybody would be everybody.
func (c *serveSettings) listed() (adminui.Listed, error) {
	type entry struct {
		pattern mail.Patterns
		role    adminui.Role
	}
	var list []entry
	for _, text := range c.AdminAllow {
		at := strings.LastIndexByte(text, '=')
		if at < 0 || !slices.Contains(adminui.Roles(), adminui.Role(text[at+1:])) {
			return nil, fieldError("admin.allow", "%q must be PATTERN=ROLE, and the role viewer, issuer or admin", text)
		}
		pattern, err := mail.ParsePatterns([]string{text[:at]})
		if err != nil {
			return nil, renamed(err, "login_allow", "admin.allow")
		}
		if pattern[0] == "*" {
			return nil, fieldError("admin.allow", "* would let everybody in who has a mailbox; name addresses, or a domain as *@example.com")
		}
		list = append(list, entry{pattern, adminui.Role(text[at+1:])})
	}
	if len(list) == 0 {
		return nil, nil
	}
	return func(a mail.Address) (adminui.Role, bool) {
		for _, e := range list {
			if e.pattern.Allows(a) {
				return e.role, true
			}
		}
		return "", false
	}, nil
}

type adminLinkCmd struct {
	Role    string   `default:"admin" placeholder:"ROLE" values:"viewer,issuer,admin" help:"viewer, issuer or admin (default)."`
	TTL     string   `name:"ttl" placeholder:"D" help:"How long the link lives; 10m by default, 24h at most."`
	Subject string   `placeholder:"NAME" help:"Who it is for: the name that stands in the log. Yours by default."`
	Grant   []string `sep:"none" placeholder:"'GET /admin/'" help:"A method and path of the admin it is good for; all by default. Can be given again."`

	Addr      string `setting:"addr" placeholder:"HOST:PORT" help:"Where the server listens, as for serve."`
	OpsAddr   string `setting:"ops_addr" placeholder:"HOST:PORT" help:"The server's operations listener."`
	BaseURL   string `name:"base-url" setting:"base_url" placeholder:"URL" help:"The origin as browsers know it."`
	TLSCert   string `name:"tls-cert" setting:"tls_cert" placeholder:"FILE" help:"The server's certificate, if it has one."`
	Upstream  string `setting:"upstream" placeholder:"URL" help:"The application behind the server, if there is one."`
	Prefix    string `setting:"prefix" placeholder:"PATH" help:"The path that is hallpass's."`
	APIPrefix string `name:"api-prefix" setting:"api_prefix" placeholder:"PATH" help:"What stands before the API's paths."`
	AdminHost string `name:"admin-host" setting:"admin.host" placeholder:"HOST" help:"The host the admin is on."`
	AdminURL  string `name:"admin-url" setting:"admin.url" placeholder:"URL" help:"The origin under which browsers reach it."`
}

func (c *adminLinkCmd) Run(ctx context.Context, a *app) error {
	spec, err := c.spec(a)
	if err != nil {
		return err
	}
	page, err := c.page()
	if err != nil {
		return err
	}
	s, err := a.reader(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	issued, err := s.Issue(ctx, spec)
	if err != nil {
		return err
	}
	err = s.RecordAction(ctx, hallpass.Event{
		Actor: "command line", Action: "admin.link", Pass: issued.ID, Scope: issued.Scope, Subject: issued.Subject, Detail: "as " + c.Role,
	})
	if err != nil {
		return err
	}
	out, err := wire.IssuedOf(issued, page, s.Now())
	if err != nil {
		return err
	}
	if a.grammar.JSON {
		return a.print(out)
	}
	return a.line("%s", out.URL)
}

func (c *adminLinkCmd) spec(a *app) (hallpass.Spec, error) {
	if !slices.Contains(adminui.Roles(), adminui.Role(c.Role)) {
		return hallpass.Spec{}, fieldError("role", "must be viewer, issuer or admin, not %q", c.Role)
	}
	data, err := json.Marshal(map[string]string{"role": c.Role})
	if err != nil {
		return hallpass.Spec{}, err
	}
	spec := hallpass.Spec{
		Scope: adminui.Scope, Mode: hallpass.ModeSession, Data: data, MaxUses: 1, TTL: 10 * time.Minute, Format: hallpass.FormatShort,
		Subject: orText(c.Subject, orText(a.env["SUDO_USER"], orText(a.env["USER"], "operator"))),
	}
	if c.TTL != "" {
		if spec.TTL, err = wire.ParseDuration("ttl", c.TTL); err != nil {
			return spec, err
		}
		if spec.TTL <= 0 {
			return spec, fieldError("ttl", "must be positive")
		}
	}
	for _, text := range c.Grant {
		g, err := hallpass.ParseGrant(text)
		if err != nil {
			return spec, err
		}
		spec.Grants = append(spec.Grants, g)
	}
	return spec, nil
}

// page is where the server with these settings has its admin.
func (c *adminLinkCmd) page() (string, error) {
	scheme := "http://"
	if c.TLSCert != "" {
		scheme = "https://"
	}
	cfg := server.Config{
		BaseURL: orText(c.BaseURL, scheme+orText(c.Addr, defaultAddr)), Prefix: c.Prefix, APIPrefix: c.APIPrefix,
		Admin: server.Admin{Host: c.AdminHost, URL: c.AdminURL},
	}
	for _, origin := range []struct {
		field string
		text  *string
	}{{"base_url", &cfg.BaseURL}, {"admin.url", &cfg.Admin.URL}} {
		if *origin.text == "" {
			continue
		}
		u, err := originOf(origin.field, *origin.text)
		if err != nil {
			return "", err
		}
		*origin.text = u.String()
	}
	if c.Upstream != "" {
		cfg.Upstream = &url.URL{}
	}
	ops := ""
	if c.OpsAddr != "" {
		ops = "http://" + c.OpsAddr
	}
	page := cfg.AdminURL(ops)
	if page == "" {
		return "", fieldError("admin.host", "is required beside an upstream without ops_addr: the paths are the application's, and there is no admin")
	}
	return page, nil
}
