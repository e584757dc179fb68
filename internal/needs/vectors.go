package needs

import (
	"os"
	"path/filepath"
	"testing"
)

// VectorsFile is the environment variable that names one more file of vectors, for the
// tests that run them.
const VectorsFile = "HALLPASS_VECTORS"

// Vectors returns the path in VectorsFile, or nothing. Tests run in their package's
// folder, so a relative path that names nothing there is one from the module's root,
// where the command was given.
func Vectors(t testing.TB) string {
	t.Helper()
	name := os.Getenv(VectorsFile)
	if name == "" || filepath.IsAbs(name) || isThere(name) {
		return name
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; !isThere(filepath.Join(dir, "go.mod")); dir = filepath.Dir(dir) {
		if dir == filepath.Dir(dir) {
			return name
		}
	}
	return filepath.Join(dir, name)
}

func isThere(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
