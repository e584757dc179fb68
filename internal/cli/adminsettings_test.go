package cli_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/cli"
	"github.com/hallpass-go/hallpass/mail"
)

func TestTheAdminShowsNoSecretOfTheSettings(t *testing.T) {
	t.Parallel()
	const secret = "nobody-may-read-this"
	shown := cli.ShownSecrets(secret)
	if _, there := shown["login.code_ttl"]; !there {
		t.Error("the settings of logins are not shown")
	}
	for name, value := range shown {
		if name == "" {
			t.Error("a setting without a name is shown")
		}
		if strings.Contains(value, secret) {
			t.Errorf("%s shows its secret", name)
		}
	}
}

func TestWhoMaySignInToTheAdminByEmail(t *testing.T) {
	t.Parallel()
	allow := []string{"chief@ops.example=admin", "*@ops.example=viewer"}
	for address, want := range map[mail.Address]string{
		"chief@ops.example": "admin", "anna@ops.example": "viewer", "chief@example.com": "", "chief@evil.ops.example": "",
	} {
		if role, err := cli.Listed(allow, address); err != nil || role != want {
			t.Errorf("%s: %q, %v; want %q", address, role, err, want)
		}
	}
	for _, wrong := range []string{"*=admin", "chief@ops.example", "chief@ops.example=", "chief@ops.example=root", "=admin", "nobody=viewer"} {
		_, err := cli.Listed([]string{wrong}, "chief@ops.example")
		if field, ok := errors.AsType[*hallpass.FieldError](err); !ok || field.Field != "admin.allow" {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
