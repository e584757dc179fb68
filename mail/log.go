package mail

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
)

// Log writes the text of each message where a developer sees it. Codes and links
// are shown: whoever can read the output can log in as anybody. It is for
// development on one machine, never for a server that others reach.
type Log struct {
	mu sync.Mutex
	w  io.Writer
}

// NewLog returns a Log that writes to w, each message in one Write.
func NewLog(w io.Writer) *Log { return &Log{w: w} }

// Send writes the message's reader, subject and text, between two rules.
func (l *Log) Send(ctx context.Context, m Message) error {
	if err := m.Validate(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("mail: %w", context.Cause(ctx))
	}
	const rule = "------------------------------------------------------------\n"
	text := fmt.Sprintf("%sTo: %s\nSubject: %s\n\n%s\n%s", rule, m.To, m.Subject, strings.TrimRight(m.Text, "\r\n"), rule)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := io.WriteString(l.w, strings.Map(harmless, strings.ReplaceAll(text, "\r\n", "\n"))); err != nil {
		return fmt.Errorf("mail: writing to the log: %w", err)
	}
	return nil
}

// harmless takes out what would steer the terminal, or turn the text around.
func harmless(r rune) rune {
	if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
		return unicode.ReplacementChar
	}
	return r
}
