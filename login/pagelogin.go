package login

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// The form fields and query parameters of the pages.
const (
	fieldEmail = "email"
	fieldCode  = "code"
	fieldNext  = "next"
	fieldStep  = "step"
	paramOther = "other"
)

// showLogin is the page: for the code where this browser waits for one, otherwise
// for the address.
func (l *Login) showLogin(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodHead {
		serveLook(w)
		return nil
	}
	query := r.URL.Query()
	next := l.allowedNext(query.Get(fieldNext))
	v := PageView{}
	if !query.Has(paramOther) {
		if answered, err := l.offerBack(w, r, next); answered || err != nil {
			return err
		}
		waiting, err := l.waitingHere(r)
		if err == nil {
			return l.codePage(w, r, http.StatusOK, waiting, next, "")
		}
		reason, refused := hallpass.RefusalOf(err)
		if !refused {
			return err
		}
		if reason == hallpass.RefusalExpired {
			v.Notice = l.texts(r).Text("login.address.expired")
		}
	}
	return l.addressPage(w, r, http.StatusOK, v, next)
}

func (l *Login) waitingHere(r *http.Request) (Waiting, error) {
	j := l.jar(r)
	flow, err := j.value(j.flow())
	if err != nil {
		return Waiting{}, err
	}
	return l.Waiting(r.Context(), flow)
}

// offerBack sends a browser back whose access token ended but whose refresh token
// did not, and reports whether it answered. Without being asked it does so for a
// navigation from our own pages or from nowhere; who comes from another site gets a
// button. Where the tokens do not arrive, the second time round is the login page.
func (l *Login) offerBack(w http.ResponseWriter, r *http.Request, next string) (bool, error) {
	j := l.jar(r)
	token, err := j.value(j.refresh())
	if err != nil || token == "" || next == "" || onlyLooks(r) || len(r.CookiesNamed(j.backCookie())) > 0 {
		return false, nil
	}
	site := r.Header.Get("Sec-Fetch-Site")
	if (site != "same-origin" && site != "none") || r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document" {
		t := l.texts(r)
		return true, l.servePage(w, r, http.StatusOK, PageView{
			Page: pageBack, Title: t.Text("login.back.title"), Lead: t.Text("login.back.lead"), Hidden: hiddenNext(next),
			Start: l.cfg.Path + "?" + url.Values{paramOther: {"1"}, fieldNext: {next}}.Encode(),
		})
	}
	err = l.comeBack(w, r, token, next)
	if _, refused := hallpass.RefusalOf(err); refused {
		return false, nil // the session is over, and the page says how to begin one
	}
	return true, err
}

func hiddenNext(next string) []PageField {
	if next == "" {
		return nil
	}
	return []PageField{{fieldNext, next}}
}

func (l *Login) addressPage(w http.ResponseWriter, r *http.Request, status int, v PageView, next string) error {
	t := l.texts(r)
	v.Page, v.Title, v.Lead = pageAddress, t.Text("login.address.title", "site", l.site()), t.Text("login.address.lead")
	v.Hidden = hiddenNext(next)
	return l.servePage(w, r, status, v)
}

func (l *Login) codePage(w http.ResponseWriter, r *http.Request, status int, waiting Waiting, next, problem string) error {
	t := l.texts(r)
	if next == "" {
		next = l.allowedNext(waiting.Next)
	}
	return l.servePage(w, r, status, PageView{
		Page: pageCode, Title: t.Text("login.code.title"), Lead: t.Text("login.code.lead", "address", string(waiting.Address)),
		Error: problem, Hidden: hiddenNext(next), Email: string(waiting.Address), Digits: l.cfg.CodeDigits,
		Ends: waiting.Ends, Resend: waiting.Resend,
	})
}

// formCode asks for the mail.
func (l *Login) formCode(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	next := l.allowedNext(form.Get(fieldNext))
	start, err := l.start(r, form.Get(fieldEmail), next)
	if err != nil {
		return err
	}
	begun, err := l.Begin(r.Context(), start)
	if err == nil {
		l.jar(r).setFlow(w, begun)
		seeOther(w, l.cfg.Path)
		return nil
	}
	t, v := l.texts(r), PageView{Email: bounded(form.Get(fieldEmail), 254)}
	field, badField := errors.AsType[*hallpass.FieldError](err)
	throttled, tooOften := errors.AsType[*Throttled](err)
	switch {
	case badField && field.Field == fieldEmail:
		v.Error = t.Text("login.address.wrong")
	case tooOften:
		v.Error = t.Text("login.throttled", "when", t.Relative(l.now(), l.now().Add(throttled.RetryAfter)))
	default:
		return err
	}
	return l.addressPage(w, r, l.failed(w, r, err).Status, v, next)
}

