package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
)

// The refusal used to say "for another purpose than the one asked", where none was.
func TestAScopeThatAForeignKeyMayNotCarryIsNamed(t *testing.T) {
	t.Parallel()
	const secret = "the key of the shop's own Django, 32 bytes and more"
	dir := t.TempDir()
	store := "--store=sqlite:" + filepath.Join(dir, "hallpass.db")
	if code, _, errs := runHallpass(t, "import", "django", store, "--from=sqlite:../djangoimport/testdata/django-request-token.sqlite3"); code != 0 {
		t.Fatal(errs)
	}
	config := filepath.Join(dir, "hallpass.yaml")
	settings := "foreign_keys:\n  - {id: django, format: django-request-token, key: \"" + secret + "\", scopes: [newsletter], modes: [public]}\n"
	if err := os.WriteFile(config, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := django.ParseKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	token, err := django.EncodeRequestToken(key, django.RequestTokenRow{
		ID: 45, Scope: "rsvp", Mode: hallpass.ModePublic, MaxUses: 10,
	}, django.Release2_3)
	if err != nil {
		t.Fatal(err)
	}
	code, out, errs := runHallpass(t, "verify", store, "--config="+config, token)
	if code != 1 || !strings.Contains(out, "wrong_scope") || !strings.Contains(out, "foreign key django may not carry the scope rsvp in the mode public") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}
