package guard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

const codePurpose = "guard typed code"

// Limits on typing the code of Options.TypedCode, in an hour: by one browser, and
// by all. A stranger who holds the link has to spend a hundred tries to make its
// reader wait, and a hundred of a million find nothing.
const (
	codeTriesPerBrowser = 10
	codeTriesPerPass    = 100
	codeWindow          = time.Hour
)

// Code returns the six digits to write into the mail of a pass whose route has
// Options.TypedCode. They follow from the pass's id and the issuer's keys, so
// nothing is stored.
func (g *Guard) Code(pass hallpass.Pass) (string, error) {
	secrets, err := g.cfg.Issuer.Keys().Derive(codePurpose)
	if err != nil || len(secrets) == 0 {
		return "", hallpass.ErrUnavailable
	}
	return codeOf(secrets[0], pass.ID), nil
}

func codeOf(secret []byte, id string) string {
	m := hmac.New(sha256.New, secret)
	io.WriteString(m, id)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(m.Sum(nil))%1_000_000)
}

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
	secrets, err := g.cfg.Issuer.Keys().Derive(codePurpose)
	if err != nil {
		return false, hallpass.ErrUnavailable
	}
	right := false
	for _, secret := range secrets {
		if hmac.Equal([]byte(codeOf(secret, entry.ID)), []byte(typed)) {
			right = true
		}
	}
	return right, nil
}
