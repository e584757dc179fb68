package hallpass_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
)

// verifyingKey is what other libraries verify with.
func (s signer) verifyingKey() any {
	if s.secret != nil {
		return s.secret
	}
	return s.key.Public()
}

func numbers(t testing.TB, text []byte) map[string]any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOtherLibrariesReadTheSameClaims(t *testing.T) {
	t.Parallel()
	for _, alg := range []hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			s := newSiteWith(t, newSigner(t, alg))
			s.Clock.Set(t0.Add(654321 * time.Microsecond))
			text := s.issue(t, hallpass.Spec{
				Scope: "ü \"report\"", Mode: hallpass.ModeRequest, Subject: "ada\u2028\\", Data: json.RawMessage(`{"a":[1,2.50,null,"\u00e9"],"big":9007199254740993}`),
				Grants: []hallpass.Grant{{Method: "GET", Path: "/ü"}}, Recipient: "a&b<c>", Batch: "日本", Unrecorded: true, NotBefore: t0, TTL: time.Hour,
			}).Token.Reveal()
			v, err := s.verify(text)
			if err != nil {
				t.Fatal(err)
			}
			want := numbers(t, v.Claims)

			claims := jwt.MapClaims{}
			parser := jwt.NewParser(jwt.WithValidMethods([]string{string(alg)}), jwt.WithStrictDecoding(), jwt.WithJSONNumber(),
				jwt.WithTimeFunc(s.Clock.Now), jwt.WithIssuedAt(), jwt.WithIssuer("hallpass"), jwt.WithExpirationRequired())
			token, err := parser.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return s.Sign.verifyingKey(), nil })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, map[string]any(claims)); diff != "" {
				t.Errorf("golang-jwt (-ours +theirs):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]any{"alg": string(alg), "kid": s.Sign.key.ID(), "typ": "pass+jwt"}, token.Header); diff != "" {
				t.Errorf("header (-ours +theirs):\n%s", diff)
			}

			object, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatal(err)
			}
			payload, err := object.Verify(s.Sign.verifyingKey())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, numbers(t, payload)); diff != "" {
				t.Errorf("go-jose (-ours +theirs):\n%s", diff)
			}
		})
	}
}

// refusable reports whether a token has one of the faults that we refuse and
// golang-jwt does not: crit, b64, another type, a duplicate name, data behind the
// JSON, bounds, a missing claim, a claim of another type or spelling. It is
// written apart from our decoder, on encoding/json.
func refusable(text string, header, payload []byte) bool {
	return strings.ContainsAny(text, "\r\n") || len(text) > hallpass.MaxTokenLength ||
		!plainJSON(header) || !plainJSON(payload) || !ourHeader(header) || !ourClaims(payload)
}

// plainJSON reports whether the text is JSON that says nothing twice and is no
// deeper or broader than a token may be.
func plainJSON(text []byte) bool {
	if bytes.Contains(text, []byte(`\u`)) && (bytes.Contains(text, []byte(`\ud`)) || bytes.Contains(text, []byte(`\uD`))) {
		return false // perhaps a lone surrogate
	}
	if strings.ToValidUTF8(string(text), "") != string(text) || !json.Valid(text) {
		return false // golang-jwt reads no further than the first value
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	type level struct {
		names map[string]bool // nil in an array
		name  bool            // the next token is a name
	}
	var stack []level
	for {
		token, err := dec.Token()
		if err != nil {
			return true // the end
		}
		top := len(stack) - 1
		if name, ok := token.(string); ok && top >= 0 && stack[top].names != nil && stack[top].name {
			if stack[top].names[name] || len(stack[top].names) == 256 {
				return false
			}
			stack[top].names[name], stack[top].name = true, false
			continue
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, level{map[string]bool{}, true})
		case json.Delim('['):
			stack = append(stack, level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:top]
		}
		if len(stack) > 32 {
			return false
		}
		if top = len(stack) - 1; top >= 0 && token != json.Delim('{') {
			stack[top].name = true
		}
	}
}

func ourHeader(text []byte) bool {
	var h map[string]any
	if json.Unmarshal(text, &h) != nil {
		return false
	}
	_, crit := h["crit"]
	_, unencoded := h["b64"]
	return h["typ"] == "pass+jwt" && !crit && !unencoded && h["alg"] == "HS256" && h["kid"] == fuzzKeyID
}

func ourClaims(text []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var c map[string]any
	if dec.Decode(&c) != nil || c == nil {
		return false
	}
	whole := func(name string) bool {
		n, ok := c[name].(json.Number)
		return ok && !strings.ContainsAny(n.String(), ".eE-") && len(n) < 13
	}
	texts := true
	for _, name := range []string{"jti", "sub", "mod", "aud", "iss", "rcp", "bat", "tgt"} {
		if value, there := c[name]; there {
			_, isText := value.(string)
			texts = texts && isText
		}
	}
	has := func(name string) bool { _, there := c[name]; return there }
	mode, _ := c["mod"].(string)
	unr, isBool := c["unr"].(bool)
	_ = unr
	switch {
	case !texts, !has("jti"), c["jti"] == "", !has("sub"), !has("iss"), !whole("max"):
		return false
	case mode != "n" && mode != "r" && mode != "s", mode != "n" && (!has("aud") || c["aud"] == ""):
		return false
	case has("exp") && (!whole("exp") || c["exp"] == json.Number("0")), has("nbf") && !whole("nbf"):
		return false
	case has("iat"):
		n, ok := c["iat"].(json.Number)
		if !ok || strings.ContainsAny(n.String(), "eE-") || len(strings.Split(n.String(), ".")[0]) > 12 {
			return false
		}
	}
	if has("unr") && !isBool {
		return false
	}
	if grants, there := c["grt"]; there {
		list, ok := grants.([]any)
		for _, g := range list {
			s, isText := g.(string)
			if _, err := hallpass.ParseGrant(s); !isText || err != nil {
				return false
			}
		}
		if !ok || len(list) > 0 && !has("exp") {
			return false
		}
	}
	return mode != "s" || has("exp")
}

