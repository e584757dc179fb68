package mail

import (
	"bytes"
	"encoding/base64"
	"maps"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass"
)

// author is who a mail is from.
type author struct {
	name    string
	address Address
}

// parseAuthor reads "no-reply@example.com" or "Example <no-reply@example.com>". Its
// error is a *hallpass.FieldError with the field given.
func parseAuthor(text, field string) (author, error) {
	invalid := func(reason string) (author, error) {
		return author{}, &hallpass.FieldError{Field: field, Reason: reason}
	}
	parsed, err := netmail.ParseAddress(text)
	if err != nil || strings.ContainsFunc(text, breaks) {
		return invalid(`must be an address to send from, such as no-reply@example.com or "Example <no-reply@example.com>"`)
	}
	if reason := unfitSubject(parsed.Name); reason != "" {
		return invalid("has a name to send from that " + reason)
	}
	address, err := ParseAddress(parsed.Address)
	if err != nil {
		return invalid("has an address to send from that " + err.(*hallpass.FieldError).Reason)
	}
	return author{parsed.Name, address}, nil
}

// header is the From field.
func (a author) header() string {
	if a.name == "" {
		return string(a.address)
	}
	if encoded := encodeWords(a.name); encoded != a.name {
		return encoded + " <" + string(a.address) + ">"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.name) + `" <` + string(a.address) + ">"
}

// compose writes the message as RFC 5322 text with CRLF. The message is valid.
func compose(m *Message, from author, now time.Time) ([]byte, error) {
	var out bytes.Buffer
	field := func(name, value string) { out.WriteString(fold(name+": "+value) + "\r\n") }
	field("Date", now.Format(time.RFC1123Z))
	field("From", from.header())
	field("To", string(m.To))
	field("Subject", encodeWords(m.Subject))
	// The right half makes the id unique beyond this deployment (RFC 5322 section 3.6.4).
	field("Message-ID", "<"+m.ID+"@"+from.address.Domain()+">")
	// RFC 3834 section 5: no out-of-office note answers.
	field("Auto-Submitted", "auto-generated")
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		field(name, m.Headers[name])
	}
	field("MIME-Version", "1.0")
	var err error
	if m.HTML == "" {
		field("Content-Type", "text/plain; charset=utf-8")
		field("Content-Transfer-Encoding", "quoted-printable")
		out.WriteString("\r\n")
		err = writeQuoted(&out, m.Text)
	} else {
		parts := multipart.NewWriter(&out)
		field("Content-Type", "multipart/alternative; boundary="+parts.Boundary())
		out.WriteString("\r\n")
		err = writeParts(parts, m)
	}
	return out.Bytes(), err
}

// writeParts puts the plain text first: of alternatives the last is the best one (RFC
// 2046 section 5.1.4).
func writeParts(parts *multipart.Writer, m *Message) error {
	for _, part := range []struct{ kind, body string }{{"text/plain", m.Text}, {"text/html", m.HTML}} {
		w, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Type":              {part.kind + "; charset=utf-8"},
			"Content-Transfer-Encoding": {"quoted-printable"},
		})
		if err != nil {
			return err
		}
		if err := writeQuoted(w, part.body); err != nil {
			return err
		}
	}
	return parts.Close()
}

// writeQuoted writes quoted-printable: lines up to 76 characters stay as they are,
// so a code alone on its line is found by whoever reads the raw mail.
func writeQuoted(w interface{ Write([]byte) (int, error) }, body string) error {
	quoted := quotedprintable.NewWriter(w)
	if _, err := quoted.Write([]byte(crlf(body))); err != nil {
		return err
	}
	return quoted.Close()
}

// crlf makes every kind of line break CRLF.
func crlf(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	return strings.ReplaceAll(s, "\n", "\r\n")
}

// foldAt is the length that a header line should not exceed (RFC 5322 section 2.1.1).
const foldAt = 78

// fold breaks a header line before single spaces, which is where unfolding restores
// it exactly. A word that is longer than a line stays whole.
func fold(line string) string {
	var out strings.Builder
	length := 0
	name, value, _ := strings.Cut(line, " ")
	out.WriteString(name)
	length = len(name)
	words := strings.Split(value, " ")
	for i, word := range words {
		// An empty word is one of several spaces, and readers drop space at the end
		// of a line.
		if i > 0 && word != "" && words[i-1] != "" && length+1+len(word) > foldAt {
			out.WriteString("\r\n")
			length = 0
		}
		out.WriteString(" " + word)
		length += 1 + len(word)
	}
	return out.String()
}

// encodeWords returns text as it may stand in an unstructured header field: as it
// is, or as encoded words (RFC 2047). Text that only looks like an encoded word is
// encoded too, or it would be shown as something else.
func encodeWords(text string) string {
	plain := !strings.Contains(text, "=?") && strings.Join(strings.Fields(text), " ") == text &&
		!strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
	for _, word := range strings.Fields(text) {
		plain = plain && len(word) < foldAt
	}
	if plain {
		return text
	}
	// 45 bytes make 60 characters, 72 with what is around them; 75 is the limit. A
	// word ends where a character does (section 5).
	const size = 45
	var words []string
	for text != "" {
		n := min(size, len(text))
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n--
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(text[:n]))+"?=")
		text = text[n:]
	}
	return strings.Join(words, " ")
}
