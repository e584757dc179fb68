package cli_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// forgeSecret signs the forged tokens; scripts give it to verify as --key.
const forgeSecret = "a secret that only this test suite uses!"

// forgeCmd puts a token that was tampered with into a variable. Those that are
// made anew ignore the token given.
func forgeCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: forge NAME HOW TOKEN")
	}
	forged, ok := forge(args[1], args[2])
	if !ok {
		ts.Fatalf("there is no way to forge called %q", args[1])
	}
	ts.Setenv(args[0], forged)
	ts.Setenv("FORGE_SECRET", forgeSecret)
}

const goodClaims = `{"jti":"01a20000-0000-7000-8000-000000000000","sub":"s","mod":"n","max":1,"iat":1,"iss":"x","unr":true}`

func forge(how, token string) (string, bool) {
	parts := strings.Split(token+"..", ".")
	header, payload, signature := parts[0], parts[1], parts[2]
	switch how {
	case "last-byte":
		return header + "." + payload + "." + signature[:len(signature)-2] + flip(signature[len(signature)-2]) + signature[len(signature)-1:], true
	case "first-byte-of-payload":
		return header + "." + payload[:5] + flip(payload[5]) + payload[6:] + "." + signature, true
	case "no-signature":
		return header + "." + payload + ".", true
	case "padded":
		return token + "=", true
	case "loose-tail-bits": // the last character has bits that mean nothing
		last := strings.IndexByte(base64URL, signature[len(signature)-1])
		return token[:len(token)-1] + string(base64URL[last|1]), true
	case "alg-none":
		return encode(`{"alg":"none","typ":"pass+jwt"}`) + "." + payload + ".", true
	case "alg-none-with-kid":
		return encode(strings.Replace(raw(header), "HS256", "none", 1)) + "." + payload + ".", true
	case "alg-rs256":
		return encode(strings.Replace(raw(header), "HS256", "RS256", 1)) + "." + payload + "." + signature, true
	case "other-kid":
		return encode(`{"alg":"HS256","kid":"somebody","typ":"pass+jwt"}`) + "." + payload + "." + signature, true
	case "crit":
		return sign(`{"alg":"HS256","typ":"pass+jwt","crit":["x"],"x":1}`, goodClaims), true
	case "good":
		return sign(`{"alg":"HS256","typ":"pass+jwt"}`, goodClaims), true
	case "other-type":
		return sign(`{"alg":"HS256","typ":"at+jwt"}`, goodClaims), true
	case "no-scope":
		return sign(`{"alg":"HS256","typ":"pass+jwt"}`, strings.Replace(goodClaims, `"sub":"s",`, "", 1)), true
	case "exp-twice":
		return sign(`{"alg":"HS256","typ":"pass+jwt"}`, `{"exp":1,"exp":9999999999,`+goodClaims[1:]), true
	case "exact-numbers":
		return sign(`{"alg":"HS256","typ":"pass+jwt"}`, goodClaims[:len(goodClaims)-1]+`,"x":[1.0,1E+2,12345678901234567890,"<&>"]}`), true
	}
	return "", false
}

const base64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func flip(c byte) string {
	i := strings.IndexByte(base64URL, c)
	return string(base64URL[(i+16)%64])
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func raw(segment string) string {
	text, _ := base64.RawURLEncoding.DecodeString(segment)
	return string(text)
}

func sign(header, claims string) string {
	signed := encode(header) + "." + encode(claims)
	mac := hmac.New(sha256.New, []byte(forgeSecret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
