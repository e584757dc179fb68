package mail

import (
	"context"
	"errors"
	"fmt"
	"net/smtp"
	"slices"
	"strings"
)

// logIn presents the password. Whoever calls it has seen to it that nobody listens.
func (c *smtpConn) logIn(ctx context.Context, cfg *SMTPConfig) error {
	_, offer := c.client.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(offer))
	mode := cfg.Auth
	if mode == "" {
		mode = AuthPlain
		if !slices.Contains(offered, "PLAIN") {
			mode = AuthLogin
		}
	}
	if !slices.Contains(offered, strings.ToUpper(string(mode))) {
		return fmt.Errorf("mail: %s does not offer to log in with AUTH PLAIN or LOGIN as configured; it may want another tls=", c.server)
	}
	var auth smtp.Auth = plainAuth{cfg.Username, cfg.Password}
	if mode == AuthLogin {
		auth = &loginAuth{answers: []string{cfg.Username, cfg.Password}}
	}
	if err := c.client.Auth(auth); err != nil {
		return c.failed(ctx, "AUTH", err, true)
	}
	return nil
}

var errAuthChallenge = errors.New("the server asked for more than a user and a password")

// plainAuth is RFC 4616. Unlike net/smtp's it leaves the judgement on encryption to
// open, which looks at the address and not at the name.
type plainAuth struct{ username, password string }

func (a plainAuth) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + a.username + "\x00" + a.password), nil
}

func (plainAuth) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return nil, errAuthChallenge
	}
	return nil, nil
}

// loginAuth answers a server's two questions in their order, whatever their words.
type loginAuth struct{ answers []string }

func (a *loginAuth) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

func (a *loginAuth) Next(_ []byte, more bool) ([]byte, error) {
	switch {
	case !more:
		return nil, nil
	case len(a.answers) == 0:
		return nil, errAuthChallenge
	}
	answer := a.answers[0]
	a.answers = a.answers[1:]
	return []byte(answer), nil
}
