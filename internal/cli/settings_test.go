package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/cli"
)

// What names a store or a mail server has its password in it.
func TestNoSettingThatMayHoldASecretIsShown(t *testing.T) {
	t.Parallel()
	shown := cli.ShownSettings()
	if shown["upstream"] != "URL" {
		t.Fatalf("these are not the settings: %v", shown)
	}
	for name, takes := range shown {
		if takes == "DSN" || takes == "KEY" || strings.Contains(name, "secret") {
			t.Errorf("%s, which takes a %s, needs the tag secret", name, takes)
		}
	}
}

func TestAReloadSaysThatNewClaimsTakeARestart(t *testing.T) {
	t.Parallel()
	const head = "mail: dir:.\nlogin:\n  allow: [\"*\"]\n"
	for name, tt := range map[string]struct {
		before, after string
		warns         bool
	}{
		"another value": {"  claims:\n    ada@example.com: {role: admin}\n", "  claims:\n    ada@example.com: {role: reader}\n", true},
		"another kind":  {"  claims:\n    \"*\": {level: 1}\n", "  claims:\n    \"*\": {level: \"1\"}\n", true},
		"another order": {"  claims:\n    \"*\": {a: 1}\n    ada@example.com: {a: 2}\n", "  claims:\n    ada@example.com: {a: 2}\n    \"*\": {a: 1}\n", true},
		"none any more": {"  claims:\n    \"*\": {a: 1}\n", "", true},
		"a comment":     {"  claims:\n    \"*\": {a: 1}\n", "  claims: # of everybody\n    \"*\":\n      a: 1\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "hallpass.yaml")
			write := func(text string) {
				if err := os.WriteFile(file, []byte(head+text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(tt.before)
			logged, err := cli.Reload(t.Context(), file, func() { write(tt.after) })
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(logged, "login.claims") != tt.warns {
				t.Errorf("want a warning: %v\n%s", tt.warns, logged)
			}
		})
	}
}
