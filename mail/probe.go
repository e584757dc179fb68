package mail

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"
)

// Probe says whether mails would be taken where a DSN sends them, as far as can be told
// without sending one: a mail server is connected to, over TLS as the DSN says, and
// logged in to; a webhook's host is connected to; a folder is there. Nothing is made. Its
// error never repeats the DSN; one about the DSN itself is a *hallpass.FieldError.
func Probe(ctx context.Context, dsn string, opts *OpenOptions) error {
	to, err := parseDSN(dsn, opts)
	if err != nil {
		return err
	}
	switch {
	case to.smtp != nil:
		return to.probeSMTP(ctx)
	case to.webhook != nil:
		return probeHost(ctx, to.webhook.URL)
	case to.dir != nil:
		if info, err := os.Stat(to.dir.Folder); err == nil && !info.IsDir() {
			return fmt.Errorf("%s is no folder", to.dir.Folder)
		} // one that is missing is made by the first who sends
	}
	return nil
}

func (t target) probeSMTP(ctx context.Context) (err error) {
	if t.caFile != "" {
		if t.smtp.RootCAs, err = readCAs(t.caFile); err != nil {
			return err
		}
	}
	s, err := NewSMTP(*t.smtp)
	if err != nil {
		return err
	}
	c, err := s.dial(ctx)
	if err == nil {
		c.hangUp()
	}
	return err
}

// probeHost connects to the host of a URL, which may have a secret in its path.
func probeHost(ctx context.Context, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("the webhook has no host")
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme // which net knows the port of
	}
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", u.Hostname(), err)
	}
	return conn.Close()
}
