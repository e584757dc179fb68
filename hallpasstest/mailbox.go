package hallpasstest

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

// Mailbox is a mail.Sender whose mails arrive in the test. The zero value is ready.
// It may be used by several goroutines.
type Mailbox struct {
	mu      sync.Mutex
	mails   []Mail
	taken   []bool        // by mail: Next has returned it
	fault   error         // what Send returns
	arrived chan struct{} // closed at the next mail; nil while nobody waits
}

var _ mail.Sender = (*Mailbox)(nil)

// Send implements mail.Sender. Like every sender it refuses a message that is none.
func (b *Mailbox) Send(ctx context.Context, m mail.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := m.Validate(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault != nil {
		return b.fault
	}
	b.mails, b.taken = append(b.mails, Mail{m}), append(b.taken, false)
	if b.arrived != nil {
		close(b.arrived)
		b.arrived = nil
	}
	return nil
}

// Fail makes Send return an error from now on, as a mail server does that is away;
// nil ends that.
func (b *Mailbox) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = err
}

// All returns the mails that have arrived so far, oldest first.
func (b *Mailbox) All() []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.mails)
}

// patience is how long Next waits: far longer than a worker takes.
const patience = 10 * time.Second

// Next returns the oldest mail to an address that it has not returned yet, and waits
// for one where there is none: programs send mails in the background. It fails the
// test after ten seconds.
func (b *Mailbox) Next(t testing.TB, to mail.Address) Mail {
	t.Helper()
	late := time.After(patience)
	for {
		m, found, arrived := b.take(to)
		if found {
			return m
		}
		select {
		case <-arrived:
		case <-late:
			t.Fatalf("no further mail to %s arrived", to)
		}
	}
}

// take returns the next mail, or what tells of one more.
func (b *Mailbox) take(to mail.Address) (m Mail, found bool, arrived <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, m := range b.mails {
		if m.To == to && !b.taken[i] {
			b.taken[i] = true
			return m, true, nil
		}
	}
	if b.arrived == nil {
		b.arrived = make(chan struct{})
	}
	return Mail{}, false, b.arrived
}

// Mail is a mail that arrived.
type Mail struct{ mail.Message }

var (
	linkPattern = regexp.MustCompile(`https?://[^\s<>"]+`)
	codePattern = regexp.MustCompile(`(?m)^[ \t]*([0-9]{6,10})[ \t]*\r?$`)
)

// Links returns the links in the text, in its order, without the punctuation that
// ends a sentence behind them.
func (m Mail) Links() []string {
	links := linkPattern.FindAllString(m.Text, -1)
	for i, link := range links {
		links[i] = strings.TrimRight(link, ".,;:!?)'")
	}
	return links
}

// Link returns the first link in the text that carries a token, or is that of a login;
// empty where there is none.
func (m Mail) Link() string {
	for _, link := range m.Links() {
		if _, ok := hallpass.FindToken(link, ""); ok || link == m.Data["link"] {
			return link
		}
	}
	return ""
}

// Code returns the code in the text, which stands alone on its line; empty where
// there is none.
func (m Mail) Code() string {
	if found := codePattern.FindStringSubmatch(m.Text); found != nil {
		return found[1]
	}
	return ""
}
