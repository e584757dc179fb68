package mail

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// TLSMode says how a connection to the mail server is encrypted. The server's
// certificate is always verified.
type TLSMode string

// The ways to encrypt.
const (
	// TLSImplicit speaks TLS from the first byte, as on port 465 (RFC 8314).
	TLSImplicit TLSMode = "implicit"
	// TLSStartTLS begins in the clear and refuses to go on without STARTTLS.
	TLSStartTLS TLSMode = "starttls"
	// TLSOpportunistic uses STARTTLS where the server offers it. Whoever controls
	// the network can take the offer away, and then read the mail; never the
	// password.
	TLSOpportunistic TLSMode = "opportunistic"
	// TLSNone never encrypts.
	TLSNone TLSMode = "none"
)

// AuthMode is how a password is presented.
type AuthMode string

// The ways to present a password.
const (
	// AuthPlain is RFC 4616.
	AuthPlain AuthMode = "plain"
	// AuthLogin is what some servers know alone.
	AuthLogin AuthMode = "login"
)

// SMTPConfig is what an SMTP needs. Host and From are required.
type SMTPConfig struct {
	// Host is the server's name, which its certificate must be for, or an IP
	// address.
	Host string
	// Port defaults to 465 with TLSImplicit and to 587 otherwise.
	Port int
	// TLS defaults to TLSStartTLS, and to TLSNone where Host is this machine
	// ("localhost" or a loopback address).
	TLS TLSMode
	// RootCAs vouch for the server. Nil means the system's.
	RootCAs *x509.CertPool

	// Username and Password log in, both or neither. They are never sent over an
	// unencrypted connection, unless to this machine.
	Username, Password string
	// Auth defaults to AuthPlain where the server offers it and AuthLogin otherwise.
	Auth AuthMode

	// From is who the mails are from: an address, or "Example <no-reply@example.com>".
	From string
	// EnvelopeFrom is where bounces go. Defaults to From's address.
	EnvelopeFrom Address
	// Hello is the name given to the server. Defaults to the machine's name if that
	// has a dot, otherwise to its address in brackets (RFC 5321 section 4.1.4).
	Hello string

	// MaxConns is how many connections are open at most; further sends wait.
	// Defaults to 4.
	MaxConns int
	// MessagesPerConn is after how many messages a connection is given up, for
	// servers that allow only so many. Defaults to 100; 1 dials for each message.
	MessagesPerConn int
	// IdleTimeout is how long an unused connection is kept. Defaults to 30 s.
	IdleTimeout time.Duration
	// ConnectTimeout bounds everything up to the server's readiness: dialling, TLS,
	// logging in. Defaults to 15 s.
	ConnectTimeout time.Duration
	// CommandTimeout bounds each answer of the server after that. Defaults to 1 min.
	CommandTimeout time.Duration

	// Now is the clock of the Date field. Defaults to time.Now.
	Now func() time.Time
}

// Format keeps the password out of what is printed, whatever the verb.
func (c SMTPConfig) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[mail server "+c.Host+"]") }

