package django

import (
	"errors"
	"strings"
)

// errBase64 is Python's binascii.Error.
var errBase64 = errors.New("django: not base64")

// laxBase64 decodes as Python's binascii.a2b_base64 does when it is not strict:
// characters outside the standard alphabet are dropped, and what follows a complete
// padding is not looked at.
func laxBase64(text string) ([]byte, error) {
	out := make([]byte, 0, len(text)/4*3+3)
	var left byte
	quad, pads := 0, 0
	for i := range len(text) {
		if text[i] == '=' {
			if quad >= 2 {
				if pads++; quad+pads >= 4 {
					return out, nil
				}
			}
			continue
		}
		n := strings.IndexByte(base64Alphabet, text[i])
		if n < 0 {
			continue
		}
		c := byte(n)
		pads = 0
		switch quad {
		case 0:
			left = c
		case 1:
			out = append(out, left<<2|c>>4)
			left = c & 0x0f
		case 2:
			out = append(out, left<<4|c>>2)
			left = c & 0x03
		case 3:
			out = append(out, left<<6|c)
		}
		quad = (quad + 1) % 4
	}
	if quad != 0 {
		return nil, errBase64
	}
	return out, nil
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

var urlAlphabet = strings.NewReplacer("-", "+", "_", "/")

// laxURLBase64 is base64.urlsafe_b64decode with the padding that PyJWT and Django
// add: both alphabets are taken.
func laxURLBase64(text string) ([]byte, error) {
	return laxBase64(urlAlphabet.Replace(text + strings.Repeat("=", (4-len(text)%4)%4)))
}
