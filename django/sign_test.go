package django_test

import (
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
)

// These sign without the package under test, so that a fault in both cannot hide.

func urlText(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func macText(key []byte, message string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(message))
	return urlText(m.Sum(nil))
}

func signJWT(payload string) string {
	signed := urlText([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + urlText([]byte(payload))
	return signed + "." + macText([]byte(fuzzSecret), signed)
}

func signText(value, stamp string) string {
	key := sha256.Sum256([]byte("django.core.signing" + "signer" + fuzzSecret))
	signed := value + ":" + stamp
	return signed + ":" + macText(key[:], signed)
}

// signValue signs a payload at fuzzNow.
func signValue(t testing.TB, payload string, packed bool) string {
	t.Helper()
	if packed {
		return signText("."+urlText(deflate(t, []byte(payload))), "1vwfSq")
	}
	return signText(urlText([]byte(payload)), "1vwfSq")
}

func signStamp(stamp string) string { return signText(urlText([]byte(`{"a":1}`)), stamp) }

// signBomb signs a small text that inflates to size bytes.
func signBomb(t testing.TB, size int64) string {
	t.Helper()
	var b strings.Builder
	w := zlib.NewWriter(&b)
	chunk := []byte(strings.Repeat(" ", 1<<20))
	for ; size > 0; size -= int64(len(chunk)) {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return signText("."+urlText([]byte(b.String())), "1vwfSq")
}
