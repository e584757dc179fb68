package djangoimport

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"

	"github.com/hallpass-go/hallpass"
)

// turns makes the keys under which uses are counted once. They stand beside those
// that callers choose, so they are nothing that a caller could guess: one who used
// the next turn's key first would keep a use from being counted.
type turns []byte

// turns returns the secret of this key's imports, and makes it the first time.
func (l ledger) turns(ctx context.Context) (turns, error) {
	cell := hallpass.Cell{Group: l.group, Key: "turns"}
	var secret []byte
	if err := l.read(ctx, &cell, &secret); err != nil || len(secret) > 0 {
		return secret, err
	}
	secret = []byte(rand.Text())
	return secret, l.write(ctx, &cell, secret)
}

func (t turns) key(pass string, turn int64) string {
	m := hmac.New(sha256.New, t)
	m.Write([]byte(pass + "\n" + strconv.FormatInt(turn, 10)))
	return "import:" + base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18])
}