func (c SMTPConfig) withDefaults() SMTPConfig {
	if c.TLS == "" {
		c.TLS = TLSStartTLS
		if isThisMachine(c.Host) {
			c.TLS = TLSNone
		}
	}
	if c.Port == 0 {
		c.Port = 587
		if c.TLS == TLSImplicit {
			c.Port = 465
		}
	}
	if c.Hello == "" {
		c.Hello = machineName()
	}
	if c.MaxConns == 0 {
		c.MaxConns = 4
	}
	if c.MessagesPerConn == 0 {
		c.MessagesPerConn = 100
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 30 * time.Second
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 15 * time.Second
	}
	if c.CommandTimeout == 0 {
		c.CommandTimeout = time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c SMTPConfig) validate() error {
	invalid := func(format string, args ...any) error {
		return &hallpass.FieldError{Field: "mail", Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case c.Host == "" || strings.ContainsFunc(c.Host, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("/@[]", r) }):
		return invalid("must name the mail server, such as smtp.example.com")
	case c.Port < 1 || c.Port > 65535:
		return invalid("the port must be 1 to 65535")
	case c.TLS != TLSImplicit && c.TLS != TLSStartTLS && c.TLS != TLSOpportunistic && c.TLS != TLSNone:
		return invalid("tls must be starttls, opportunistic, none, or, as smtps:// has it, implicit")
	case (c.Username == "") != (c.Password == ""):
		return invalid("must have both a user and a password, or neither")
	case strings.Contains(c.Username+c.Password, "\x00"):
		return invalid("user and password must not contain NUL")
	case c.Auth != "" && c.Auth != AuthPlain && c.Auth != AuthLogin:
		return invalid("auth must be plain or login")
	case c.Auth != "" && c.Username == "":
		return invalid("auth is set, but there is no user and password")
	case c.Username != "" && c.TLS == TLSNone && !isThisMachine(c.Host):
		return invalid("a password is never sent unencrypted to another machine; leave tls=none out")
	case c.EnvelopeFrom != "" && !c.EnvelopeFrom.canonical():
		return invalid("envelope must be an address in its canonical form")
	case c.Hello != "" && strings.Trim(c.Hello, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:[]") != "":
		return invalid("hello must be a host name")
	case c.MaxConns < 1:
		return invalid("conns must be at least 1")
	case c.MessagesPerConn < 1:
		return invalid("messages must be at least 1")
	case c.IdleTimeout < 0 || c.ConnectTimeout < 0 || c.CommandTimeout < 0:
		return invalid("a timeout must not be negative")
	}
	return nil
}

// SMTP sends mail through one server (RFC 5321) and keeps connections to it. Close it.
type SMTP struct {
	cfg      SMTPConfig
	from     author
	envelope Address
	pool     *pool
}

// NewSMTP returns an SMTP. It connects to nothing yet. Its error is a
// *hallpass.FieldError with field "mail".
func NewSMTP(cfg SMTPConfig) (*SMTP, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	from, err := parseAuthor(cfg.From, "mail")
	if err != nil {
		return nil, err
	}
	s := &SMTP{cfg: cfg, from: from, envelope: cfg.EnvelopeFrom, pool: newPool(cfg.MaxConns, cfg.MessagesPerConn, cfg.IdleTimeout)}
	if s.envelope == "" {
		s.envelope = from.address
	}
	return s, nil
}

// Format keeps the password out of what is printed, whatever the verb.
func (s *SMTP) Format(f fmt.State, verb rune) { s.cfg.Format(f, verb) }

// Close hangs up what is not in use. Sends that are under way finish and hang up
// then; later ones fail.
func (s *SMTP) Close() error {
	s.pool.close()
	return nil
}

// Send hands the message to the server. nil means that the server has taken it over.
//
// ErrRejected is the server's final no (5xx) to the recipient or to the message. A
// final no to anything before, such as to the password or to the sender, speaks of
// the configuration: once that is mended, a retry helps, so it is another error.
//
// A connection that turns out to be dead is replaced once, as long as the end of the
// message was not sent on it. After that the message may have arrived: ErrUnsure.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	if err := m.Validate(); err != nil {
		return err
	}
	content, err := compose(&m, s.from, s.cfg.Now())
	if err != nil {
		return err
	}
	mailing := &letter{from: s.envelope, to: m.To, content: content}

	if err := s.pool.acquire(ctx); err != nil {
		return err
	}
	defer s.pool.release()
	if used := s.pool.take(); used != nil {
		err := used.deliver(ctx, mailing)
		lost := used.lost // once put back, the connection is somebody else's
		s.pool.put(used)
		if !lost {
			return err
		}
	}
	fresh, err := s.dial(ctx)
	if err != nil {
		return err
	}
	err = fresh.deliver(ctx, mailing)
	s.pool.put(fresh)
	return err
}

// isThisMachine reports whether what is sent to the host does not leave the machine.
func isThisMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// machineName is a name for EHLO, or "" if the machine has none that others know.
func machineName() string {
	name, err := os.Hostname()
	if err != nil || !strings.Contains(strings.Trim(name, "."), ".") {
		return ""
	}
	if name, err = domains.ToASCII(strings.Trim(name, ".")); err != nil {
		return ""
	}
	return name
}

func (c SMTPConfig) addr() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }
