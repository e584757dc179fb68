package login

import (
	"cmp"
	"net/http"
	"net/netip"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

const (
	stepContinue = "continue"
	stepCode     = "code"
)

// showLink is where a mailed link leads: an inert page. Mail scanners open it, run
// what is on it, and nothing has happened.
func (l *Login) showLink(w http.ResponseWriter, r *http.Request) error {
	if onlyLooks(r) && r.Method == http.MethodHead {
		serveLook(w)
		return nil
	}
	tokens := r.URL.Query()[LinkParam]
	if len(tokens) != 1 {
		return hallpass.RefusalMalformed
	}
	return l.serveLink(w, r, tokens[0], false)
}

// serveLink writes the page of a link. byScript says that a script sent its form,
// and nobody's press.
func (l *Login) serveLink(w http.ResponseWriter, r *http.Request, token string, byScript bool) error {
	j := l.jar(r)
	flow, err := j.value(j.flow())
	if err != nil {
		return err
	}
	pending, err := l.Look(r.Context(), token, flow)
	if err != nil {
		return err
	}
	t := l.texts(r)
	v := PageView{
		Page: pageLink, Here: pending.Here, HandOver: !l.cfg.NoHandOver, Email: string(pending.Address),
		Began: pending.Began, Ends: pending.Ends, ClientIP: maskAddr(pending.Where.ClientIP), Device: device(t, pending.Where.UserAgent),
		Hidden: []PageField{{LinkParam, token}},
	}
	if pending.Here {
		v.Title, v.Lead = t.Text("login.link.title.here", "site", l.site()), t.Text("login.link.lead.here")
	} else {
		v.Title, v.Lead = t.Text("login.link.title.elsewhere"), t.Text("login.link.lead.elsewhere")
	}
	var notices []string
	if byScript {
		v.Tick, notices = true, append(notices, t.Text("press.notice"))
	}
	if current, found := l.current(r); found && current.Address != pending.Address {
		notices = append(notices, t.Text("login.link.replace", "current", cmp.Or(string(current.Address), current.Subject), "address", string(pending.Address)))
	}
	v.Notice = strings.Join(notices, " ")
	return l.servePage(w, r, http.StatusOK, v)
}

// current tells who is logged in already, by the application's session where it
// keeps one.
func (l *Login) current(r *http.Request) (Identity, bool) {
	if hook := l.cfg.HTTP.Current; hook != nil {
		return hook(r)
	}
	a, _, found, err := l.authenticate(r)
	return Identity{Subject: a.Subject, Address: a.Address}, found && err == nil
}

// formLink is a press of one of its buttons.
func (l *Login) formLink(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	token := form.Get(LinkParam)
	if look.SentByScript(r, form) {
		return l.serveLink(w, r, token, true)
	}
	switch form.Get(fieldStep) {
	case stepContinue:
		id, err := l.ByLink(r.Context(), token, l.client(r))
		if err != nil {
			return err
		}
		return l.complete(w, r, id, "")
	case stepCode:
		return l.showHandOver(w, r, token)
	}
	return wrong(fieldStep, "must be continue or code")
}

// showHandOver shows the code for the device where the login began. It answers the
// press itself: the code is shown once, and has no address of its own.
func (l *Login) showHandOver(w http.ResponseWriter, r *http.Request, token string) error {
	pending, err := l.Look(r.Context(), token, "")
	if err != nil {
		return err
	}
	code, ends, err := l.HandOver(r.Context(), token)
	if err != nil {
		return err
	}
	t := l.texts(r)
	return l.servePage(w, r, http.StatusOK, PageView{
		Page: pageHandOver, Title: t.Text("login.handover.title"), Lead: t.Text("login.handover.lead", "address", string(pending.Address)),
		Code: code, Ends: ends, Digits: len(code),
	})
}

// maskAddr shows enough of an address for its owner to recognise.
func maskAddr(text string) string {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	addr = addr.Unmap()
	if addr.Is4() {
		v4 := addr.String()
		return v4[:strings.LastIndexByte(v4, '.')+1] + "•••"
	}
	network, err := addr.Prefix(48)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(network.Addr().String(), "::") + ":•••"
}
