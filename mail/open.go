package mail

import (
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// OpenOptions is what a DSN does not say; nil means all defaults.
type OpenOptions struct {
	// From is who mails are from where the DSN has no from=. A DSN of a mail server
	// needs one of both; dir: defaults to an address that nobody can answer.
	From string
	// WebhookSecret signs what goes to a webhook, which needs it. At least
	// MinWebhookSecret bytes.
	WebhookSecret []byte
	// RootCAs vouch for mail servers and webhooks. Nil means the system's.
	RootCAs *x509.CertPool
	// Log is where "log" writes. Defaults to standard error.
	Log io.Writer
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// Format keeps the secret out of what is printed, whatever the verb.
func (o OpenOptions) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[mail options]") }

// nobody is in a domain that does not exist (RFC 2606).
const nobody = "hallpass <no-reply@hallpass.invalid>"

// target is what a DSN names; exactly one of its fields is set.
type target struct {
	smtp    *SMTPConfig
	caFile  string // with smtp
	dir     *DirConfig
	webhook *WebhookConfig
	log     bool
}

// Check says what is wrong with a DSN, without opening, connecting or making
// anything: a *hallpass.FieldError with field "mail", or nil. It never repeats the
// DSN, which may hold a password.
func Check(dsn string, opts *OpenOptions) error {
	_, err := parseDSN(dsn, opts)
	return err
}

// Open returns the Sender that a DSN names:
//
//	smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS  a mail server, with STARTTLS
//	smtps://…                                    a mail server, with TLS from the first byte
//	dir:FOLDER                                   a file for each message
//	log                                          the text of each message, for development
//	https://…                                    a webhook
//
// docs/mail.md lists the parameters. Call close when nobody sends any more; it is
// never nil. Nothing is connected to yet, but dir: makes its folder, and the file
// that ca= names is read. The error is a *hallpass.FieldError with field "mail" that
// never repeats the DSN.
func Open(dsn string, opts *OpenOptions) (sender Sender, close func() error, err error) {
	to, err := parseDSN(dsn, opts)
	if err != nil {
		return nil, nop, err
	}
	switch {
	case to.smtp != nil:
		if to.caFile != "" {
			if to.smtp.RootCAs, err = readCAs(to.caFile); err != nil {
				return nil, nop, err
			}
		}
		s, err := NewSMTP(*to.smtp)
		if err != nil {
			return nil, nop, err
		}
		return s, s.Close, nil
	case to.webhook != nil:
		h, err := NewWebhook(*to.webhook)
		if err != nil {
			return nil, nop, err
		}
		return h, h.Close, nil
	case to.dir != nil:
		d, err := NewDir(*to.dir)
		if err != nil {
			return nil, nop, err
		}
		return d, nop, nil
	}
	if opts == nil || opts.Log == nil {
		return NewLog(os.Stderr), nop, nil
	}
	return NewLog(opts.Log), nop, nil
}

func nop() error { return nil }

func parseDSN(dsn string, opts *OpenOptions) (target, error) {
	if opts == nil {
		opts = &OpenOptions{}
	}
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "smtp", "smtps":
		cfg, caFile, err := parseSMTP(dsn, opts.From)
		if err != nil {
			return target{}, err
		}
		cfg.RootCAs, cfg.Now = opts.RootCAs, opts.Now
		return target{smtp: &cfg, caFile: caFile}, nil
	case "http", "https":
		cfg := WebhookConfig{URL: dsn, Secret: opts.WebhookSecret, RootCAs: opts.RootCAs, Now: opts.Now}
		if _, err := cfg.withDefaults().validate(); err != nil {
			return target{}, err
		}
		return target{webhook: &cfg}, nil
	case "dir":
		cfg := DirConfig{Folder: rest, From: opts.From, Now: opts.Now}
		if cfg.From == "" {
			cfg.From = nobody
		}
		if _, err := parseAuthor(cfg.From, "mail"); err != nil {
			return target{}, err
		}
		if rest == "" {
			return target{}, &hallpass.FieldError{Field: "mail", Reason: "names no folder; use dir:FOLDER"}
		}
		if strings.Contains(rest, "?") { // meant as a parameter; a folder of that name would be made otherwise
			return target{}, &hallpass.FieldError{Field: "mail", Reason: "takes no parameters with dir:, and no ? in the name of its folder"}
		}
		return target{dir: &cfg}, nil
	}
	if dsn == "log" {
		return target{log: true}, nil
	}
	return target{}, &hallpass.FieldError{
		Field: "mail", Reason: "must be smtp://HOST?from=ADDRESS, smtps://HOST?from=ADDRESS, dir:FOLDER, log, or the https:// URL of a webhook",
	}
}

func readCAs(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &hallpass.FieldError{Field: "mail", Reason: "the file that ca names cannot be read: " + pathless(err).Error()}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, &hallpass.FieldError{Field: "mail", Reason: "the file that ca names holds no certificate in PEM"}
	}
	return pool, nil
}
