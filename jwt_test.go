package hallpass_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/hallpass-go/hallpass"
)

const accessType = "at+jwt"

var algorithms = []hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256}

// accessSite is a ring for access with one key, and the bare key.
type accessSite struct {
	*hallpass.Keyring
	Sign signer
}

func newAccessSite(t testing.TB, alg hallpass.Algorithm) accessSite {
	t.Helper()
	sign := newSignerFor(t, hallpass.PurposeAccess, alg)
	ring, err := hallpass.NewKeyring(sign.key)
	if err != nil {
		t.Fatal(err)
	}
	return accessSite{ring, sign}
}

// header is the header of an access token, with other members.
func (s accessSite) header(edits map[string]any) string {
	return object(map[string]any{"alg": string(s.Sign.key.Algorithm()), "kid": s.Sign.key.ID(), "typ": accessType}, edits)
}

// open is what the ring says of a token, and fails the test where a refused one
// gave something away.
func (s accessSite) open(t testing.TB, typ, token string) string {
	t.Helper()
	payload, key, err := s.OpenJWT(typ, token)
	if err != nil && (payload != nil || key.ID() != "") {
		t.Errorf("%v comes with %q and %v", err, payload, key)
	}
	return reason(err)
}

func (s accessSite) sign(t testing.TB, typ, payload string) string {
	t.Helper()
	token, err := s.SignJWT(typ, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

const accessClaims = `{"iss":"https://a.example","sub":"ada","n":9007199254740993,"x":[1,2.50,null,"\u00e9é"]}`

func TestAJWTOpensAsItWasSigned(t *testing.T) {
	t.Parallel()
	for _, alg := range algorithms {
		s := newAccessSite(t, alg)
		for _, payload := range []string{accessClaims, `{}`, " { \"a\" : 1 }\n"} {
			got, key, err := s.OpenJWT(accessType, s.sign(t, accessType, payload))
			if err != nil || string(got) != payload || key.ID() != s.Sign.key.ID() {
				t.Errorf("%s: %q by %v, %v; want %q", alg, got, key, err, payload)
			}
		}
		if got := s.open(t, "vnd.example.thing-1+jwt", s.sign(t, "vnd.example.thing-1+jwt", accessClaims)); got != "valid" {
			t.Errorf("%s, a type of somebody's own: %s", alg, got)
		}
	}
}

func TestGolangJWTReadsWhatWeSign(t *testing.T) {
	t.Parallel()
	for _, alg := range algorithms {
		s := newAccessSite(t, alg)
		claims := jwt.MapClaims{}
		parser := jwt.NewParser(jwt.WithValidMethods([]string{string(alg)}), jwt.WithStrictDecoding(), jwt.WithJSONNumber(), jwt.WithIssuer("https://a.example"))
		token, err := parser.ParseWithClaims(s.sign(t, accessType, accessClaims), claims, func(*jwt.Token) (any, error) { return s.Sign.verifyingKey(), nil })
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if diff := cmp.Diff(numbers(t, []byte(accessClaims)), map[string]any(claims)); diff != "" {
			t.Errorf("%s (-ours +theirs):\n%s", alg, diff)
		}
		if diff := cmp.Diff(map[string]any{"alg": string(alg), "kid": s.Sign.key.ID(), "typ": accessType}, token.Header); diff != "" {
			t.Errorf("%s, header (-ours +theirs):\n%s", alg, diff)
		}
	}
}

func TestASignedJWTDoesNotPrintItself(t *testing.T) {
	t.Parallel()
	token, err := newAccessSite(t, hallpass.EdDSA).SignJWT(accessType, []byte(accessClaims))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(token)
	if got := fmt.Sprintf("%v %d %s", token, token, text); got != `[token] [token] "[token]"` {
		t.Error(got)
	}
}

func TestSignJWTRefusesWhatCouldBeTakenForSomethingElse(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, hallpass.EdDSA)
	for _, row := range []struct{ name, typ, payload, field string }{
		{"no type", "", `{}`, "typ"},
		{"the type of a pass", "pass+jwt", `{}`, "typ"},
		{"the type of a pass in capitals", "PASS+JWT", `{}`, "typ"},
		{"no type in particular", "JWT", `{}`, "typ"},
		{"no type in particular, in small letters", "jwt", `{}`, "typ"},
		{"a type in its long spelling", "application/at+jwt", `{}`, "typ"},
		{"a type with a space", "at +jwt", `{}`, "typ"},
		{"a type with a line break", "at+jwt\n", `{}`, "typ"},
		{"a type with a quote", `at"jwt`, `{}`, "typ"},
		{"an endless type", strings.Repeat("a", 65), `{}`, "typ"},
		{"no payload", accessType, ``, "payload"},
		{"a list", accessType, `[]`, "payload"},
		{"a text", accessType, `"a"`, "payload"},
		{"null", accessType, `null`, "payload"},
		{"two objects", accessType, `{}{}`, "payload"},
		{"a name twice", accessType, `{"sub":"a","sub":"b"}`, "payload"},
		{"a name twice, spelt differently", accessType, `{"sub":"a","s\u0075b":"b"}`, "payload"},
		{"a name twice below", accessType, `{"a":[{"b":1,"b":2}]}`, "payload"},
		{"no UTF-8", accessType, "{\"a\":\"\xff\"}", "payload"},
		{"a giant", accessType, `{"a":"` + strings.Repeat("a", hallpass.MaxTokenLength) + `"}`, "payload"},
	} {
		token, err := s.SignJWT(row.typ, []byte(row.payload))
		if field(err) != row.field || !token.IsZero() {
			t.Errorf("%s: %v, want a FieldError of %s", row.name, err, row.field)
		}
		if row.field == "typ" {
			if _, _, err := s.OpenJWT(row.typ, s.sign(t, accessType, `{}`)); field(err) != "typ" {
				t.Errorf("opening, %s: %v", row.name, err)
			}
		}
	}
	fits := `{"a":"` + strings.Repeat("a", 5900) + `"}`
	if got := s.open(t, accessType, s.sign(t, accessType, fits)); got != "valid" {
		t.Errorf("a long payload that fits is %s", got)
	}
}

func TestPassKeysSignAndOpenNoJWT(t *testing.T) {
	t.Parallel()
	passKey := newSigner(t, hallpass.EdDSA)
	passes, err := hallpass.NewKeyring(passKey.key)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := hallpass.NewKeyringFor(hallpass.PurposePass)
	if err != nil {
		t.Fatal(err)
	}
	for name, ring := range map[string]*hallpass.Keyring{"a ring": passes, "an empty ring": empty, "a sole key": hallpass.SoleKeyring(passKey.key)} {
		if _, err := ring.SignJWT(accessType, []byte(`{}`)); field(err) != "purpose" {
			t.Errorf("%s signs: %v", name, err)
		}
		text := passKey.jwt(passKey.header(map[string]any{"typ": accessType}), `{}`)
		if _, _, err := ring.OpenJWT(accessType, text); field(err) != "purpose" {
			t.Errorf("%s opens: %v", name, err)
		}
	}
}

func TestWithoutAnActiveKeyNothingIsSignedAndOldTokensOpen(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, hallpass.EdDSA)
	token := s.sign(t, accessType, accessClaims)
	next := newSignerFor(t, hallpass.PurposeAccess, hallpass.ES256)
	if err := s.Rotate(next.key); err != nil {
		t.Fatal(err)
	}
	if got := s.open(t, accessType, token); got != "valid" {
		t.Errorf("after a rotation: %s", got)
	}
	if _, key, err := s.OpenJWT(accessType, s.sign(t, accessType, accessClaims)); err != nil || key.ID() != next.key.ID() {
		t.Errorf("signed by %v, %v", key, err)
	}
	if err := s.Retire(s.Sign.key.ID()); err != nil {
		t.Fatal(err)
	}
	if got := s.open(t, accessType, token); got != "unknown_key" {
		t.Errorf("after the retirement: %s", got)
	}
	for name, make := range map[string]func() (*hallpass.Keyring, error){
		"of no purpose yet": func() (*hallpass.Keyring, error) { return hallpass.NewKeyring() },
		"for access":        func() (*hallpass.Keyring, error) { return hallpass.NewKeyringFor(hallpass.PurposeAccess) },
	} {
		empty, err := make()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := empty.SignJWT(accessType, []byte(`{}`)); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("an empty ring %s signs: %v", name, err)
		}
		if _, _, err := empty.OpenJWT(accessType, token); reason(err) != "unknown_key" {
			t.Errorf("an empty ring %s opens: %v", name, err)
		}
	}
}

