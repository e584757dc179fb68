package mail

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// smtpParameters are what may stand in the query.
var smtpParameters = []string{"from", "envelope", "hello", "tls", "ca", "auth", "conns", "messages", "idle", "connect", "command"}

// parseSMTP reads smtp:// and smtps:// DSNs. caFile is what ca= names, unread. It
// repeats nothing of the DSN but the names of its parameters.
func parseSMTP(dsn, from string) (cfg SMTPConfig, caFile string, err error) {
	invalid := func(format string, args ...any) (SMTPConfig, string, error) {
		return SMTPConfig{}, "", &hallpass.FieldError{Field: "mail", Reason: fmt.Sprintf(format, args...)}
	}
	u, err := url.Parse(dsn)
	if err != nil || u.Opaque != "" || strings.Contains(dsn, "#") || u.Path != "" && u.Path != "/" {
		return invalid("must be smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS, with characters such as # / ? @ : %% in user and password written as %%23 and so on")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return invalid("has parameters that are no URL query")
	}
	cfg = SMTPConfig{Host: u.Hostname(), From: from}
	if u.Scheme == "smtps" {
		if query.Has("tls") {
			return invalid("smtps:// is TLS from the first byte; tls is for smtp://")
		}
		cfg.TLS = TLSImplicit
	}
	if port := u.Port(); port != "" {
		if cfg.Port, err = strconv.Atoi(port); err != nil || cfg.Port == 0 {
			return invalid("the port must be 1 to 65535")
		}
	}
	if u.User != nil {
		cfg.Username = u.User.Username()
		cfg.Password, _ = u.User.Password()
	}
	for name, values := range query {
		// An unknown name is not repeated: behind a password with an unescaped
		// question mark it would be the rest of that password.
		if !slices.Contains(smtpParameters, name) {
			return invalid("knows no such parameter; there are %s", strings.Join(smtpParameters, ", "))
		}
		if len(values) != 1 || values[0] == "" {
			return invalid("%s must be there once, with a value", name)
		}
		if name == "ca" {
			caFile = values[0]
			continue
		}
		if reason := cfg.set(name, values[0]); reason != "" {
			return invalid("%s", reason)
		}
	}
	if cfg.From == "" {
		return invalid("needs an address to send from, such as ?from=no-reply@example.com")
	}
	complete := cfg.withDefaults()
	if err := complete.validate(); err != nil {
		return SMTPConfig{}, "", err
	}
	if caFile != "" && complete.TLS == TLSNone {
		return invalid("ca is for TLS, and there is none; say tls=starttls or smtps://")
	}
	if _, err := parseAuthor(cfg.From, "mail"); err != nil {
		return SMTPConfig{}, "", err
	}
	return cfg, caFile, nil
}

// set takes over a parameter, or says what is wrong with it.
func (c *SMTPConfig) set(name, value string) (reason string) {
	var err error
	switch name {
	case "from":
		c.From = value
	case "envelope":
		if c.EnvelopeFrom, err = ParseAddress(value); err != nil {
			return "envelope " + err.(*hallpass.FieldError).Reason
		}
	case "hello":
		c.Hello = value
	case "tls":
		c.TLS = TLSMode(value)
		if c.TLS != TLSStartTLS && c.TLS != TLSOpportunistic && c.TLS != TLSNone {
			return "tls must be starttls, opportunistic or none"
		}
	case "auth":
		c.Auth = AuthMode(value)
	case "conns":
		c.MaxConns, reason = count(name, value)
	case "messages":
		c.MessagesPerConn, reason = count(name, value)
	case "idle":
		c.IdleTimeout, reason = period(name, value)
	case "connect":
		c.ConnectTimeout, reason = period(name, value)
	case "command":
		c.CommandTimeout, reason = period(name, value)
	}
	return reason
}

// maxConns is far more than any server allows one client.
const maxConns = 1000

func count(name, value string) (n int, reason string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxConns {
		return 0, fmt.Sprintf("%s must be a number from 1 to %d", name, maxConns)
	}
	return n, ""
}

func period(name, value string) (d time.Duration, reason string) {
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		return 0, name + " must be a duration such as 30s"
	}
	return d, ""
}
