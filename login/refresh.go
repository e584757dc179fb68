package login

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/hallpass-go/hallpass"
)

// A refresh token is the id of its session and its place in the chain under a MAC,
// as unpadded base64url behind a prefix. It says nothing else, so the current one
// can be signed again for whoever is owed it, and is stored nowhere. It is no JWT:
// nobody who verifies access tokens by JWKS could take it for one.
const (
	refreshPrefix  = "hpr_"
	refreshPurpose = "login-refresh"
	sessionIDLen   = 2 + secretLength
)

var refreshEncoding = base64.RawURLEncoding.Strict()

func refreshMAC(secret, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return mac.Sum(nil)
}

func (l *Login) signRefresh(f *family) (hallpass.Token, error) {
	if l.cfg.Tokens != nil {
		return l.foreignRefresh(f)
	}
	secrets, err := l.secrets(refreshPurpose)
	if err != nil {
		return hallpass.Token{}, err
	}
	body := binary.BigEndian.AppendUint64([]byte(f.ID), uint64(f.Generation))
	return hallpass.NewToken(refreshPrefix + refreshEncoding.EncodeToString(append(body, refreshMAC(secrets[0], body)...))), nil
}

func (l *Login) openOwnRefresh(token string) (id string, generation int64, err error) {
	if token == "" {
		return "", 0, hallpass.RefusalMissing
	}
	const length = sessionIDLen + 8 + sha256.Size
	text, ours := cutPrefix(token, refreshPrefix)
	raw, err := refreshEncoding.DecodeString(text)
	if !ours || err != nil || len(raw) != length {
		return "", 0, hallpass.RefusalMalformed
	}
	secrets, err := l.secrets(refreshPurpose)
	if err != nil {
		return "", 0, err
	}
	body, mac := raw[:length-sha256.Size], raw[length-sha256.Size:]
	for _, secret := range secrets {
		if hmac.Equal(mac, refreshMAC(secret, body)) {
			return string(body[:sessionIDLen]), int64(binary.BigEndian.Uint64(body[sessionIDLen:])), nil
		}
	}
	return "", 0, hallpass.RefusalBadSignature
}

// cutPrefix refuses line breaks too, which base64 decoders skip.
func cutPrefix(text, prefix string) (string, bool) {
	if len(text) < len(prefix) || text[:len(prefix)] != prefix {
		return "", false
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c >= 0x7f {
			return "", false
		}
	}
	return text[len(prefix):], true
}