// formLogin takes the code.
func (l *Login) formLogin(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	j := l.jar(r)
	flow, err := j.value(j.flow())
	if err != nil {
		return err
	}
	next := l.allowedNext(form.Get(fieldNext))
	id, err := l.ByCode(r.Context(), Entry{Code: form.Get(fieldCode), Flow: flow, Client: l.client(r)})
	if err == nil {
		return l.complete(w, r, id, next)
	}
	text := l.codeProblem(r, err)
	if text == "" {
		return err
	}
	waiting, gone := l.Waiting(r.Context(), flow)
	if gone != nil {
		return gone
	}
	return l.codePage(w, r, l.failed(w, r, err).Status, waiting, next, text)
}

// codeProblem is what the page says beside the field, or "" for what has a page of
// its own.
func (l *Login) codeProblem(r *http.Request, err error) string {
	t := l.texts(r)
	if throttled, ok := errors.AsType[*Throttled](err); ok {
		return t.Text("login.code.throttled", "when", t.Relative(l.now(), l.now().Add(throttled.RetryAfter)))
	}
	if _, ok := errors.AsType[*hallpass.FieldError](err); ok {
		return t.Text("login.code.missing")
	}
	reason, refused := hallpass.RefusalOf(err)
	switch {
	case !refused:
		return ""
	case reason == hallpass.RefusalSpent:
		return t.Text("login.code.tries")
	case reason == hallpass.RefusalUnknownSubject:
		return t.Text("login.refused.unknown_subject.text")
	}
	return t.Text("login.code.wrong")
}

// complete logs a browser in: always with a new session, and by now only to where
// it may still go.
func (l *Login) complete(w http.ResponseWriter, r *http.Request, id Identity, next string) error {
	j := l.jar(r)
	if hook := l.cfg.HTTP.Complete; hook != nil {
		if err := hook(w, r, id); err != nil {
			return unavailable("the application could not begin its session", err)
		}
	} else {
		tokens, err := l.Open(r.Context(), id, l.client(r))
		if err != nil {
			return err
		}
		j.setTokens(w, tokens)
	}
	j.clearFlow(w)
	if next == "" {
		next = id.Next
	}
	l.goTo(w, next)
	return nil
}

// formRefresh is the button of the page "back".
func (l *Login) formRefresh(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	next := form.Get(fieldNext)
	token, _, err := l.refreshToken(r, "")
	if err == nil {
		err = l.comeBack(w, r, token, next)
	}
	if _, refused := hallpass.RefusalOf(err); refused {
		seeOther(w, l.pageURL(next))
		return nil
	}
	return err
}

// formLogout is a button of the application's own pages. The browser is logged out
// afterwards, whatever its token was.
func (l *Login) formLogout(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	token, _, err := l.refreshToken(r, "")
	if err == nil {
		err = l.Logout(r.Context(), token)
	}
	if _, refused := hallpass.RefusalOf(err); err != nil && !refused {
		return err
	}
	l.jar(r).clearTokens(w)
	l.goTo(w, form.Get(fieldNext))
	return nil
}

// failPage answers a browser.
func (l *Login) failPage(w http.ResponseWriter, r *http.Request, err error) {
	p := l.failed(w, r, err)
	t := l.texts(r)
	code := p.Code
	if _, known := t["login.refused."+code+".title"]; !known {
		code = string(hallpass.RefusalBadSignature)
	}
	state := "refused"
	if p.Code == wire.CodeUnavailable || p.Code == wire.CodeThrottled {
		state = "later"
	}
	// servePage answers in any case.
	_ = l.servePage(w, r, p.Status, PageView{
		Page: pageRefused, Title: t.Text("login.refused." + code + ".title"), Lead: t.Text("login.refused." + code + ".text"), State: state,
	})
}
