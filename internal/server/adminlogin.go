package server

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
	"github.com/hallpass-go/hallpass/internal/api"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

// newAdminLogin is the way in for operators who are listed by their address. It
// shares nothing with the applications' logins but limits' settings, words and the
// sender: its codes and links are of a scope of their own, and nobody has a fixed one.
func (s *Server) newAdminLogin() error {
	if s.admin == nil || s.login == nil || s.cfg.Admin.Allow == nil {
		return nil
	}
	origin := strings.TrimSuffix(s.admin.URL(), s.cfg.adminPrefix(s.adminAt)+"/")
	c := s.login.base
	c.Scope, c.BaseURL, c.Origins = adminui.Scope, origin, nil
	c.Path = s.cfg.adminPrefix(s.adminAt) + adminLoginPath
	if c.Site == "" {
		c.Site = strings.TrimPrefix(strings.TrimPrefix(origin, "http://"), "https://")
	}
	c.Site += " (admin)" // or its mails and pages would read like those of the application
	c.IssuerURL, c.Audience, c.ClientID = s.admin.URL(), s.admin.URL(), "hallpass-admin"
	c.ReviewAccounts, c.ExpectedClaims, c.UpdatableClaims, c.Tokens, c.Former = nil, nil, nil, nil, nil
	c.HTTP.Home, c.HTTP.RedirectOrigins, c.HTTP.Refused = s.cfg.adminPrefix(s.adminAt)+"/", nil, nil
	// A name of its own: an application's login may be on the same host.
	flow := "hallpass-admin-flow"
	if strings.HasPrefix(origin, "https:") {
		flow = "__Host-" + flow
	}
	c.HTTP.Cookies = login.Cookies{Flow: flow}
	c.Allow = func(_ context.Context, a mail.Address) (login.Claims, error) {
		if _, listed := s.cfg.Admin.Allow(a); !listed {
			return nil, hallpass.RefusalUnknownSubject
		}
		return nil, nil
	}
	c.StillAllowed = func(context.Context, login.Session) (login.Claims, error) { return nil, hallpass.RefusalUnknownSubject }
	c.HTTP.Complete = func(w http.ResponseWriter, r *http.Request, id login.Identity) error {
		return s.admin.SignIn(w, r, id.Address)
	}
	var err error
	s.adminLogin, err = login.New(c)
	return err
}

// adminLoginPath is where, below the admin, addresses are proven.
const adminLoginPath = "/login"

// onlyPages lets through what a person does on the pages of a login, and nothing
// that would give tokens to a program: an operator's address opens the admin alone.
func onlyPages(prefix string, pages, otherwise http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, prefix), "/") {
		case "", "/code", "/link":
			kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
			if r.Method == http.MethodGet || r.Method == http.MethodHead ||
				r.Method == http.MethodPost && err == nil && kind == "application/x-www-form-urlencoded" {
				pages.ServeHTTP(w, r)
				return
			}
		}
		otherwise.ServeHTTP(w, r)
	})
}

// adminSessions shows all sessions as the admin wants them.
type adminSessions struct{ all Sessions }

func (s adminSessions) End(ctx context.Context, id string) error { return s.all.End(ctx, id) }

func (s adminSessions) List(ctx context.Context, subject, after string, limit int) ([]adminui.Session, string, error) {
	found, next, err := s.all.List(ctx, subject, after, limit)
	page := make([]adminui.Session, 0, len(found))
	for _, one := range found {
		page = append(page, adminSession(one))
	}
	return page, next, err
}

func adminSession(s api.Session) adminui.Session {
	began, _ := time.Parse(time.RFC3339Nano, s.StartedAt)
	ends, _ := time.Parse(time.RFC3339Nano, s.ExpiresAt)
	return adminui.Session{
		ID: s.ID, Kind: s.Kind, Subject: s.Subject, Email: s.Email, Scope: s.Scope, Pass: s.Pass, Host: s.Host, Began: began, Ends: ends,
	}
}

// adminBlocked lists and lifts what the logins of this process hold up.
type adminBlocked struct{ server *Server }

func (b adminBlocked) logins() (all []*login.Login) {
	for _, l := range []*login.Login{b.server.login.api, b.server.adminLogin} {
		if l != nil {
			all = append(all, l)
		}
	}
	return all
}

func (b adminBlocked) List(ctx context.Context) (list []adminui.Block, err error) {
	for _, l := range b.logins() {
		blocks, err := l.Blocks(ctx)
		if err != nil {
			return nil, err
		}
		for _, one := range blocks {
			list = append(list, adminui.Block{Kind: one.What, Name: one.Name, Failures: int64(one.Failures), Until: one.Until})
		}
	}
	return list, nil
}

func (b adminBlocked) Unblock(ctx context.Context, kind, name string) error {
	lifted := error(hallpass.ErrNotFound)
	for _, l := range b.logins() {
		switch err := l.Unblock(ctx, kind, name); {
		case err == nil:
			lifted = nil
		case !errors.Is(err, hallpass.ErrNotFound):
			return err
		}
	}
	return lifted
}
