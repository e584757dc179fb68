package hallpass_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/hallpass-go/hallpass"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// flip changes the character at i into another of the alphabet.
func flip(text string, i int) string {
	c := alphabet[(strings.IndexByte(alphabet, text[i])+21)%64]
	return text[:i] + string(c) + text[i+1:]
}

func TestNoFlippedByteIsEverValid(t *testing.T) {
	t.Parallel()
	for _, alg := range []hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256} {
		for _, format := range []hallpass.Format{hallpass.FormatSigned, hallpass.FormatCompact} {
			t.Run(fmt.Sprintf("%s %s", alg, format), func(t *testing.T) {
				t.Parallel()
				s := newSiteWith(t, newSigner(t, alg))
				text := s.issue(t, hallpass.Spec{
					Mode: hallpass.ModeRequest, Subject: "ada", Grants: []hallpass.Grant{{Method: "GET", Path: "/a"}},
					Format: format, Unrecorded: true,
				}).Token.Reveal()
				others := "AQgw_.=+/ \n\x00é"
				if alg == hallpass.HS256 {
					others += alphabet
				}
				signature := strings.LastIndexByte(text, '.') + 1 // 0 in the compact form
				for i := range text {
					for _, c := range others {
						if byte(c) == text[i] {
							continue
						}
						_, err := s.verify(text[:i] + string(c) + text[i+1:])
						switch r := reason(err); {
						case r == "bad_signature":
						case r == "unknown_key" && (signature == 0 || i < signature):
						case r != "malformed":
							t.Fatalf("byte %d of %s as %q is %s", i, text, c, r)
						case signature > 0 && i >= signature && i < len(text)-1 && strings.ContainsRune(alphabet, c):
							t.Fatalf("byte %d as %q is malformed, but only tail bits could be", i, c)
						}
					}
				}
			})
		}
	}
}

