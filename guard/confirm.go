package guard

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/interstitial"
	"github.com/hallpass-go/hallpass/internal/look"
)

const (
	// StepParam is the query parameter that marks the posts of our own forms, so
	// that no other body is read.
	StepParam    = "_hallpass"
	stepConfirm  = "confirm"
	stepFresh    = "fresh"
	fieldToken   = "token"
	fieldNonce   = "nonce"
	fieldCode    = "code"
	noncePurpose = "guard confirmation"
	nonceLife    = 10 * time.Minute
)

// askFirst shows the confirmation page where the pass needs one, and reports
// whether it answered. Whatever is refused on sight is left to honour, which
// gives the reason.
func (rt *route) askFirst(w http.ResponseWriter, r *http.Request, found presented) bool {
	// A signed token says by itself whether it needs the page; most on a busy
	// route do not, and cost no look at the store. Only a short one has to be read.
	v, err := rt.guard.cfg.Issuer.Verify(hallpass.Presentation{Token: found.token})
	if _, refused := hallpass.RefusalOf(err); refused || err == nil && !rt.needsPage(v.Pass) {
		return false
	}
	entry, other, err := rt.inspect(r, found, http.MethodGet)
	if err != nil {
		rt.note(r, hallpass.EventRefused, entry.Pass, err)
		rt.refuse(w, r, found.with(entry.Pass), err)
		return true
	}
	if !rt.needsPage(entry.Pass) {
		return false
	}
	if other == "" && !rt.opts.TypedCode && isNavigation(r) && rt.guard.askedBy(r, entry) {
		rt.honour(w, r, found, true, "")
		return true
	}
	rt.note(r, hallpass.EventOpened, entry.Pass, nil)
	rt.showPage(w, r, found, entry, other, opened)
	return true
}

// inspect judges a link without using it, as the method it was made for, and
// names the signed-in user that it would replace.
func (rt *route) inspect(r *http.Request, found presented, method string) (entry hallpass.Entry, other string, err error) {
	p := rt.presentation(r, found)
	p.Method = method
	if p.SignedIn, err = rt.signedIn(r); err != nil {
		return entry, "", err
	}
	if entry, _, err = rt.guard.cfg.Issuer.Check(r.Context(), p); err != nil {
		return entry, "", err
	}
	if entry.Mode == hallpass.ModeSession && p.SignedIn != entry.Subject {
		other = p.SignedIn
	}
	return entry, other, nil
}

func (rt *route) needsPage(pass hallpass.Pass) bool {
	switch {
	case pass.Mode == hallpass.ModeSession, rt.opts.TypedCode:
		return true
	case rt.opts.Confirm == ConfirmAlways:
		return true
	case rt.opts.Confirm == ConfirmNever, rt.opts.Reads:
		return false
	}
	return pass.Mode == hallpass.ModeRequest || pass.MaxUses == 1
}