func TestAJWTsHeaderHasThreeMembersAndChoosesNothing(t *testing.T) {
	t.Parallel()
	for _, alg := range algorithms {
		s := newAccessSite(t, alg)
		second, attacker := newSignerFor(t, hallpass.PurposeAccess, alg), newSignerFor(t, hallpass.PurposeAccess, alg)
		if err := s.Add(second.key, hallpass.KeyVerifying); err != nil {
			t.Fatal(err)
		}
		own := func(edits map[string]any) string { return s.Sign.jwt(s.header(edits), accessClaims) }
		for _, row := range []struct{ name, token, want string }{
			{"as it should be", own(nil), "valid"},
			{"the order of the members", s.Sign.jwt(fmt.Sprintf(`{"typ":"at+jwt","kid":%q,"alg":%q}`, s.Sign.key.ID(), alg), `{}`), "valid"},
			{"alg none", own(map[string]any{"alg": "none"}), "bad_signature"},
			{"alg None", own(map[string]any{"alg": "None"}), "bad_signature"},
			{"alg RS256", own(map[string]any{"alg": "RS256"}), "bad_signature"},
			{"alg Ed25519", own(map[string]any{"alg": "Ed25519"}), "bad_signature"},
			{"alg in small letters", own(map[string]any{"alg": strings.ToLower(string(alg))}), "bad_signature"},
			{"an empty alg", own(map[string]any{"alg": ""}), "bad_signature"},
			{"no alg", own(map[string]any{"alg": nil}), "malformed"},
			{"alg as a list", own(map[string]any{"alg": []string{string(alg)}}), "malformed"},
			{"alg null", own(map[string]any{"alg": json.RawMessage("null")}), "malformed"},
			{"no kid", own(map[string]any{"kid": nil}), "malformed"},
			{"a number as kid", own(map[string]any{"kid": 1}), "malformed"},
			{"an empty kid", own(map[string]any{"kid": ""}), "unknown_key"},
			{"somebody's kid", own(map[string]any{"kid": "nobody"}), "unknown_key"},
			{"kid in another case", own(map[string]any{"kid": swapCase(s.Sign.key.ID())}), "unknown_key"},
			{"the second key's kid", own(map[string]any{"kid": second.key.ID()}), "bad_signature"},
			{"the second key under the first's kid", second.jwt(s.header(nil), accessClaims), "bad_signature"},
			{"the attacker's key under ours", attacker.jwt(s.header(nil), accessClaims), "bad_signature"},
			{"the attacker's key", attacker.jwt(s.header(map[string]any{"kid": attacker.key.ID()}), accessClaims), "unknown_key"},
			{"crit", own(map[string]any{"crit": []string{"exp"}}), "malformed"},
			{"b64", own(map[string]any{"b64": false}), "malformed"},
			{"jku", own(map[string]any{"jku": "https://evil.example/jwks.json"}), "malformed"},
			{"x5u", own(map[string]any{"x5u": "https://evil.example/cert.pem"}), "malformed"},
			{"jwk", own(map[string]any{"jwk": map[string]any{"kty": "oct"}}), "malformed"},
			{"cty", own(map[string]any{"cty": "JWT"}), "malformed"},
			{"zip", own(map[string]any{"zip": "DEF"}), "malformed"},
			{"no typ", own(map[string]any{"typ": nil}), "malformed"},
			{"another member in the place of typ", own(map[string]any{"typ": nil, "cty": accessType}), "malformed"},
			{"typ by another name", own(map[string]any{"typ": nil, "Typ": accessType}), "malformed"},
			{"typ null", own(map[string]any{"typ": json.RawMessage("null")}), "malformed"},
			{"an empty typ", own(map[string]any{"typ": ""}), "wrong_type"},
			{"the typ of a pass", own(map[string]any{"typ": "pass+jwt"}), "wrong_type"},
			{"JWT as typ", own(map[string]any{"typ": "JWT"}), "wrong_type"},
			{"the long spelling of typ", own(map[string]any{"typ": "application/at+jwt"}), "wrong_type"},
			{"typ in capitals", own(map[string]any{"typ": "AT+JWT"}), "wrong_type"},
			{"typ and a space", own(map[string]any{"typ": "at+jwt "}), "wrong_type"},
			{"another typ", s.sign(t, "rt+jwt", accessClaims), "wrong_type"},
			{"two algs", s.Sign.jwt(strings.Replace(s.header(nil), "{", `{"alg":"none",`, 1), accessClaims), "malformed"},
			{"two kids, one escaped", s.Sign.jwt(strings.Replace(s.header(nil), "{", `{"k\u0069d":"x",`, 1), accessClaims), "malformed"},
			{"two typs", s.Sign.jwt(strings.Replace(s.header(nil), "{", `{"typ":"pass+jwt",`, 1), accessClaims), "malformed"},
			{"a header that is a list", s.Sign.jwt(`["alg"]`, accessClaims), "malformed"},
			{"data behind the header", s.Sign.jwt(s.header(nil)+"{}", accessClaims), "malformed"},
			{"a byte order mark", s.Sign.jwt("\ufeff"+s.header(nil), accessClaims), "malformed"},
		} {
			if got := s.open(t, accessType, row.token); got != row.want {
				t.Errorf("%s, %s: %s, want %s", alg, row.name, got, row.want)
			}
			// Whatever the header says, no signature is no signature.
			if got := s.open(t, accessType, row.token[:strings.LastIndexByte(row.token, '.')+1]); got == "valid" || got == "wrong_type" {
				t.Errorf("%s, %s and no signature: %s", alg, row.name, got)
			}
		}
	}
}

