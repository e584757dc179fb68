package cli_test

import (
	"os"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/cli"
)

func TestTheDocumentationListsEverySettingOfServe(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/serve.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := cli.SettingsTable(); !strings.Contains(string(text), table) {
		t.Errorf("docs/serve.md should have this table:\n%s", table)
	}
}