// isNavigation reports whether a browser says that a person went to this page.
func isNavigation(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// askedBy reports whether this browser asked for the pass.
func (g *Guard) askedBy(r *http.Request, entry hallpass.Entry) bool {
	if !g.secure(r) && !isLoopback(r.Host) {
		return false // a neighbouring site could have planted the cookie
	}
	cookie, ok := g.browser(r)
	return ok && entry.Browser != "" && hmac.Equal([]byte(hallpass.HashBrowser(cookie)), []byte(entry.Browser))
}

// asked is why the page is shown.
type asked int

const (
	opened    asked = iota // a link was opened, or its page was open too long
	wrongCode              // another code than that of the mail was typed
	byScript               // a script sent the form, and nobody's press
)

// showPage writes the inert page with its one button.
func (rt *route) showPage(w http.ResponseWriter, r *http.Request, found presented, entry hallpass.Entry, other string, why asked) {
	g := rt.guard
	cookie := g.Browser(w, r)
	page := rt.pageURL(r)
	nonce, err := g.makeNonce(nonceInput{cookie, found.token, r.Host, page})
	if err != nil {
		rt.refuse(w, r, found, err)
		return
	}
	view := interstitial.ConfirmView{
		Entry: entry, Title: rt.opts.Title, Button: rt.opts.Button, Now: g.cfg.Issuer.Now(),
		Account: g.cfg.Account(r.Context(), entry.Subject),
		Action:  rt.action(page, stepConfirm, interstitial.Field{Name: fieldToken, Value: found.token.Reveal()}, interstitial.Field{Name: fieldNonce, Value: nonce}),
		Target:  g.target(), ByScript: why == byScript,
	}
	if rt.opts.Sentence != nil {
		view.Sentence = rt.opts.Sentence(entry.Pass)
	}
	if other != "" {
		view.SignedInAs = g.cfg.Account(r.Context(), other)
	}
	if rt.opts.TypedCode {
		view.Code = &interstitial.CodeField{Name: fieldCode, Wrong: why == wrongCode}
	}
	g.logPage(g.pages.Confirm(w, r, view))
}

// action is one of our own forms: it posts to the page's URL, or where the
// application says, without the token, which travels in the body.
func (rt *route) action(page, step string, hidden ...interstitial.Field) interstitial.Action {
	if rt.guard.cfg.StepURL != nil {
		return interstitial.Action{URL: rt.guard.cfg.StepURL(page, step), Hidden: hidden}
	}
	return interstitial.Action{URL: StepTarget(page, step), Hidden: hidden}
}

// StepTarget is a page's path and query with StepParam set to the step.
func StepTarget(page, step string) string {
	separator := "?"
	if strings.Contains(page, "?") {
		separator = "&"
	}
	return page + separator + StepParam + "=" + step
}

func (g *Guard) target() string {
	if g.origin == nil {
		return ""
	}
	return g.origin.String()
}

// pageURL is the request's path and query as the browser sees them, without the
// token and without our own marker.
func (rt *route) pageURL(r *http.Request) string {
	// A path that starts with two slashes is another host to a browser.
	return "/" + strings.TrimLeft(rt.target(r), "/")
}

// target is what pageURL is made from, with the path as it was sent. A request has
// no fragment, so a number sign in its query ends nothing; and a browser turns a
// backslash into a slash.
func (rt *route) target(r *http.Request) string {
	page := requestPath(r)
	if r.URL.RawQuery != "" {
		page += "?" + strings.NewReplacer("#", "%23", `\`, "%5C").Replace(r.URL.RawQuery)
	}
	return hallpass.WithoutToken(hallpass.WithoutToken(page, rt.guard.cfg.Param), StepParam)
}

// requestPath is the escaped path the client asked for. Behind http.StripPrefix
// the handler sees its end only; grants and redirects speak of the whole. Where
// the two do not fit together it is empty, and no grant covers that.
func requestPath(r *http.Request) string {
	if r.RequestURI == "" { // made by a program, not read by a server
		return r.URL.EscapedPath()
	}
	whole, err := url.ParseRequestURI(r.RequestURI)
	if err != nil || !strings.HasSuffix(whole.Path, r.URL.Path) {
		return ""
	}
	return whole.EscapedPath()
}

// serveStep answers the posts of our own pages.
func (rt *route) serveStep(w http.ResponseWriter, r *http.Request, step string) {
	protectLink(w, rt.opts)
	form, err := stepForm(r)
	if err != nil {
		rt.refuse(w, r, presented{}, err)
		return
	}
	found := presented{token: hallpass.NewToken(form.Get(fieldToken)), transport: Query}
	switch {
	case rt.opts.Transports&Query == 0, found.token.IsZero():
		rt.refuse(w, r, presented{}, hallpass.RefusalMissing)
	case step == stepConfirm:
		rt.serveConfirm(w, r, found, form)
	case step == stepFresh && rt.guard.cfg.FreshLink != nil:
		rt.serveFresh(w, r, found)
	default:
		rt.refuse(w, r, presented{}, hallpass.RefusalMalformed)
	}
}

func stepForm(r *http.Request) (url.Values, error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil, hallpass.RefusalMalformed
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 4*hallpass.MaxTokenLength))
	if err != nil {
		return nil, hallpass.RefusalMalformed
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, hallpass.RefusalMalformed
	}
	for _, values := range form {
		if len(values) > 1 {
			return nil, hallpass.RefusalMalformed
		}
	}
	return form, nil
}

// serveConfirm honours a pass after the button was pressed. The nonce ties the
// press to the page, the page to the browser, and both to this link; it is also
// the idempotency key, so a double click is one use with one answer.
func (rt *route) serveConfirm(w http.ResponseWriter, r *http.Request, found presented, form url.Values) {
	g := rt.guard
	if crossSite(r) {
		rt.refuse(w, r, found, hallpass.RefusalNeedsConfirmation)
		return
	}
	page := rt.pageURL(r)
	cookie, ok := g.browser(r)
	if !ok {
		open, err := hallpass.Link(page, found.token, g.cfg.Param)
		if err != nil {
			open = ""
		}
		g.logPage(g.pages.NoCookie(w, r, interstitial.NoCookieView{Open: open}))
		return
	}
	nonce := form.Get(fieldNonce)
	if !g.checkNonce(nonce, nonceInput{cookie, found.token, r.Host, page}) {
		rt.askAgain(w, r, found, opened) // it was left open too long: ask anew
		return
	}
	if answered, err := g.replays.answer(w, r, nonce); answered || err != nil {
		if err != nil {
			rt.refuse(w, r, found, err)
		}
		return
	}
	kept := false
	capture := &capture{ResponseWriter: w}
	defer func() { g.replays.finish(nonce, capture, kept) }()
	// A code that is only in the mail tells more than a press.
	if !rt.opts.TypedCode && look.SentByScript(r, form) {
		rt.askAgain(w, r, found, byScript)
		return
	}
	if rt.opts.TypedCode {
		right, err := rt.checkCode(r, found, cookie, form.Get(fieldCode))
		if err != nil {
			rt.refuse(w, r, found, err)
			return
		}
		if !right {
			rt.askAgain(w, r, found, wrongCode)
			return
		}
	}
	kept = rt.honour(capture, r, found, true, nonce)
}

func (rt *route) askAgain(w http.ResponseWriter, r *http.Request, found presented, why asked) {
	entry, other, err := rt.inspect(r, found, http.MethodGet)
	if why == byScript {
		rt.note(r, hallpass.EventScanned, entry.Pass, err)
	}
	if err != nil {
		rt.refuse(w, r, found.with(entry.Pass), err)
		return
	}
	rt.showPage(w, r, found, entry, other, why)
}

// crossSite reports whether a browser says that another site made the request.
// Our pages send no referrer, which makes the Origin of their posts "null"; that
// is neutral, because nonce and cookie decide.
func crossSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}

// nonceInput is what a nonce is bound to. The method is always GET.
type nonceInput struct {
	cookie string
	token  hallpass.Token
	host   string
	page   string
}

// makeNonce is stateless: its end, some randomness, and a MAC under a key of its
// own over all that it is bound to.
func (g *Guard) makeNonce(in nonceInput) (string, error) {
	secrets, err := g.cfg.Issuer.Keys().Derive(noncePurpose)
	if err != nil || len(secrets) == 0 {
		return "", hallpass.ErrUnavailable
	}
	head := binary.BigEndian.AppendUint64(nil, uint64(g.cfg.Issuer.Now().Add(nonceLife).Unix()))
	head = append(head, make([]byte, 8)...)
	rand.Read(head[8:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(append(head, in.mac(secrets[0], head)...)), nil
}

func (g *Guard) checkNonce(nonce string, in nonceInput) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(raw) != 16+sha256.Size || strings.ContainsAny(nonce, "\r\n") {
		return false
	}
	secrets, err := g.cfg.Issuer.Keys().Derive(noncePurpose)
	if err != nil {
		return false
	}
	ends := time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)
	for _, secret := range secrets {
		if hmac.Equal(in.mac(secret, raw[:16]), raw[16:]) {
			return g.cfg.Issuer.Now().Before(ends)
		}
	}
	return false
}

func (in nonceInput) mac(secret, head []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write(head)
	for _, part := range []string{in.cookie, in.token.Reveal(), in.host, in.page} {
		m.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		io.WriteString(m, part)
	}
	return m.Sum(nil)
}
