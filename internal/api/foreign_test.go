package api_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/api"
	"github.com/hallpass-go/hallpass/internal/needs"
)

// publishing is an API that signs with EdDSA, has an ES256 key of which another
// token is, a retired key, and an HS256 key. Access tokens are none of its business.
func publishing(t *testing.T) (s *site, tokens []string) {
	t.Helper()
	s = newSite(t)
	var last string
	for _, alg := range []hallpass.Algorithm{hallpass.EdDSA, hallpass.ES256, hallpass.EdDSA} {
		key, err := hallpass.GenerateKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.keys.Rotate(key); err != nil {
			t.Fatal(err)
		}
		token := s.call("POST", "/v1/passes", `{"scope":"report","mode":"request","subject":"ada","ttl":"1h"}`).text("token")
		if last == "" {
			last = key.ID() // retired below, and so not among the tokens
			continue
		}
		tokens = append(tokens, token)
	}
	if err := s.keys.Retire(last); err != nil {
		t.Fatal(err)
	}
	return s, tokens
}

func TestTheKeysThatArePublished(t *testing.T) {
	t.Parallel()
	s, _ := publishing(t)
	got := s.call("GET", "/.well-known/hallpass-jwks.json", "", without("Authorization"))
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal([]byte(got.body), &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%v %s", err, got.body)
	}
	for _, key := range set.Keys {
		if key["alg"] == "HS256" || key["d"] != "" || key["k"] != "" || key["kid"] == "" || key["use"] != "sig" {
			t.Errorf("%v", key)
		}
	}
	if got.Header.Get("Cache-Control") != "public, max-age=300" || got.Header.Get("ETag") == "" {
		t.Errorf("%v", got.Header)
	}
	again := s.call("GET", "/.well-known/hallpass-jwks.json", "", header("If-None-Match", got.Header.Get("ETag")))
	if again.StatusCode != 304 || again.body != "" {
		t.Errorf("%d %s", again.StatusCode, again.body)
	}
	none := s.call("GET", "/.well-known/jwks.json", "", without("Authorization"))
	if none.StatusCode != 200 || none.body != `{"keys":[]}`+"\n" {
		t.Errorf("without access keys: %d %s", none.StatusCode, none.body)
	}
}

// accessKeys reads /.well-known/jwks.json and refuses what should not be there.
func accessKeys(t *testing.T, s *site) (ids []string) {
	t.Helper()
	got := s.call("GET", "/.well-known/jwks.json", "", without("Authorization"))
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal([]byte(got.body), &set); err != nil || got.StatusCode != 200 {
		t.Fatalf("%d %v %s", got.StatusCode, err, got.body)
	}
	if got.Header.Get("Cache-Control") != "public, max-age=300" || got.Header.Get("Content-Type") != "application/jwk-set+json" {
		t.Errorf("%v", got.Header)
	}
	for _, key := range set.Keys {
		if (key["alg"] != "EdDSA" && key["alg"] != "ES256") || key["d"] != "" || key["k"] != "" || key["use"] != "sig" {
			t.Errorf("%v", key)
		}
		ids = append(ids, key["kid"])
	}
	return ids
}

func TestTheAccessKeysThatArePublished(t *testing.T) {
	t.Parallel()
	ring, err := hallpass.NewKeyringFor(hallpass.PurposeAccess)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(c *api.Config, _ *hallpass.Config) { c.AccessKeys = ring })
	if ids := accessKeys(t, s); len(ids) != 0 {
		t.Errorf("there are none, but %v", ids)
	}
	add := func(alg hallpass.Algorithm, state hallpass.KeyState) string {
		key, err := hallpass.GenerateKeyFor(hallpass.PurposeAccess, alg)
		if err == nil {
			err = ring.Add(key, state)
		}
		if err != nil {
			t.Fatal(err)
		}
		return key.ID()
	}
	active, next := add(hallpass.EdDSA, hallpass.KeyActive), add(hallpass.ES256, hallpass.KeyVerifying)
	add(hallpass.EdDSA, hallpass.KeyRetired)
	add(hallpass.HS256, hallpass.KeyVerifying)
	if ids := accessKeys(t, s); !slices.Equal(ids, []string{active, next}) {
		t.Errorf("published %v, want the one that signs and the next: %v", ids, []string{active, next})
	}
	// A shared secret is not published, even where it signs.
	add(hallpass.HS256, hallpass.KeyActive)
	if ids := accessKeys(t, s); !slices.Equal(ids, []string{active, next}) {
		t.Errorf("published %v, want %v", ids, []string{active, next})
	}
}

func TestKeysAreNotPublishedWhereTheyDoNotBelong(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	access, err := hallpass.NewKeyringFor(hallpass.PurposeAccess)
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]api.Config{
		"keys":        {Issuer: s.Issuer, Keys: access},
		"access_keys": {Issuer: s.Issuer, AccessKeys: s.keys},
	} {
		if _, err := api.New(cfg); err == nil || !strings.Contains(err.Error(), "api: config: "+name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// run runs a program with the URL of the keys and the tokens, and returns what it
// says.
func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(program), err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestPyJWTVerifiesOurTokens(t *testing.T) {
	t.Parallel()
	python := needs.Python(t, "jwt", "cryptography")
	s, tokens := publishing(t)
	// PyJWT's clock has no fraction of a second, and our iat has: hence the leeway.
	const program = `
import sys, jwt
keys = jwt.PyJWKClient(sys.argv[1])
for token in sys.argv[2:]:
    key = keys.get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key.key, algorithms=["EdDSA", "ES256"], audience="ada", issuer="hallpass", leeway=1, options={"require": ["exp", "iat", "jti"]})
    print(jwt.get_unverified_header(token)["alg"], claims["sub"], claims["aud"])
    head, body, signature = token.split(".")
    try:
        jwt.decode(head + "." + body + "." + signature[::-1], key.key, algorithms=["EdDSA", "ES256"], audience="ada", leeway=1)
        print("a forged token passed")
    except jwt.InvalidTokenError:
        pass
`
	got := run(t, t.TempDir(), python, append([]string{"-c", program, s.url + "/.well-known/hallpass-jwks.json"}, tokens...)...)
	if got != "ES256 report ada\nEdDSA report ada" {
		t.Error(got)
	}
}

func TestNodeJoseVerifiesOurTokens(t *testing.T) {
	t.Parallel()
	node, dir := needs.Node(t, "jose@6.2.17")
	s, tokens := publishing(t)
	const program = `
import { createRemoteJWKSet, jwtVerify } from "jose";
const [url, ...tokens] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(url));
for (const token of tokens) {
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: "hallpass", audience: "ada", typ: "pass+jwt", requiredClaims: ["exp", "jti"] });
  console.log(protectedHeader.alg, payload.sub, payload.aud);
  const [head, body, signature] = token.split(".");
  await jwtVerify([head, body, [...signature].reverse().join("")].join("."), keys).then(() => console.log("a forged token passed"), () => {});
}
`
	if err := os.WriteFile(filepath.Join(dir, "verify.js"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, dir, node, append([]string{"verify.js", s.url + "/.well-known/hallpass-jwks.json"}, tokens...)...)
	if got != "ES256 report ada\nEdDSA report ada" {
		t.Error(got)
	}
}
