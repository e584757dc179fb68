package hallpass_test

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
)

// The compact form, written by hand: version, length of the key id, key id,
// fields of tag and number or text, signature.
const compactDomain = "hallpass compact pass 1\x00"

func (s signer) compact(version byte, fields ...string) string {
	id := s.key.ID()
	body := string([]byte{version, byte(len(id))}) + id + strings.Join(fields, "")
	return "hp_" + b64(body+string(s.sign([]byte(compactDomain+body))))
}

func text(tag byte, value string) string { return number(tag, uint64(len(value))) + value }

func number(tag byte, n uint64) string { return string(binary.AppendUvarint([]byte{tag}, n)) }

func TestACompactTokenHasOneSpelling(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	raw, err := hex.DecodeString(strings.ReplaceAll(passID, "-", ""))
	if err != nil {
		t.Fatal(err)
	}
	id, scope, mode, subject := text(1, string(raw)), text(2, "report"), text(3, "r"), text(4, "ada")
	max, exp, iat, iss := number(5, 10), number(6, uint64(t0.Unix())+60), number(8, uint64(t0.UnixMicro())), text(9, "hallpass")
	grants := text(11, "GET /a") + text(11, "GET /b")
	unr := number(15, 1)
	join := func(fields ...string) string { return s.Sign.compact(1, fields...) }
	rows := []struct{ name, token, want string }{
		{"all fields", join(id, scope, mode, subject, max, exp, iat, iss, grants, unr), "valid"},
		{"no quota is no limit", join(id, scope, mode, subject, iss, unr), "valid"},
		{"another version", s.Sign.compact(2, id, scope, mode, subject, max, iss, unr), "malformed"},
		{"version zero", s.Sign.compact(0, id, scope, mode, subject, max, iss, unr), "malformed"},
		{"two fields the wrong way round", join(id, mode, scope, subject, max, iss, unr), "malformed"},
		{"the id last", join(scope, mode, subject, max, iss, unr, id), "malformed"},
		{"the id twice", join(id, id, scope, mode, subject, max, iss, unr), "malformed"},
		{"the scope twice", join(id, scope, text(2, "admin"), mode, subject, max, iss, unr), "malformed"},
		{"the quota twice", join(id, scope, mode, subject, max, number(5, 99), iss, unr), "malformed"},
		{"grants apart from each other", join(id, scope, mode, subject, max, exp, text(11, "GET /a"), unr, text(11, "GET /b")), "malformed"},
		{"a number one byte too long", join(id, scope, mode, subject, "\x05\x8a\x00", iss, unr), "malformed"},
		{"a length one byte too long", join(id, "\x02\x86\x00report", mode, subject, max, iss, unr), "malformed"},
		{"a number of eleven bytes", join(id, scope, mode, subject, "\x05"+strings.Repeat("\xff", 10)+"\x01", iss, unr), "malformed"},
		{"a number beyond 2^53", join(id, scope, mode, subject, number(5, 1<<53+1), iss, unr), "malformed"},
		{"a number of zero", join(id, scope, mode, subject, "\x05\x00", iss, unr), "malformed"},
		{"an empty text", join(id, scope, mode, "\x04\x00", max, iss, unr), "malformed"},
		{"an end after the year 9999", join(id, scope, mode, subject, max, number(6, 253402300800), iss, unr), "malformed"},
		{"unrecorded as two", join(id, scope, mode, subject, max, iss, number(15, 2)), "malformed"},
		{"a tag nobody knows", join(id, scope, mode, subject, max, iss, unr, number(16, 1)), "malformed"},
		{"tag zero", join("\x00\x01", id, scope, mode, subject, max, iss, unr), "malformed"},
		{"an id of 15 bytes", join(text(1, string(raw[:15])), scope, mode, subject, max, iss, unr), "malformed"},
		{"an unknown mode", join(id, scope, text(3, "x"), subject, max, iss, unr), "malformed"},
		{"a broken grant", join(id, scope, mode, subject, max, exp, iss, text(11, "GET /a/../b"), unr), "malformed"},
		{"data that is no JSON", join(id, scope, mode, subject, max, iss, text(10, "{"), unr), "malformed"},
		{"invalid UTF-8", join(id, text(2, "\xff"), mode, subject, max, iss, unr), "malformed"},
		{"a text cut off", join(id, scope, mode, subject, max, iss, "\x0c\x7fabc"), "malformed"},
		{"a tag without a value", join(id, scope, mode, subject, max, iss, "\x0f"), "malformed"},
		{"no id", join(scope, mode, subject, max, iss, unr), "missing_claim"},
		{"no scope", join(id, mode, subject, max, iss, unr), "missing_claim"},
		{"no mode", join(id, scope, subject, max, iss, unr), "missing_claim"},
		{"no subject", join(id, scope, mode, max, iss, unr), "missing_claim"},
		{"no issuer", join(id, scope, mode, subject, max, unr), "missing_claim"},
		{"grants without an end", join(id, scope, mode, subject, max, iss, grants, unr), "missing_claim"},
		{"another issuer", join(id, scope, mode, subject, max, text(9, "shop"), unr), "wrong_audience"},
		{"an end that has come", join(id, scope, mode, subject, max, number(6, uint64(t0.Unix())), iss, unr), "expired"},
		{"nothing but the key", join(), "missing_claim"},
		{"the prefix alone", "hp_", "malformed"},
		{"another prefix", "hq_" + b64("x"), "malformed"},
	}
	for _, row := range rows {
		if _, err := s.verify(row.token); reason(err) != row.want {
			t.Errorf("%s: %s, want %s", row.name, reason(err), row.want)
		}
	}
	good := rows[0].token
	for name, token := range map[string]string{"padding": good + "=", "a newline": good[:9] + "\n" + good[9:], "a dot": good + ".", "a space": good + " "} {
		if _, err := s.verify(token); reason(err) != "malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A signature of one form is no signature of the other.
func TestTheFormsDoNotStandInForEachOther(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{Format: hallpass.FormatCompact, Unrecorded: true})
	raw := unb64(t, strings.TrimPrefix(p.Token.Reveal(), "hp_"))
	body, signature := raw[:len(raw)-32], raw[len(raw)-32:]
	if string(s.Sign.sign(append([]byte(compactDomain), body...))) != string(signature) {
		t.Fatal("the test does not know the form")
	}
	if _, err := s.verify("hp_" + b64(string(body)+string(s.Sign.sign(body)))); reason(err) != "bad_signature" {
		t.Errorf("signed without the domain: %v", err)
	}
	jwt := s.issue(t, hallpass.Spec{Unrecorded: true}).Token.Reveal()
	dot := strings.LastIndexByte(jwt, '.')
	if _, err := s.verify("hp_" + b64(string(body)) + jwt[dot+1:]); err == nil {
		t.Error("a JWT's signature passed")
	}
}
