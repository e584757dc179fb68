package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
)

// The scopes of the site: what a pass is for, asked for by the route that
// honours it.
const (
	scopeUnsubscribe hallpass.Scope = "newsletter:unsubscribe"
	scopeInvite      hallpass.Scope = "invite"
	scopeLogin       hallpass.Scope = "login"
	scopeAPI         hallpass.Scope = "api:reports"
)

type reader struct {
	Address    string
	Subscribed bool
}

func (s *Site) readers() []reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []reader
	for address, yes := range s.subscribed {
		all = append(all, reader{address, yes})
	}
	slices.SortFunc(all, func(a, b reader) int {
		if a.Address < b.Address {
			return -1
		}
		return 1
	})
	return all
}

func (s *Site) newsletter(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "newsletter", struct {
		frame
		Readers []reader
	}{s.frame(r), s.readers()})
}

func (s *Site) unsubscribeSpec(address string) hallpass.Spec {
	return hallpass.Spec{
		Scope: scopeUnsubscribe, Mode: hallpass.ModeRequest, Subject: address,
		Recipient: address, Batch: "issue-12", MaxUses: 1,
	}
}

// sendNewsletter mails the week's issue to everybody who wants it, each with a
// link that unsubscribes this one reader, once, without logging in.
func (s *Site) sendNewsletter(w http.ResponseWriter, r *http.Request) {
	for _, reader := range s.readers() {
		if !reader.Subscribed {
			continue
		}
		if err := s.mailNewsletter(r.Context(), reader.Address); err != nil {
			s.problem(w, err)
			return
		}
	}
	http.Redirect(w, r, "/inbox", http.StatusSeeOther)
}

func (s *Site) mailNewsletter(ctx context.Context, address string) error {
	link, err := s.issueLink(ctx, "/newsletter/unsubscribe", s.unsubscribeSpec(address))
	if err != nil {
		return err
	}
	s.mailbox.send(mail{
		To: address, From: "news@corridor.example", Subject: siteName + ", issue 12", At: s.issuer.Now(),
		Lines: []string{
			"Good morning. The clock by the stairs is right again, the piano in room 4 is not, and the library has bought the long ladder.",
			"You get this because you asked for it. One link stops it, without a password.",
		},
		Link: link, Button: "Unsubscribe", Headers: unsubscribeHeaders(link),
	})
	return nil
}

// unsubscribe runs once per link, after a person pressed the button or a mail
// program sent the one-click POST.
func (s *Site) unsubscribe(w http.ResponseWriter, r *http.Request) {
	subject, _ := guard.Subject(r.Context())
	s.mu.Lock()
	s.subscribed[subject] = false
	s.mu.Unlock()
	s.show(w, r, http.StatusOK, "unsubscribed", struct {
		frame
		Address string
	}{s.frame(r), subject})
}

func (s *Site) subscribe(w http.ResponseWriter, r *http.Request) {
	address := r.FormValue("address")
	s.mu.Lock()
	if _, known := s.subscribed[address]; known {
		s.subscribed[address] = true
	}
	s.mu.Unlock()
	http.Redirect(w, r, "/newsletter", http.StatusSeeOther)
}

// sendInvitation mails a public link with a payload: whoever opens it gets the
// offer, ten times at most, and nobody has to be known.
func (s *Site) sendInvitation(w http.ResponseWriter, r *http.Request) {
	link, err := s.issueLink(r.Context(), "/invite", s.invitationSpec())
	if err != nil {
		s.problem(w, err)
		return
	}
	s.mailbox.send(mail{
		To: "friend@example.net", From: "greta@example.com", Subject: "Read " + siteName + " with me", At: s.issuer.Now(),
		Lines: []string{
			"I thought of you when I read about the ladder. With this link your first three months are free, and my name is on it, so they know who sent you.",
			"Pass it on if you like: it works ten times.",
		},
		Link: link, Button: "Accept the invitation",
	})
	http.Redirect(w, r, "/inbox", http.StatusSeeOther)
}

func (s *Site) invitationSpec() hallpass.Spec {
	data, _ := json.Marshal(offer{From: "greta@example.com", Months: 3})
	return hallpass.Spec{Scope: scopeInvite, Mode: hallpass.ModePublic, Data: data, Batch: "spring", MaxUses: 10}
}

// offer is the payload of an invitation.
type offer struct {
	From   string `json:"from"`
	Months int    `json:"months"`
}

func (s *Site) invitation(w http.ResponseWriter, r *http.Request) {
	h := guard.FromContext(r.Context())
	var o offer
	if err := json.Unmarshal(h.Pass.Data, &o); err != nil {
		s.problem(w, err)
		return
	}
	s.mu.Lock()
	s.members = append(s.members, o.From)
	count := len(s.members)
	s.mu.Unlock()
	left := "as often as needed"
	if h.Limited {
		left = strconv.FormatInt(h.UsesLeft, 10)
	}
	s.show(w, r, http.StatusOK, "invitation", struct {
		frame
		Offer offer
		Count int
		Left  string
	}{s.frame(r), o, count, left})
}