func TestATokenHasOneSpelling(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	good := s.issue(t, hallpass.Spec{Recipient: "abcdefg"}).Token.Reveal()
	parts := strings.Split(good, ".")
	// A payload and a header whose last character has unused bits.
	header := s.Sign.header(nil)
	for len(header)%3 == 0 {
		header = strings.Replace(header, ",", " ,", 1)
	}
	payload := claims(nil)
	for len(payload)%3 == 0 {
		payload = strings.Replace(payload, ",", " ,", 1)
	}
	loose := s.Sign.jwt(header, payload)
	if _, err := s.verify(loose); err != nil {
		t.Fatalf("the token to be spelt differently: %v", err)
	}
	tail := func(segment int) string {
		p := strings.Split(loose, ".")
		last := p[segment][len(p[segment])-1]
		p[segment] = p[segment][:len(p[segment])-1] + string(alphabet[strings.IndexByte(alphabet, last)+1])
		if segment < 2 { // signed as it stands, so that only the spelling is wrong
			p[2] = b64(string(s.Sign.sign([]byte(p[0] + "." + p[1]))))
		}
		return strings.Join(p, ".")
	}
	for name, text := range map[string]string{
		"padding behind the signature":         good + "=",
		"padding behind the header":            parts[0] + "=." + parts[1] + "." + parts[2],
		"padding behind the payload":           parts[0] + "." + parts[1] + "=." + parts[2],
		"a newline at the end":                 good + "\n",
		"a newline in the signature":           good[:len(good)-5] + "\n" + good[len(good)-5:],
		"a newline in the payload":             parts[0] + "." + parts[1][:4] + "\n" + parts[1][4:] + "." + parts[2],
		"a carriage return in the header":      good[:3] + "\r" + good[3:],
		"a space in front":                     " " + good,
		"a space behind":                       good + " ",
		"the standard alphabet":                strings.NewReplacer("-", "+", "_", "/").Replace(good) + "+",
		"a percent escape":                     strings.Replace(good, ".", "%2E", 1),
		"trailing bits in the header":          tail(0),
		"trailing bits in the payload":         tail(1),
		"trailing bits in the signature":       tail(2),
		"one segment":                          parts[0],
		"two segments":                         parts[0] + "." + parts[1],
		"four segments":                        good + ".",
		"five segments, as an encrypted token": good + "." + parts[1] + "." + parts[2],
		"an empty header":                      "." + parts[1] + "." + parts[2],
		"an empty payload":                     parts[0] + ".." + parts[2],
		"two dots":                             "..",
		"JSON serialization":                   `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"the word Bearer":                      "Bearer " + good,
		"a byte order mark":                    "\ufeff" + good,
		"a NUL at the end":                     good + "\x00",
	} {
		if _, err := s.verify(text); reason(err) != "malformed" {
			t.Errorf("%s: %s", name, reason(err))
		}
	}
	if _, err := s.verify(parts[0] + "." + parts[1] + "."); reason(err) != "bad_signature" {
		t.Errorf("an empty signature: %s", reason(err))
	}
}

// An ECDSA signature has a twin: R and N-S.
func TestTheTwinOfAnES256SignatureIsRefused(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, newSigner(t, hallpass.ES256))
	for range 8 {
		text := s.issue(t, hallpass.Spec{}).Token.Reveal()
		if _, err := s.verify(text); err != nil {
			t.Fatal(err)
		}
		dot := strings.LastIndexByte(text, '.') + 1
		signature := unb64(t, text[dot:])
		twin := new(big.Int).Sub(s.Sign.ec.Params().N, new(big.Int).SetBytes(signature[32:]))
		twin.FillBytes(signature[32:])
		if _, err := s.verify(text[:dot] + b64(string(signature))); reason(err) != "bad_signature" {
			t.Errorf("the twin is %s", reason(err))
		}
	}
}

func TestTheHeaderNeverChoosesTheAlgorithm(t *testing.T) {
	t.Parallel()
	for _, alg := range []hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256} {
		s := newSiteWith(t, newSigner(t, alg))
		for _, row := range []struct {
			name string
			alg  any
			want string
		}{
			{"none", "none", "bad_signature"},
			{"None", "None", "bad_signature"},
			{"NONE", "NONE", "bad_signature"},
			{"RS256", "RS256", "bad_signature"},
			{"HS512", "HS512", "bad_signature"},
			{"HS384", "HS384", "bad_signature"},
			{"PS256", "PS256", "bad_signature"},
			{"Ed25519", "Ed25519", "bad_signature"},
			{"empty", "", "bad_signature"},
			{"lower case", strings.ToLower(string(alg)), "bad_signature"},
			{"missing", nil, "malformed"},
			{"a number", 256, "malformed"},
			{"null", json.RawMessage("null"), "malformed"},
			{"a list", []string{string(alg)}, "malformed"},
		} {
			text := s.Sign.jwt(s.Sign.header(map[string]any{"alg": row.alg}), claims(nil))
			if _, err := s.verify(text); reason(err) != row.want {
				t.Errorf("%s key, alg %s, signed: %s", alg, row.name, reason(err))
			}
			bare := text[:strings.LastIndexByte(text, '.')+1]
			if _, err := s.verify(bare); reason(err) != row.want {
				t.Errorf("%s key, alg %s, no signature: %s", alg, row.name, reason(err))
			}
		}
	}
}

func TestAPublicKeyIsNoSecret(t *testing.T) {
	t.Parallel()
	for _, alg := range []hallpass.Algorithm{hallpass.EdDSA, hallpass.ES256} {
		s := newSiteWith(t, newSigner(t, alg))
		public := s.Sign.key.Public()
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		sshKey, err := ssh.NewPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		private, err := s.Sign.key.Reveal()
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal([]byte(private), &members); err != nil {
			t.Fatal(err)
		}
		delete(members, "d")
		jwk, _ := json.Marshal(members)
		line := string(ssh.MarshalAuthorizedKey(sshKey))
		block := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		raw := der[len(der)-32:]
		for name, secret := range map[string][]byte{
			"PEM":                     []byte(block),
			"PEM without its newline": []byte(strings.TrimSpace(block)),
			"DER":                     der,
			"an SSH line":             []byte(line),
			"an SSH line, trimmed":    []byte(strings.TrimSpace(line)),
			"JWK text":                jwk,
			"raw bytes":               raw,
			"base64 of the DER":       []byte(base64.StdEncoding.EncodeToString(der)),
			"nothing":                 {},
		} {
			for _, headerAlg := range []string{"HS256", string(alg)} {
				signed := b64(s.Sign.header(map[string]any{"alg": headerAlg})) + "." + b64(claims(nil))
				text := signed + "." + b64(string(hs256(secret, []byte(signed))))
				if _, err := s.verify(text); reason(err) != "bad_signature" {
					t.Errorf("%s as the secret, alg %s for a key of %s: %s", name, headerAlg, alg, reason(err))
				}
			}
		}
	}
}

func TestOnlyConfiguredKeysSign(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	attacker, second := newSigner(t, hallpass.HS256), newSigner(t, hallpass.HS256)
	if err := s.Keys().Add(second.key, hallpass.KeyVerifying); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name   string
		sign   signer
		header map[string]any
		want   string
	}{
		{"our key", s.Sign, nil, "valid"},
		{"the second key under its own kid", second, map[string]any{"kid": second.key.ID()}, "valid"},
		{"the second key under the first's kid", second, map[string]any{"kid": s.Sign.key.ID()}, "bad_signature"},
		{"the first key under the second's kid", s.Sign, map[string]any{"kid": second.key.ID()}, "bad_signature"},
		{"the attacker's key under our kid", attacker, map[string]any{"kid": s.Sign.key.ID()}, "bad_signature"},
		{"the attacker's key under its own kid", attacker, nil, "unknown_key"},
		{"no kid", s.Sign, map[string]any{"kid": nil}, "unknown_key"},
		{"an empty kid", s.Sign, map[string]any{"kid": ""}, "unknown_key"},
		{"a number as a kid", s.Sign, map[string]any{"kid": 1}, "malformed"},
		{"a path as a kid", s.Sign, map[string]any{"kid": "../../../../dev/null"}, "unknown_key"},
		{"SQL as a kid", s.Sign, map[string]any{"kid": "x' UNION SELECT 'secret"}, "unknown_key"},
		{"a kid with a NUL", s.Sign, map[string]any{"kid": s.Sign.key.ID() + "\x00"}, "unknown_key"},
		{"a kid in another case", s.Sign, map[string]any{"kid": swapCase(s.Sign.key.ID())}, "unknown_key"},
		{"a jku", attacker, map[string]any{"kid": s.Sign.key.ID(), "jku": "https://evil.example/jwks.json"}, "bad_signature"},
		{"an x5u", attacker, map[string]any{"kid": s.Sign.key.ID(), "x5u": "https://evil.example/cert.pem"}, "bad_signature"},
		{"a jwk", attacker, map[string]any{"kid": s.Sign.key.ID(), "jwk": map[string]any{"kty": "oct", "k": b64(string(attacker.secret))}}, "bad_signature"},
		{"a jwk and no kid", attacker, map[string]any{"kid": nil, "jwk": map[string]any{"kty": "oct", "k": b64(string(attacker.secret))}}, "unknown_key"},
		{"a jku that nobody follows, rightly signed", s.Sign, map[string]any{"jku": "https://evil.example/"}, "valid"},
		{"crit", s.Sign, map[string]any{"crit": []string{"exp"}, "exp": 1}, "malformed"},
		{"an empty crit", s.Sign, map[string]any{"crit": []string{}}, "malformed"},
		{"an unencoded payload", s.Sign, map[string]any{"b64": false}, "malformed"},
		{"an unencoded payload, critical", s.Sign, map[string]any{"b64": false, "crit": []string{"b64"}}, "malformed"},
	}
	for _, row := range rows {
		text := row.sign.jwt(row.sign.header(row.header), claims(nil))
		if _, err := s.verify(text); reason(err) != row.want {
			t.Errorf("%s: %s, want %s", row.name, reason(err), row.want)
		}
	}
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 32
		}
		if r >= 'A' && r <= 'Z' {
			return r + 32
		}
		return r
	}, s) + "x"
}

func TestOtherTypesOfTokenAreNoPass(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, typ := range map[string]any{
		"a bare JWT": "JWT", "an access token": "at+jwt", "a refresh token": "rt+jwt", "capitals": "PASS+JWT",
		"a media type": "application/pass+jwt", "none": nil, "empty": "", "a confirmation": "confirm+jwt", "a space": "pass+jwt ",
	} {
		for what, payload := range map[string]string{
			"a pass's claims":         claims(nil),
			"another kind's claims":   `{"iss":"hallpass","aud":["ada"],"sub":"ada","exp":1900000000.5,"mod":7}`,
			"a pass that has expired": claims(map[string]any{"exp": 1}),
		} {
			text := s.Sign.jwt(s.Sign.header(map[string]any{"typ": typ}), payload)
			if _, err := s.verify(text); reason(err) != "wrong_type" {
				t.Errorf("%s with %s: %s", name, what, reason(err))
			}
		}
	}
	if _, err := s.verify(s.Sign.jwt(s.Sign.header(map[string]any{"typ": []string{"pass+jwt"}}), claims(nil))); reason(err) != "malformed" {
		t.Errorf("a list as a type: %s", reason(err))
	}
}

func TestJSONIsStrict(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	good := claims(nil)
	inside := func(more string) string { return good[:len(good)-1] + "," + more + "}" }
	header := s.Sign.header(nil)
	insideHeader := func(more string) string { return header[:len(header)-1] + "," + more + "}" }
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"x%d":0,`, i)
		}
		return b.String() + `"x":0`
	}
	for name, row := range map[string]struct{ header, payload, want string }{
		"two ends":                             {header, inside(`"exp":1900000000`), "malformed"},
		"two ends, equal":                      {header, inside(fmt.Sprintf(`"exp":%d`, t0.Add(time.Hour).Unix())), "malformed"},
		"two ends, one behind escapes":         {header, inside(`"\u0065xp":1900000000`), "malformed"},
		"two scopes, one behind escapes":       {header, inside(`"s\u0075b":"admin"`), "malformed"},
		"two of a claim nobody knows":          {header, inside(`"zz":1,"zz":1`), "malformed"},
		"two names inside the data":            {header, inside(`"dat":{"a":1,"a":2}`), "malformed"},
		"claims in another case":               {header, inside(`"EXP":1,"Sub":"admin"`), "valid"},
		"a claim with a NUL in its name":       {header, inside(`"exp\u0000":1`), "valid"},
		"two algorithms":                       {insideHeader(`"alg":"none"`), good, "malformed"},
		"two algorithms, one behind escapes":   {insideHeader(`"\u0061lg":"none"`), good, "malformed"},
		"two kids":                             {insideHeader(`"kid":"x"`), good, "malformed"},
		"two unknown header names":             {insideHeader(`"x":1,"x":1`), good, "malformed"},
		"a critical header behind escapes":     {insideHeader(`"cr\u0069t":["exp"]`), good, "malformed"},
		"data behind the payload":              {header, good + `{}`, "malformed"},
		"a NUL behind the payload":             {header, good + "\x00", "malformed"},
		"data behind the header":               {header + "x", good, "malformed"},
		"space around the payload":             {header, " " + good + "\n", "valid"},
		"a payload that is a list":             {header, "[" + good + "]", "malformed"},
		"a payload that is null":               {header, "null", "malformed"},
		"a payload that is text":               {header, `"x"`, "malformed"},
		"an empty object":                      {header, "{}", "missing_claim"},
		"a header that is a list":              {"[]", good, "malformed"},
		"a header that is empty":               {"{}", good, "malformed"},
		"a comment":                            {header, inside(`"x":1/**/`), "malformed"},
		"a trailing comma":                     {header, good[:len(good)-1] + ",}", "malformed"},
		"a lone surrogate":                     {header, inside(`"rcp":"\ud800"`), "malformed"},
		"invalid UTF-8":                        {header, inside("\"rcp\":\"\xff\""), "malformed"},
		"invalid UTF-8 in an unknown claim":    {header, inside("\"zz\":\"\xc0\xaf\""), "malformed"},
		"a raw newline in a text":              {header, inside("\"rcp\":\"\n\""), "malformed"},
		"a byte order mark":                    {header, "\ufeff" + good, "malformed"},
		"31 levels below the payload":          {header, inside(`"x":` + deep(31)), "valid"},
		"32 levels below the payload":          {header, inside(`"x":` + deep(32)), "malformed"},
		"2,000 levels":                         {header, inside(`"x":` + deep(2000)), "malformed"},
		"300 claims":                           {header, inside(many(300)), "malformed"},
		"200 claims":                           {header, inside(many(200)), "valid"},
		"a number beyond any float, unknown":   {header, inside(`"x":1e400`), "valid"},
		"a number with a thousand digits":      {header, inside(`"x":` + strings.Repeat("9", 1000)), "valid"},
		"an end with a thousand digits":        {header, strings.Replace(good, `"exp":`, `"exp":`+strings.Repeat("9", 1000), 1), "malformed"},
		"a time of issue with a huge fraction": {header, strings.Replace(good, `"iat":1772366400`, `"iat":1772366400.`+strings.Repeat("9", 1000), 1), "valid"},
		"a leading zero":                       {header, inside(`"x":01`), "malformed"},
		"a minus zero as an end":               {header, strings.Replace(good, `"max":10`, `"max":-0`, 1), "malformed"},
	} {
		if _, err := s.verify(s.Sign.jwt(row.header, row.payload)); reason(err) != row.want {
			t.Errorf("%s: %s, want %s", name, reason(err), row.want)
		}
	}
}

