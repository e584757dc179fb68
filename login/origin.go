package login

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/hallpass-go/hallpass"
)

// sameOrigin refuses what another site makes a browser send: a form that logs its
// victim in as somebody else, or out. Programs that are no browsers pass, as they
// hold no cookies but their own.
func (l *Login) sameOrigin(r *http.Request) error {
	if l.fromOwnPage(r) {
		return nil
	}
	// Our pages send no referrer, which makes the Origin of their forms "null". A
	// browser that says nothing else, because it is old or there is no TLS, shows by
	// the page's nonce that the form is ours.
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "null" && isForm(r) && l.checkNonce(r) {
		return nil
	}
	return hallpass.RefusalNeedsConfirmation
}

// fromOwnPage reports whether a page of the origin that a request came to made it,
// or no browser at all. The other login origins are other sites here: a page on one
// of them must not log anybody in on the next.
func (l *Login) fromOwnPage(r *http.Request) bool {
	return l.protections[l.originFor(r)].Check(r) == nil
}

// newProtections returns one by origin, which trusts that origin alone: a proxy may
// have told another Host than the browser's.
func newProtections(origins []string) (map[string]*http.CrossOriginProtection, error) {
	all := map[string]*http.CrossOriginProtection{}
	for _, origin := range origins {
		p := http.NewCrossOriginProtection()
		if err := p.AddTrustedOrigin(origin); err != nil {
			return nil, wrong("base_url", "%v", err)
		}
		all[origin] = p
	}
	return all, nil
}

const (
	nonceField   = "nonce"
	noncePurpose = "login-page"
	nonceLife    = time.Hour
)

func (j jar) nonceCookie() string { return prefixed("hallpass-page", j.secure, true) }

// nonce returns the MAC of a random cookie, which is set where it is missing. It is
// there only for browsers that do not say where a request comes from.
func (l *Login) nonce(w http.ResponseWriter, r *http.Request) string {
	if r.Header.Get("Sec-Fetch-Site") != "" || onlyLooks(r) {
		return ""
	}
	j := l.jar(r)
	value, err := j.value(j.nonceCookie())
	if err != nil || value == "" {
		value = rand.Text()
		j.set(w, j.nonceCookie(), value, nonceLife)
	}
	secrets, err := l.secrets(noncePurpose)
	if err != nil {
		return "" // the form is then refused, which such an outage does anyway
	}
	return pageMAC(secrets[0], value)
}

func pageMAC(secret []byte, value string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(value))
	return refreshEncoding.EncodeToString(mac.Sum(nil))
}

func (l *Login) checkNonce(r *http.Request) bool {
	j := l.jar(r)
	value, err := j.value(j.nonceCookie())
	if err != nil || value == "" {
		return false
	}
	form, err := readForm(r)
	if err != nil {
		return false
	}
	secrets, err := l.secrets(noncePurpose)
	if err != nil {
		return false
	}
	for _, secret := range secrets {
		if hmac.Equal([]byte(form.Get(nonceField)), []byte(pageMAC(secret, value))) {
			return true
		}
	}
	return false
}
