package keytext

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// minSecret is the size of the hash, RFC 7518 section 3.2.
	minSecret = 32
	// minVariety is the number of distinct bytes below which a secret is a
	// pattern. A random one of 32 bytes misses it with a probability that is
	// not worth a number, even when written in hexadecimal.
	minVariety = 8
)

// CheckKnown refuses keys that may never be used, whatever else is allowed:
// published example keys, placeholders, and a secret that is the text of a
// public key.
func CheckKnown(m Material) error { return checkKnown(m, isKnown) }

// CheckForeign is for keys that another system signs with, and that hallpass cannot
// choose. It takes what Django's startproject generates: the prefix django-insecure-
// says that nobody replaced the secret, and not that anybody knows it. With short it
// asks for no strength.
func CheckForeign(m Material, short bool) error {
	known := func(m Material) bool {
		rest, generated := strings.CutPrefix(string(m.Secret), "django-insecure-")
		if generated && len(rest) >= minSecret && variety([]byte(rest)) >= minVariety {
			m.Secret = []byte(rest)
		}
		return isKnown(m)
	}
	if err := checkKnown(m, known); err != nil || short {
		return err
	}
	return checkStrength(m)
}

func checkKnown(m Material, isKnown func(Material) bool) error {
	if m.Secret == nil && m.Public == nil {
		return errors.New("there is no key")
	}
	// Parse never takes a public key for a secret, but a JWK of type oct or
	// code that builds a Material can hold the text of one.
	if m.Secret != nil {
		// A text may stand between white space; a binary key may end with such a byte.
		if text := string(m.Secret); holdsKey(text) || holdsKey(trim(text)) {
			return errors.New("this secret is the text of a key that may be public, so anybody could sign with it; make one with `openssl rand -base64 32`")
		}
	}
	if isKnown(m) {
		return errors.New("this key is published as an example or placeholder, so anybody could sign with it; make one with `openssl rand -base64 32`")
	}
	return nil
}

// Check refuses keys that are too weak to sign with: all that CheckKnown
// refuses, and secrets that are short or hardly vary.
func Check(m Material) error {
	if err := CheckKnown(m); err != nil {
		return err
	}
	return checkStrength(m)
}

func checkStrength(m Material) error {
	if m.Secret == nil {
		return nil
	}
	if len(m.Secret) < minSecret {
		return fmt.Errorf("a shared secret needs at least %d bytes; this one has %d; make one with `openssl rand -base64 32`", minSecret, len(m.Secret))
	}
	if variety(m.Secret) < minVariety {
		return fmt.Errorf("a shared secret needs at least %d different bytes; make one with `openssl rand -base64 32`", minVariety)
	}
	return nil
}

// variety counts the distinct bytes.
func variety(secret []byte) int {
	var seen [256]bool
	count := 0
	for _, b := range secret {
		if !seen[b] {
			seen[b] = true
			count++
		}
	}
	return count
}
