package e2e_test

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// binary is the path of the built command.
var binary string

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hallpass-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// The binary lies alone in its folder, which can be put in a PATH.
	binary = filepath.Join(dir, "bin", "hallpass")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := exec.Command("go", "build", "-o", binary, "../cmd/hallpass")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	code := m.Run()
	chrome.close()
	// Whatever the tests did, no process may have said a token.
	for _, leak := range said.leaks() {
		fmt.Fprintln(os.Stderr, "FAIL: a token was written by", leak)
		code = 1
	}
	return code
}

func TestTheBinaryIsStatic(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		needs.Missing(t, "Linux, where a static binary is promised")
	}
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, prog := range file.Progs {
		if prog.Type == elf.PT_INTERP {
			t.Error("it names a dynamic loader")
		}
	}
	// A static file has no dynamic section, which is ErrNoSymbols for some versions.
	if libraries, err := file.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("it needs the libraries %v", libraries)
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the binary is %.1f MB", float64(info.Size())/1e6)
}
