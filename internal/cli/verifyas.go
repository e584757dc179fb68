package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/internal/keytext"
	"github.com/hallpass-go/hallpass/internal/strictjson"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// decoder judges as a Django package does.
type decoder func(c *verifyCmd, j django.Judge, token string) (json.RawMessage, error)

var decoders = map[string]decoder{
	"django-request-token": (*verifyCmd).asRequestToken,
	"django-signing":       (*verifyCmd).asSigned,
	"jwt-email-auth":       (*verifyCmd).asEmailAuth,
}

// givenFlag is a flag that was given, or not.
type givenFlag struct {
	name  string
	given bool
}

// decoderFlags are those that only a package's decoder knows.
func (c *verifyCmd) decoderFlags() []givenFlag {
	return []givenFlag{
		{"cipher_key", c.CipherKey != nil}, {"salt", c.Salt != nil}, {"audience", c.Audience != nil},
		{"type", c.Type != nil}, {"max_age", c.MaxAge != nil},
	}
}

// refuseFlags refuses flags that mean nothing here: whoever gave one would take the
// verdict for more than it is.
func (c *verifyCmd) refuseFlags(allowed string, flags ...givenFlag) error {
	for _, f := range flags {
		if f.given && !slices.Contains(strings.Fields(allowed), f.name) {
			format := c.As
			if format == "" {
				format = "pass"
			}
			return fieldError(f.name, "says nothing about a token judged as %s", format)
		}
	}
	return nil
}

// judgeAs prints what a package's own decoder says. It opens no store.
func (c *verifyCmd) judgeAs(a *app, decode decoder) error {
	j, err := c.judgement()
	if err != nil {
		return err
	}
	token, err := a.readForeignToken(c.Token)
	if err != nil {
		return err
	}
	claims, err := decode(c, j, token)
	reason, refused := hallpass.RefusalOf(err)
	switch {
	case err != nil && !refused:
		return err
	case refused && a.grammar.JSON:
		err = a.print(wire.Refused(reason, claims))
	case refused:
		err = a.refused(reason, hallpass.Entry{}, j.Now, false)
	case a.grammar.JSON:
		return a.print(wire.Verdict{Valid: true, Claims: claims})
	default:
		return a.line("%s\n%s", a.paint(green, "honoured"), clean(string(claims)))
	}
	if err != nil {
		return err
	}
	return exitStatus(wire.ExitRefused)
}

// judgement reads the flags that all decoders share.
func (c *verifyCmd) judgement() (j django.Judge, err error) {
	all := append(c.decoderFlags(), givenFlag{"issuer", c.Issuer != nil}, givenFlag{"scope", c.Scope != nil},
		givenFlag{"subject", c.Subject != nil}, givenFlag{"method", c.Method != nil}, givenFlag{"path", c.Path != nil}, givenFlag{"leeway", c.Leeway != ""})
	allowed := map[string]string{
		"django-request-token": "scope subject leeway", "django-signing": "salt max_age", "jwt-email-auth": "cipher_key audience type issuer leeway",
	}
	if err := c.refuseFlags(allowed[c.As], all...); err != nil {
		return j, err
	}
	if c.Key == "" {
		return j, fieldError("key", "is required: the SECRET_KEY or SIGNING_KEY the token was made with")
	}
	text, err := keytext.ReadRef(c.Key)
	if err != nil {
		return j, fieldError("key", "%v", err)
	}
	if j.Key, err = django.ParseKey(text); err != nil {
		return j, err
	}
	j.Now = time.Now()
	if c.At != "" {
		if j.Now, err = wire.ParseTime("at", c.At); err != nil {
			return j, err
		}
	}
	if c.Leeway != "" {
		if j.Leeway, err = wire.ParseDuration("leeway", c.Leeway); err != nil {
			return j, err
		}
	}
	return j, nil
}

func (c *verifyCmd) asRequestToken(j django.Judge, token string) (json.RawMessage, error) {
	scope, err := givenText("scope", c.Scope)
	if err != nil {
		return nil, err
	}
	subject, err := givenText("subject", c.Subject)
	if err != nil {
		return nil, err
	}
	claims, err := j.RequestToken(token)
	switch {
	case err != nil:
	case scope != "" && claimText(claims, "sub") != scope:
		err = hallpass.RefusalWrongScope
	case subject != "" && claimText(claims, "aud") != subject:
		err = hallpass.RefusalWrongSubject
	}
	return claims, err
}

// claimText is a claim that is a text or a number.
func claimText(claims json.RawMessage, name string) (text string) {
	_ = strictjson.Members(string(claims), func(member string, v strictjson.Value) error {
		if member != name {
			return nil
		}
		if s, ok := v.Text(); ok {
			text = s
		} else if v.Kind == strictjson.Number {
			text = v.Raw
		}
		return nil
	})
	return text
}

func (c *verifyCmd) asSigned(j django.Judge, token string) (json.RawMessage, error) {
	salt, err := givenText("salt", c.Salt)
	if err != nil {
		return nil, err
	}
	var maxAge *time.Duration
	if c.MaxAge != nil {
		d, err := wire.ParseDuration("max_age", *c.MaxAge)
		if err != nil {
			return nil, err
		}
		maxAge = &d
	}
	return j.Signed(token, salt, maxAge)
}

func (c *verifyCmd) asEmailAuth(j django.Judge, token string) (json.RawMessage, error) {
	var r django.EmailAuthRules
	for _, f := range []struct {
		name string
		from *string
		to   *string
	}{{"issuer", c.Issuer, &r.Issuer}, {"audience", c.Audience, &r.Audience}} {
		var err error
		if *f.to, err = givenText(f.name, f.from); err != nil {
			return nil, err
		}
	}
	if c.CipherKey != nil {
		text, err := keytext.ReadRef(*c.CipherKey)
		if err != nil {
			return nil, fieldError("cipher_key", "%v", err)
		}
		if r.CipherKey, err = django.ParseCipherKey(text); err != nil {
			return nil, err
		}
	}
	if c.Type != nil {
		if *c.Type != "access" && *c.Type != "refresh" {
			return nil, fieldError("type", "must be access or refresh")
		}
		r.Refresh = *c.Type == "refresh"
		return j.EmailAuth(token, r)
	}
	claims, err := j.EmailAuth(token, r)
	if errors.Is(err, hallpass.RefusalWrongType) {
		r.Refresh = true
		return j.EmailAuth(token, r)
	}
	return claims, err
}

// foreignParams carry a token in the links of the Django packages.
var foreignParams = []string{hallpass.DefaultParam, "jwt", "TOKEN"}

// readForeignToken finds a token in an argument, "-" for standard input, whose last
// line break is dropped. Anything but a link is taken as it stands: white space and
// odd characters are what a decoder is asked about.
func (a *app) readForeignToken(arg string) (string, error) {
	const most = 64 << 10
	if arg == "-" {
		text, err := io.ReadAll(io.LimitReader(a.stdin, most+2))
		if err != nil {
			return "", fmt.Errorf("%w: standard input: %w", hallpass.ErrUnavailable, err)
		}
		arg = strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	}
	if len(arg) > most {
		return "", fieldError("token", "is longer than %d bytes", most)
	}
	if !strings.HasPrefix(arg, "http://") && !strings.HasPrefix(arg, "https://") {
		return arg, nil
	}
	for _, param := range foreignParams {
		if hallpass.WithoutToken(arg, param) == arg {
			continue
		}
		if token, found := hallpass.FindToken(arg, param); found {
			return token.Reveal(), nil
		}
	}
	return arg, nil
}
