package guard

import (
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Limits on typing the code of Options.TypedCode, in an hour: by one browser, and
// by all. A stranger who holds the link has to spend a hundred tries to make its
// reader wait, and a hundred of a million find nothing.
const (
	codeTriesPerBrowser = 10
	codeTriesPerPass    = 100
	codeWindow          = time.Hour
)

// Code returns the six digits to write into the mail of a pass whose route has
// Options.TypedCode: those of hallpass.Issuer.TypedCode.
func (g *Guard) Code(pass hallpass.Pass) (string, error) { return g.cfg.Issuer.TypedCode(pass) }

// checkCode counts the try before it looks at it. What is no code at all is no
// try: a robot that presses the button types nothing.
func (rt *route) checkCode(r *http.Request, found presented, cookie, typed string) (bool, error) {
	g := rt.guard
	entry, _, err := rt.inspect(r, found, http.MethodGet)
	if reason, refused := hallpass.RefusalOf(err); err != nil && !(refused && reason == hallpass.RefusalSpent) {
		return false, err // spent may be this very press again: its nonce will tell
	}
	typed = strings.Join(strings.Fields(typed), "")
	if len(typed) != 6 || strings.Trim(typed, "0123456789") != "" {
		return false, nil
	}
	for _, limit := range []struct {
		name, key string
		most      int64
	}{
		{"typed-code-browser", entry.ID + " " + hallpass.HashBrowser(cookie), codeTriesPerBrowser},
		{"typed-code-pass", entry.ID, codeTriesPerPass},
	} {
		ok, err := g.cfg.Issuer.Throttle(r.Context(), limit.name, limit.key, limit.most, codeWindow)
		if err != nil {
			return false, err
		}
		if !ok {
			return false, errThrottled
		}
	}
	return g.cfg.Issuer.IsTypedCode(entry.Pass, typed)
}
