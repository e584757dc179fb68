package keytext

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"
)

// MaxSize is the largest key text in bytes. The keys known here need less
// than a thousand; the rest is room for comments and long secrets.
const MaxSize = 64 << 10

var errSize = errors.New("the key is longer than 64 KiB")

// shape is what a text looks like, before anything of it is decoded.
type shape int

const (
	shapeSecret shape = iota
	shapePEM
	shapeJWK
	shapeSSH
	shapeForeign // a key, or a wrapping of one, that is not read here
)

// Parse turns key text into key material, by shape:
//
//   - "-----BEGIN …": PEM, holding a PKCS#8 or SEC 1 private key, a PKIX public
//     key, or an unencrypted OpenSSH private key; on a single line "|" stands
//     for a line break
//   - "{…": one JWK (RFC 7517) of type oct, OKP with Ed25519, or EC with P-256
//   - "ssh-ed25519 AAAA… comment": an OpenSSH public key
//   - anything else: a shared secret, whose UTF-8 bytes are taken as they are
//
// White space around the first three does not matter. Prefixes such as
// "base64:" mean nothing here. Parse does not judge how strong the key is;
// Check does.
func Parse(text string) (Material, error) {
	if len(text) > MaxSize {
		return Material{}, errSize
	}
	// UTF-16, which some shells write by default, would make a secret of any
	// PEM file. Its bytes are either no UTF-8 or full of zeros.
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return Material{}, errors.New("the key is not UTF-8 text; give a binary secret as a JWK of type oct")
	}
	body := trim(text)
	if body == "" {
		return Material{}, errors.New("the key is empty")
	}
	switch recognise(body) {
	case shapePEM:
		return parsePEM(body)
	case shapeJWK:
		return parseJWK(body)
	case shapeSSH:
		return parseSSHPublic(body)
	case shapeForeign:
		return Material{}, errors.New("this holds a key in a form that is not read here, or with other text around it; give the PEM block, JWK or ssh-ed25519 line alone")
	default:
		return Material{Algorithm: HS256, Secret: []byte(text)}, nil
	}
}

// trim removes the white space around a text, and a byte order mark before it.
func trim(text string) string {
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "\ufeff"))
}

// recognise errs on the side of "a key": a mistaken refusal is read and
// mended, a public key taken for a secret lets anybody sign.
func recognise(body string) shape {
	switch {
	case strings.HasPrefix(body, "-----BEGIN"):
		return shapePEM
	case strings.HasPrefix(body, "{"):
		return shapeJWK
	case strings.HasPrefix(body, "ssh-"), sshKeyType(firstField(body)):
		return shapeSSH
	case holdsKey(body), strings.HasPrefix(body, "PuTTY-User-Key-File-"):
		return shapeForeign
	default:
		return shapeSecret
	}
}

// holdsKey reports whether there is an asymmetric key in a text, in any form
// that could be public. Random bytes do not look like one.
func holdsKey(body string) bool {
	return strings.Contains(body, "---- BEGIN ") || strings.Contains(body, "-----BEGIN ") ||
		(strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[")) && strings.Contains(body, `"kty"`) ||
		holdsSSHPublic(body) || bareSPKI([]byte(body))
}

func firstField(body string) string {
	first, _, _ := strings.Cut(strings.ReplaceAll(body, "\t", " "), " ")
	return first
}

// bareSPKI reports whether b is a PKIX public key without its PEM lines, in
// DER or in any base64, which is how some consoles hand them out.
func bareSPKI(b []byte) bool {
	if _, err := x509.ParsePKIXPublicKey(b); err == nil {
		return true
	}
	// All of them begin with SEQUENCE, which base64 writes as M.
	if !bytes.HasPrefix(b, []byte("M")) {
		return false
	}
	text := strings.Join(strings.Fields(string(b)), "")
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	der, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	_, err = x509.ParsePKIXPublicKey(der)
	return err == nil
}
