package mailbox

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
)

// Message is a mail that arrived, once for each recipient.
type Message struct {
	// From and To are the envelope's.
	From, To string
	// Hello is the name that the sender gave, LoggedIn the user, Encrypted whether
	// there was TLS.
	Hello, LoggedIn string
	Encrypted       bool

	// Raw is the message as it came, Header its header.
	Raw    []byte
	Header netmail.Header
	// Subject, Text and HTML are decoded; lines end with LF.
	Subject, Text, HTML string
}

func parse(raw []byte) (Message, error) {
	parsed, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Message{}, err
	}
	m := Message{Raw: raw, Header: parsed.Header}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); err != nil {
		return Message{}, err
	}
	kind, parameters, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil {
		return Message{}, err
	}
	if kind != "multipart/alternative" {
		return m, m.take(kind, parsed.Header.Get("Content-Transfer-Encoding"), parsed.Body)
	}
	parts := multipart.NewReader(parsed.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return m, nil
		}
		if err != nil {
			return Message{}, err
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			return Message{}, err
		}
		if err := m.take(kind, part.Header.Get("Content-Transfer-Encoding"), part); err != nil {
			return Message{}, err
		}
	}
}

func (m *Message) take(kind, encoding string, body io.Reader) error {
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	text := strings.ReplaceAll(string(content), "\r\n", "\n")
	switch kind {
	case "text/plain":
		m.Text = text
	case "text/html":
		m.HTML = text
	default:
		return fmt.Errorf("a part of type %s", kind)
	}
	return nil
}
