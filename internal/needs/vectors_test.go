package needs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// A path as one writes it at the module's root named nothing in the package's folder,
// and the tests failed.
func TestVectorsAreFoundFromTheModulesRootToo(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "root.json", "both.json", "a/b/both.json"} {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for name, want := range map[string]string{
		"":                               "",
		"both.json":                      "both.json",
		"root.json":                      filepath.Join(root, "root.json"),
		"a/b/both.json":                  filepath.Join(dir, "both.json"),
		filepath.Join(root, "none.json"): filepath.Join(root, "none.json"),
	} {
		t.Setenv(needs.VectorsFile, name)
		if got := needs.Vectors(t); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
