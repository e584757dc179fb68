package needs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Python returns the path of a Python 3 that has the modules. The system's own is
// looked at first: distributions put their packages there.
func Python(t testing.TB, modules ...string) string {
	t.Helper()
	imports := "pass"
	if len(modules) > 0 {
		imports = "import " + strings.Join(modules, ", ")
	}
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", imports).Run() == nil {
			return path
		}
	}
	Missing(t, "Python 3 with "+strings.Join(append([]string{"its standard library"}, modules...), ", "))
	return ""
}

// Node returns the path of Node, and a new folder in which the packages are
// installed, each named with its exact version.
func Node(t testing.TB, packages ...string) (node, dir string) {
	t.Helper()
	node = Program(t, "node")
	dir = t.TempDir()
	if len(packages) == 0 {
		return node, dir
	}
	npm := Program(t, "npm")
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private":true,"type":"module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	install := exec.Command(npm, append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact"}, packages...)...)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Logf("%s", out)
		Missing(t, "the npm packages "+strings.Join(packages, ", ")+" (npm cannot install them here)")
	}
	return node, dir
}
