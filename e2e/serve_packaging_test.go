package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheConfigurationsInExamplesAreGood(t *testing.T) {
	t.Parallel()
	found := 0
	err := filepath.WalkDir("../examples", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "hallpass.yaml" {
			return err
		}
		found++
		if got := hallpass(t, "config", "check", "--config", path); got.code != 0 {
			t.Errorf("%s: %s", path, got.stderr)
		}
		return nil
	})
	if err != nil || found < 2 {
		t.Errorf("%d configurations, %v", found, err)
	}
}

// What the unit, the image and the compose file run must exist.
func TestPackagingNamesCommandsThatExist(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "hallpass.yaml", "rules: []\n")
	for file, commands := range map[string][]string{
		"../packaging/hallpass.service":    {"config check --config /etc/hallpass/hallpass.yaml", "serve --config /etc/hallpass/hallpass.yaml"},
		"../packaging/Containerfile":       {`"serve", "--config", "/etc/hallpass/hallpass.yaml"`},
		"../examples/compose/compose.yaml": {"HALLPASS_MASTER_KEY_FILE: /run/secrets/master_key"},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range commands {
			if !strings.Contains(string(text), command) {
				t.Errorf("%s does not run %s", file, command)
			}
		}
	}
	master := writeFile(t, "master-key", strings.Repeat("m", 44)+"\n")
	s := startServe(t, []string{"HALLPASS_MASTER_KEY_FILE=" + master}, "--config", config)
	if strings.Contains(s.stderr.String(), "unprotected") {
		t.Error("the master key's file was not used")
	}
}