const fuzzKeyID = "fuzz"

// FuzzAgainstGolangJWT holds our verdict against golang-jwt's, over any header
// and payload under a good signature: what we accept it accepts, with the same
// claims; what only it accepts has one of the listed faults.
func FuzzAgainstGolangJWT(f *testing.F) {
	secret := []byte("4c0ee7e6bd6a4f3d9f2b51c8a0d7e913")
	key, err := hallpass.ParseKey(string(secret), fuzzKeyID)
	if err != nil {
		f.Fatal(err)
	}
	sign := signer{key: key, secret: secret}
	s := newSiteWith(f, sign)
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithJSONNumber(),
		jwt.WithTimeFunc(s.Clock.Now), jwt.WithIssuer("hallpass"))
	for _, edits := range []map[string]any{
		nil, {"mod": "s"}, {"mod": "n", "aud": nil}, {"exp": 1}, {"exp": 1.5}, {"nbf": t0.Unix()}, {"iat": 1772366400.5}, {"grt": []string{"GET /a"}},
		{"dat": map[string]any{"a": []any{1, "x", nil}}}, {"aud": []string{"a"}}, {"unr": nil}, {"max": nil}, {"iss": "x"}, {"é": "\u2028"},
	} {
		f.Add(sign.header(nil), claims(edits), "")
	}
	f.Add(sign.header(map[string]any{"crit": []string{"exp"}}), claims(nil), "")
	f.Add(sign.header(map[string]any{"alg": "none"}), claims(nil), "")
	f.Add(sign.header(nil), claims(nil)[:20]+`,"exp":1}`, "\n")
	f.Add(sign.header(nil), `{"jti":"a","jti":"a"}`, "=")
	f.Fuzz(func(t *testing.T, header, payload, tail string) {
		text := sign.jwt(header, payload) + tail
		v, ours := s.verify(text)
		theirClaims := jwt.MapClaims{}
		_, theirs := parser.ParseWithClaims(text, theirClaims, func(*jwt.Token) (any, error) { return secret, nil })
		switch {
		case ours == nil && theirs != nil:
			t.Fatalf("we accept %s . %s, golang-jwt says %v", header, payload, theirs)
		case ours == nil:
			if diff := cmp.Diff(numbers(t, v.Claims), map[string]any(theirClaims)); diff != "" {
				t.Fatalf("%s (-ours +theirs):\n%s", payload, diff)
			}
		case theirs == nil && !refusable(text, []byte(header), []byte(payload)):
			// Our own time of issue is judged; golang-jwt does so only when asked.
			if iat, err := theirClaims.GetIssuedAt(); reason(ours) == "not_yet_valid" && err == nil && iat.After(t0.Add(time.Minute)) {
				return
			}
			t.Fatalf("golang-jwt accepts %s . %s, we say %v", header, payload, ours)
		}
	})
}

// FuzzParseToken: no text that we did not sign is ever valid, or makes anything
// worse than a refusal.
func FuzzParseToken(f *testing.F) {
	s := newSite(f)
	for _, format := range []hallpass.Format{hallpass.FormatSigned, hallpass.FormatCompact, hallpass.FormatShort} {
		f.Add(s.issueForFuzz(f, format))
	}
	compact := strings.TrimPrefix(s.issueForFuzz(f, hallpass.FormatCompact), "hp_")
	raw, _ := base64.RawURLEncoding.DecodeString(compact)
	f.Add("hp_" + b64(string(raw[:40])))
	for _, seed := range []string{"", "..", "...", "a.b.c", "hp_", "hp_AQ", "e30.e30.", "0123456789abcdefghijkl", strings.Repeat(".", 9000)} {
		f.Add(seed)
	}
	// The seeds are signed with another key than the one they are judged with.
	judge := newSiteWith(f, signer{key: renamed(f, s.Sign.key.ID())})
	f.Fuzz(func(t *testing.T, text string) {
		v, err := judge.verify(text)
		if err == nil {
			t.Fatalf("%q is valid: %+v", text, v)
		}
		if v.Pass.ID != "" || v.Claims != nil {
			t.Fatalf("%q shows %+v", text, v)
		}
		if r := reason(err); r != "missing" && r != "malformed" && r != "unknown_key" && r != "bad_signature" && r != "unavailable" {
			t.Fatalf("%q: %v", text, err)
		}
		hallpass.FindToken(text, "")
	})
}

func (s *site) issueForFuzz(f *testing.F, format hallpass.Format) string {
	f.Helper()
	issued, err := s.Issue(f.Context(), hallpass.Spec{Scope: "report", Format: format, Grants: []hallpass.Grant{{Method: "GET", Path: "/a"}}})
	if err != nil {
		f.Fatal(err)
	}
	return issued.Token.Reveal()
}

// renamed is a new key under a given id.
func renamed(f *testing.F, id string) hallpass.Key {
	f.Helper()
	other := newSigner(f, hallpass.HS256)
	key, err := hallpass.ParseKey(`{"kty":"oct","alg":"HS256","k":"`+b64(string(other.secret))+`"}`, id)
	if err != nil {
		f.Fatal(err)
	}
	return key
}
