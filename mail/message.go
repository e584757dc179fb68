package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/textproto"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass"
)

var (
	// ErrRejected means that a retry would not help: the recipient does not exist,
	// the message was refused for good, or it cannot be a mail at all. Every other
	// error of Send may be retried, with the same Message.
	ErrRejected = errors.New("mail: rejected")
	// ErrUnsure means that the message was handed over whole and the answer got
	// lost: it may have arrived. A retry is allowed, and may make a second copy,
	// which carries the same Message-ID.
	ErrUnsure = errors.New("mail: sent without a confirmation")
)

// Sender takes messages to their readers. It may be used by several goroutines.
type Sender interface {
	// Send returns nil once somebody else has taken over responsibility for the
	// message. ErrRejected and ErrUnsure say what an error means for a retry. The
	// error never holds the subject, the text, the data or a password. When ctx
	// ends, Send returns soon.
	Send(ctx context.Context, m Message) error
}

const (
	maxID      = 128
	maxSubject = 512
	// maxBody bounds text and HTML, each, in bytes.
	maxBody = 1 << 20
	// maxHeaderLine is RFC 5322 section 2.1.1's, without CR and LF.
	maxHeaderLine = 998
)

// Message is a mail to one reader. Subject, Text, HTML, Headers and Data are secret,
// for they may hold a code or a link that logs somebody in: printing and logging a
// Message do not show them.
type Message struct {
	// ID names the message and stays the same when it is sent again: a receiver
	// can discard the repeat by it. It is the left half of the Message-ID: up to
	// 128 letters, digits, hyphens, underscores, and dots between them. Required.
	ID string
	// To is the one reader. Required.
	To Address
	// Subject is one line.
	Subject string
	// Text is the message as plain text, with LF or CRLF between lines. Required.
	Text string
	// HTML is the same message as a page. Empty: there is text alone.
	HTML string
	// Headers are further header fields, such as List-Unsubscribe, in ASCII. Those
	// that a Sender writes itself (From, To, Subject, Date, Content-Type …) are
	// refused. What is no mail ignores them.
	Headers map[string]string
	// Kind says what the message is for, such as "login".
	Kind string
	// Data is what a channel that is no mail needs, such as "code", "link" and
	// "language".
	Data map[string]string
}

// String names the message and shows nothing of what it says.
func (m Message) String() string {
	return fmt.Sprintf("[%s message %s to %s]", m.Kind, m.ID, m.To)
}

// Format writes String for every verb: %+v and %d would otherwise print the fields.
func (m Message) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue keeps what the message says out of structured logs.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", m.ID), slog.String("kind", m.Kind), slog.String("to", string(m.To)))
}

// Validate says what keeps the message from being sent by any Sender: an error that
// is ErrRejected and holds a *hallpass.FieldError naming the field, without its
// value. Every Sender asks it first.
func (m Message) Validate() error {
	for _, field := range []struct{ name, reason string }{
		{"id", unfitID(m.ID)},
		{"to", m.unfitTo()},
		{"subject", unfitSubject(m.Subject)},
		{"text", unfitBody(m.Text, true)},
		{"html", unfitBody(m.HTML, false)},
		{"headers", unfitHeaders(m.Headers)},
		{"kind", unfitKind(m.Kind)},
	} {
		if field.reason != "" {
			return fmt.Errorf("%w: %w", ErrRejected, &hallpass.FieldError{Field: field.name, Reason: field.reason})
		}
	}
	return nil
}

func unfitID(id string) string {
	for _, atom := range strings.Split(id, ".") {
		if atom == "" || strings.Trim(atom, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return "must be letters, digits, hyphens, underscores, and single dots between them"
		}
	}
	if len(id) > maxID {
		return "must have at most 128 characters"
	}
	return ""
}

func (m Message) unfitTo() string {
	if !m.To.canonical() {
		return "must be an address that ParseAddress returned"
	}
	return ""
}

func unfitSubject(subject string) string {
	switch {
	case !utf8.ValidString(subject) || strings.ContainsFunc(subject, breaks):
		return "must be one line of valid UTF-8 without control characters"
	case len(subject) > maxSubject:
		return "must have at most 512 bytes"
	}
	return ""
}

// breaks reports whether a character ends a line, or steers what shows it.
func breaks(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

func unfitBody(body string, required bool) string {
	switch {
	case required && body == "":
		return "must not be empty"
	case len(body) > maxBody:
		return "must have at most 1 MiB"
	case !utf8.ValidString(body) || strings.Contains(body, "\x00"):
		return "must be valid UTF-8 without NUL"
	}
	return ""
}

func unfitKind(kind string) string {
	if strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return "must be lower-case letters, digits, hyphens and underscores"
	}
	return ""
}

// written are the header fields that a Sender writes itself, or that a message must
// not have: they would give it another sender, reader or form.
var written = map[string]bool{
	"From": true, "Sender": true, "To": true, "Cc": true, "Bcc": true, "Subject": true, "Date": true,
	"Message-Id": true, "Mime-Version": true, "Auto-Submitted": true, "Return-Path": true, "Received": true,
}

func unfitHeaders(headers map[string]string) string {
	seen := map[string]bool{}
	for name, value := range headers {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "":
			return "must have names of letters, digits and hyphens"
		case written[canonical] || strings.HasPrefix(canonical, "Content-") || strings.HasPrefix(canonical, "Resent-"):
			return "must not have " + canonical + ", which is not the message's to set"
		case seen[canonical]:
			return "must have each name once, whatever its case"
		case strings.TrimSpace(value) != value || value == "":
			return "must have values without space around them"
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
			return "must have values of printable ASCII, without line breaks"
		case len(name)+len(": ")+len(value) > maxHeaderLine:
			return "must have lines of at most 998 characters (RFC 5322); a short token fits"
		}
		seen[canonical] = true
	}
	return ""
}
