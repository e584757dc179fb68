package django_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
)

const emailAuthSecret = "a shared secret of more than 32 bytes, 0123"

func emailAuth(t *testing.T, edit func(*django.EmailAuthConfig)) *django.EmailAuth {
	t.Helper()
	cfg := django.EmailAuthConfig{SigningKey: emailAuthSecret}
	if edit != nil {
		edit(&cfg)
	}
	e, err := django.NewEmailAuth(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestClaimsCannotSayWhatTheTokenSays: with {"type":"refresh","exp":9999999999} an
// access token opened as a refresh token, for ever.
func TestClaimsCannotSayWhatTheTokenSays(t *testing.T) {
	t.Parallel()
	e, now := emailAuth(t, nil), time.Unix(1772366400, 0)
	for _, name := range []string{"type", "exp", "iat", "nbf", "aud", "iss"} {
		for kind, issue := range map[string]func(json.RawMessage, time.Time) (string, error){"access": e.Access, "refresh": e.Refresh} {
			token, err := issue(json.RawMessage(`{"user_id":1,"`+name+`":9999999999}`), now)
			var field *hallpass.FieldError
			if !errors.As(err, &field) || field.Field != "claims" || token != "" {
				t.Errorf("%s with %s: %q, %v", kind, name, token, err)
			}
		}
	}
	token, err := e.AccessUntil(json.RawMessage(`{"user_id":1}`), now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if claims, err := e.OpenAccess(token, now.Add(time.Hour-time.Second)); err != nil || !strings.Contains(string(claims), `"exp":1772370000`) {
		t.Errorf("%s, %v", claims, err)
	}
	if _, err := e.OpenRefresh(token, now); !errors.Is(err, hallpass.RefusalWrongType) {
		t.Errorf("%v, want %v", err, hallpass.RefusalWrongType)
	}
}

// TestWhatIsIssuedWithAnotherTypIsOpened: tokens with EXTRA_HEADERS {"typ": …} were
// made and then refused as wrong_type.
func TestWhatIsIssuedWithAnotherTypIsOpened(t *testing.T) {
	t.Parallel()
	now := time.Unix(1772366400, 0)
	e := emailAuth(t, func(c *django.EmailAuthConfig) { c.Headers = map[string]string{"typ": "at+jwt"} })
	token, err := e.Access(nil, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.OpenAccess(token, now); err != nil {
		t.Errorf("its own token: %v", err)
	}
	if _, err := emailAuth(t, nil).OpenAccess(token, now); !errors.Is(err, hallpass.RefusalWrongType) {
		t.Errorf("elsewhere: %v, want %v", err, hallpass.RefusalWrongType)
	}
	_, err = django.NewEmailAuth(django.EmailAuthConfig{SigningKey: emailAuthSecret, Headers: map[string]string{"typ": "pass+jwt"}})
	if err == nil {
		t.Error("tokens of a login may call themselves passes")
	}
}

func TestAShortSigningKeyIsTakenWhenAskedTo(t *testing.T) {
	t.Parallel()
	cfg := django.EmailAuthConfig{SigningKey: "weak and short"}
	if _, err := django.NewEmailAuth(cfg); err == nil {
		t.Error("a short key was taken without being asked to")
	}
	cfg.AllowShort = true
	if _, err := django.NewEmailAuth(cfg); err != nil {
		t.Error(err)
	}
	cfg.SigningKey = "secret"
	if _, err := django.NewEmailAuth(cfg); err == nil {
		t.Error("a published key was taken")
	}
}
