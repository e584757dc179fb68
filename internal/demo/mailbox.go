package demo

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hallpass-go/hallpass/guard"
)

// mail is a message the site sent. Nothing leaves the machine: the inbox page is
// where it arrives.
type mail struct {
	Number  int
	ID      string // of those that another package sent
	To      string
	From    string
	Subject string
	Lines   []string
	Code    string // to be typed; empty when there is none
	Link    string
	Button  string
	Headers []header
	At      time.Time
}

type header struct{ Name, Value string }

// mailboxSize is how many mails are kept; older ones go.
const mailboxSize = 200

type mailbox struct {
	mu    sync.Mutex
	sent  int
	mails []mail // newest first
}

func (b *mailbox) send(m mail) mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent++
	m.Number = b.sent
	b.mails = slices.Insert(b.mails, 0, m)
	b.mails = b.mails[:min(len(b.mails), mailboxSize)]
	return m
}

func (b *mailbox) all() []mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.mails)
}

func (b *mailbox) find(number int) (mail, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.mails, func(m mail) bool { return m.Number == number })
	if i < 0 {
		return mail{}, false
	}
	return b.mails[i], true
}

func (b *mailbox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mails)
}

// unsubscribeHeaders are RFC 8058's, as a mail program would act on them.
func unsubscribeHeaders(link string) []header {
	h := guard.ListUnsubscribe(link)
	return []header{{"List-Unsubscribe", h["List-Unsubscribe"]}, {"List-Unsubscribe-Post", h["List-Unsubscribe-Post"]}}
}

func (s *Site) inbox(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "inbox", struct {
		frame
		Inbox []mail
	}{s.frame(r), s.mailbox.all()})
}

func (s *Site) mail(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("number"))
	m, ok := s.mailbox.find(number)
	if err != nil || !ok {
		http.Redirect(w, r, "/inbox", http.StatusSeeOther)
		return
	}
	s.show(w, r, http.StatusOK, "mail", struct {
		frame
		Mail mail
	}{s.frame(r), m})
}