func TestExpiredAndBadlySignedIsBadlySigned(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, edits := range map[string]map[string]any{
		"expired":         {"exp": t0.Add(-time.Hour).Unix()},
		"not yet valid":   {"nbf": t0.Add(time.Hour).Unix()},
		"of another site": {"iss": "elsewhere"},
		"incomplete":      {"max": nil},
	} {
		text := s.Sign.pass(edits)
		if _, err := s.verify(flip(text, len(text)-3)); reason(err) != "bad_signature" {
			t.Errorf("%s and badly signed: %s", name, reason(err))
		}
	}
}

// Not parallel: it measures what the process allocates.
func TestHostileTokensCostLittle(t *testing.T) {
	s := newSite(t)
	giantKid := s.Sign.jwt(s.Sign.header(map[string]any{"kid": strings.Repeat("k", 5000)}), claims(nil))
	const mega = 1 << 20
	for name, text := range map[string]string{
		"a megabyte of dots":     strings.Repeat(".", mega),
		"a megabyte of letters":  strings.Repeat("a", mega),
		"a giant header":         strings.Repeat("e", mega) + ".e30.e30",
		"a giant payload":        "e30." + strings.Repeat("e", mega) + ".e30",
		"a giant signature":      "e30.e30." + strings.Repeat("e", mega),
		"a giant compact token":  "hp_" + strings.Repeat("A", mega),
		"8,192 dots":             strings.Repeat(".", 8192),
		"a giant kid":            giantKid,
		"deep JSON":              s.Sign.jwt(s.Sign.header(nil), strings.Repeat("[", 5000)),
		"deep objects":           s.Sign.jwt(s.Sign.header(nil), strings.Repeat(`{"a":`, 1000)),
		"many names":             s.Sign.jwt(s.Sign.header(nil), "{"+strings.Repeat(`"":0,`, 1000)+"}"),
		"a text of escapes":      s.Sign.jwt(s.Sign.header(nil), `{"jti":"`+strings.Repeat(`\u0041`, 900)+`"}`),
		"a header of many names": b64("{"+strings.Repeat(`"":0,`, 1000)+"}") + ".e30.e30",
	} {
		var before, after runtime.MemStats
		const rounds = 20
		runtime.ReadMemStats(&before)
		for range rounds {
			if _, err := s.verify(text); err == nil {
				t.Errorf("%s is valid", name)
			}
		}
		runtime.ReadMemStats(&after)
		bytes := (after.TotalAlloc - before.TotalAlloc) / rounds
		mallocs := (after.Mallocs - before.Mallocs) / rounds
		limit := uint64(128 << 10)
		if len(text) > hallpass.MaxTokenLength {
			limit = 4 << 10
		}
		if bytes > limit || mallocs > 100 {
			t.Errorf("%s: %d bytes in %d allocations each", name, bytes, mallocs)
		}
	}
}