func TestAPublicAccessKeyIsNoSecret(t *testing.T) {
	t.Parallel()
	for _, alg := range []hallpass.Algorithm{hallpass.EdDSA, hallpass.ES256} {
		s := newAccessSite(t, alg)
		der, err := x509.MarshalPKIXPublicKey(s.Sign.key.Public())
		if err != nil {
			t.Fatal(err)
		}
		sshKey, err := ssh.NewPublicKey(s.Sign.key.Public())
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
		for name, secret := range map[string][]byte{
			"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der, "raw bytes": der[len(der)-32:],
			"an SSH line": ssh.MarshalAuthorizedKey(sshKey), "JWK text": jwk, "nothing": {},
		} {
			for _, headerAlg := range []string{"HS256", string(alg)} {
				signed := b64(s.header(map[string]any{"alg": headerAlg})) + "." + b64(accessClaims)
				if got := s.open(t, accessType, signed+"."+b64(string(hs256(secret, []byte(signed))))); got != "bad_signature" {
					t.Errorf("%s as the secret, alg %s for a key of %s: %s", name, headerAlg, alg, got)
				}
			}
		}
	}
}

func TestAJWTHasOneSpelling(t *testing.T) {
	t.Parallel()
	for _, alg := range algorithms {
		s := newAccessSite(t, alg)
		// Every segment's last character has unused bits: a signature's always has.
		header, payload := s.header(nil), accessClaims
		for len(header)%3 == 0 {
			header += " "
		}
		for len(payload)%3 == 0 {
			payload += " "
		}
		good := s.Sign.jwt(header, payload)
		if got := s.open(t, accessType, good); got != "valid" {
			t.Fatalf("%s: the token to be spelt differently is %s", alg, got)
		}
		p := strings.Split(good, ".")
		resigned := func(header, payload string) string {
			return header + "." + payload + "." + b64(string(s.Sign.sign([]byte(header+"."+payload))))
		}
		tail := func(segment string) string {
			last := len(segment) - 1
			return segment[:last] + string(alphabet[strings.IndexByte(alphabet, segment[last])+1])
		}
		for name, token := range map[string]string{
			"padding behind the signature":    good + "=",
			"padding behind the header":       resigned(p[0]+"=", p[1]),
			"padding behind the payload":      resigned(p[0], p[1]+"="),
			"trailing bits in the header":     resigned(tail(p[0]), p[1]),
			"trailing bits in the payload":    resigned(p[0], tail(p[1])),
			"trailing bits in the signature":  p[0] + "." + p[1] + "." + tail(p[2]),
			"a newline at the end":            good + "\n",
			"a newline in the payload":        resigned(p[0], p[1][:4]+"\n"+p[1][4:]),
			"a carriage return in the header": resigned(p[0][:4]+"\r"+p[0][4:], p[1]),
			"a newline in the signature":      good[:len(good)-5] + "\n" + good[len(good)-5:],
			"a space in front":                " " + good,
			"a space behind":                  good + " ",
			"a tab in the payload":            resigned(p[0], p[1]+"\t"),
			"the standard alphabet":           resigned(p[0], p[1][:4]+"+/"+p[1][6:]),
			"a percent escape":                strings.Replace(good, ".", "%2E", 1),
			"nothing":                         "",
			"two dots":                        "..",
			"an empty header":                 resigned("", p[1]),
			"an empty payload":                resigned(p[0], ""),
			"two segments":                    p[0] + "." + p[1],
			"four segments":                   good + ".",
			"five segments":                   good + "." + p[1] + "." + p[2],
			"the word Bearer":                 "Bearer " + good,
			"a NUL at the end":                good + "\x00",
			"JSON serialization":              `{"payload":"` + p[1] + `","protected":"` + p[0] + `","signature":"` + p[2] + `"}`,
			"a megabyte of dots":              strings.Repeat(".", 1<<20),
			"a payload too long":              s.Sign.jwt(header, `{"a":"`+strings.Repeat("a", hallpass.MaxTokenLength)+`"}`),
			"a payload that is a list":        s.Sign.jwt(header, `[1]`),
			"a payload that is null":          s.Sign.jwt(header, `null`),
			"a payload that is no JSON":       s.Sign.jwt(header, `sub=ada`),
			"data behind the payload":         s.Sign.jwt(header, `{}{}`),
			"a claim twice":                   s.Sign.jwt(header, `{"sub":"ada","sub":"eve"}`),
			"a claim twice, one escaped":      s.Sign.jwt(header, `{"sub":"ada","s\u0075b":"eve"}`),
			"a claim twice below":             s.Sign.jwt(header, `{"a":{"b":1,"b":2}}`),
			"deep JSON":                       s.Sign.jwt(header, `{"a":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`}`),
			"invalid UTF-8":                   s.Sign.jwt(header, "{\"a\":\"\xc3\"}"),
			"a lone surrogate":                s.Sign.jwt(header, `{"a":"\ud800"}`),
		} {
			if got := s.open(t, accessType, token); got != "malformed" {
				t.Errorf("%s, %s: %s", alg, name, got)
			}
		}
	}
}

func TestNoFlippedByteOfAJWTOpens(t *testing.T) {
	t.Parallel()
	for _, alg := range algorithms {
		s := newAccessSite(t, alg)
		good := s.sign(t, accessType, accessClaims)
		for i := range good {
			for _, c := range "AQgw_.=+/ \n\x00é" {
				if byte(c) == good[i] {
					continue
				}
				if got := s.open(t, accessType, good[:i]+string(c)+good[i+1:]); got != "malformed" && got != "unknown_key" && got != "bad_signature" {
					t.Fatalf("%s: byte %d as %q is %s", alg, i, c, got)
				}
			}
		}
	}
}

func TestTheTwinOfAJWTsSignatureIsRefused(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, hallpass.ES256)
	good := s.sign(t, accessType, accessClaims)
	dot := strings.LastIndexByte(good, '.') + 1
	signature := unb64(t, good[dot:])
	twin := new(big.Int).Sub(s.Sign.ec.Params().N, new(big.Int).SetBytes(signature[32:]))
	twin.FillBytes(signature[32:])
	if got := s.open(t, accessType, good[:dot]+b64(string(signature))); got != "bad_signature" {
		t.Errorf("the twin is %s", got)
	}
}

func TestOfTwoFaultsOfAJWTTheEarlierIsNamed(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, hallpass.EdDSA)
	attacker := newSignerFor(t, hallpass.PurposeAccess, hallpass.EdDSA)
	unknown, wrongType := map[string]any{"kid": "nobody"}, map[string]any{"typ": "pass+jwt"}
	both := map[string]any{"kid": "nobody", "typ": "pass+jwt"}
	for name, row := range map[string]struct{ token, want string }{
		"malformed and an unknown key":     {s.Sign.jwt(s.header(unknown), `[]`), "malformed"},
		"malformed and a bad signature":    {attacker.jwt(s.header(nil), `[]`), "malformed"},
		"an unknown key and a wrong type":  {s.Sign.jwt(s.header(both), `{}`), "unknown_key"},
		"a bad signature and a wrong type": {attacker.jwt(s.header(wrongType), `{}`), "bad_signature"},
	} {
		if got := s.open(t, accessType, row.token); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// Each keeps to its own even where one secret was given both purposes.
func TestPassesAndJWTsNeverStandInForEachOther(t *testing.T) {
	t.Parallel()
	for _, alg := range algorithms {
		for _, shared := range []bool{false, true} {
			s := newSiteWith(t, newSigner(t, alg))
			sign := newSignerFor(t, hallpass.PurposeAccess, alg)
			want := "unknown_key"
			if shared {
				text, err := s.Sign.key.Reveal()
				if err != nil {
					t.Fatal(err)
				}
				sign = s.Sign
				if sign.key, err = hallpass.ParseKeyFor(hallpass.PurposeAccess, text, ""); err != nil {
					t.Fatal(err)
				}
				want = "wrong_type"
			}
			ring, err := hallpass.NewKeyring(sign.key)
			if err != nil {
				t.Fatal(err)
			}
			access := accessSite{ring, sign}
			pass := s.issue(t, hallpass.Spec{Unrecorded: true, TTL: time.Hour}).Token.Reveal()
			if got := access.open(t, accessType, pass); got != want {
				t.Errorf("%s, shared %v: a pass opens as %s, want %s", alg, shared, got, want)
			}
			compact := s.issue(t, hallpass.Spec{Format: hallpass.FormatCompact}).Token.Reveal()
			if got := access.open(t, accessType, compact); got != "malformed" {
				t.Errorf("%s: a compact pass opens as %s", alg, got)
			}
			if _, err := s.verify(access.sign(t, accessType, claims(nil))); reason(err) != want {
				t.Errorf("%s, shared %v: an access token is verified as %s, want %s", alg, shared, reason(err), want)
			}
		}
	}
}

func TestASoleAccessKeyOpensWhateverKidItCarries(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, hallpass.ES256)
	sole := accessSite{hallpass.SoleKeyring(s.Sign.key), s.Sign}
	if got := sole.open(t, accessType, s.Sign.jwt(s.header(map[string]any{"kid": "x"}), `{}`)); got != "valid" {
		t.Errorf("another kid: %s", got)
	}
	other := newSignerFor(t, hallpass.PurposeAccess, hallpass.ES256)
	if got := sole.open(t, accessType, other.jwt(s.header(nil), `{}`)); got != "bad_signature" {
		t.Errorf("another key: %s", got)
	}
}

// Not parallel: it counts what the process allocates. The limit leaves room for the
// race detector, under which pools forget, and as they forget at random the least of
// some counts.
func TestOpeningAJWTAllocatesLittle(t *testing.T) {
	s := newAccessSite(t, hallpass.HS256)
	token := s.sign(t, accessType, accessClaims)
	least := math.Inf(1)
	for range 5 {
		least = min(least, testing.AllocsPerRun(100, func() { _, _, _ = s.OpenJWT(accessType, token) }))
	}
	if least > 8 {
		t.Errorf("%v allocations", least)
	}
	giant := strings.Repeat("a.", 1<<19)
	if got := testing.AllocsPerRun(100, func() { _, _, _ = s.OpenJWT(accessType, giant) }); got > 0 {
		t.Errorf("a megabyte of nothing: %v allocations", got)
	}
}

func BenchmarkOpenJWT(b *testing.B) {
	for _, alg := range algorithms {
		b.Run(string(alg), func(b *testing.B) {
			s := newAccessSite(b, alg)
			token := s.sign(b, accessType, accessClaims)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := s.OpenJWT(accessType, token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// jwtRefusable reports whether a token has one of the faults that we refuse and
// golang-jwt does not. It is written apart from our decoder.
func jwtRefusable(text string, header, payload []byte) bool {
	var h, p map[string]any
	return strings.ContainsAny(text, "\r\n") || len(text) > hallpass.MaxTokenLength ||
		!plainJSON(header) || !plainJSON(payload) || json.Unmarshal(header, &h) != nil || json.Unmarshal(payload, &p) != nil || p == nil ||
		len(h) != 3 || h["alg"] != "HS256" || h["kid"] != fuzzKeyID || h["typ"] != accessType
}

// FuzzOpenJWT holds our verdict against golang-jwt's, over any header and payload
// under a good signature: what we open it accepts, with the same claims; what only
// it accepts has one of the listed faults.
func FuzzOpenJWT(f *testing.F) {
	secret := []byte("4c0ee7e6bd6a4f3d9f2b51c8a0d7e913")
	key, err := hallpass.ParseKeyFor(hallpass.PurposeAccess, string(secret), fuzzKeyID)
	if err != nil {
		f.Fatal(err)
	}
	ring, err := hallpass.NewKeyring(key)
	if err != nil {
		f.Fatal(err)
	}
	s := accessSite{ring, signer{key: key, secret: secret}}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithJSONNumber(), jwt.WithoutClaimsValidation())
	for _, edits := range []map[string]any{
		nil, {"alg": "none"}, {"alg": nil}, {"kid": "x"}, {"kid": nil}, {"typ": "JWT"}, {"typ": nil}, {"crit": []string{}}, {"jku": "x"}, {"é": "\u2028"},
	} {
		f.Add(s.header(edits), accessClaims, "")
	}
	f.Add(s.header(nil), `{"sub":"a","s\u0075b":"b"}`, "")
	f.Add(s.header(nil), `null`, "")
	f.Add(s.header(nil), ` {} `, "=")
	f.Add(s.header(nil)+" ", `{}{}`, "\n")
	f.Add(strings.Replace(s.header(nil), "{", `{"typ":"x",`, 1), `{"a":`+strings.Repeat("[", 31)+strings.Repeat("]", 31)+`}`, ".")
	f.Fuzz(func(t *testing.T, header, payload, tail string) {
		text := s.Sign.jwt(header, payload) + tail
		opened, _, ours := s.OpenJWT(accessType, text)
		theirClaims := jwt.MapClaims{}
		_, theirs := parser.ParseWithClaims(text, theirClaims, func(*jwt.Token) (any, error) { return secret, nil })
		switch {
		case ours == nil && theirs != nil:
			t.Fatalf("we open %s . %s, golang-jwt says %v", header, payload, theirs)
		case ours == nil:
			if string(opened) != payload {
				t.Fatalf("%q opens as %q", payload, opened)
			}
			if diff := cmp.Diff(numbers(t, opened), map[string]any(theirClaims)); diff != "" {
				t.Fatalf("%s (-ours +theirs):\n%s", payload, diff)
			}
		case theirs == nil && !jwtRefusable(text, []byte(header), []byte(payload)):
			t.Fatalf("golang-jwt accepts %s . %s, we say %v", header, payload, ours)
		}
	})
}
