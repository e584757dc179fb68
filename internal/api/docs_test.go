package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/needs"
)

var codeBlock = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// The pages that say how to call the API from a language are programs: their code
// blocks, one after the other, print the block of text.
func TestThePagesRun(t *testing.T) {
	t.Parallel()
	for _, page := range []struct {
		name, language, file string
		program              func(testing.TB) []string
	}{
		{"call-from-curl.md", "sh", "page.sh", func(t testing.TB) []string { needs.Program(t, "curl"); return []string{needs.Program(t, "sh"), "-eu"} }},
		{"call-from-python.md", "python", "page.py", func(t testing.TB) []string { return []string{needs.Python(t)} }},
		{"call-from-node.md", "js", "page.mjs", func(t testing.TB) []string { return []string{needs.Program(t, "node")} }},
	} {
		t.Run(page.name, func(t *testing.T) {
			t.Parallel()
			program := page.program(t)
			text, err := os.ReadFile(filepath.Join("..", "..", "docs", page.name))
			if err != nil {
				t.Fatal(err)
			}
			var code, want strings.Builder
			for _, block := range codeBlock.FindAllStringSubmatch(string(text), -1) {
				switch block[1] {
				case page.language:
					code.WriteString(block[2])
				case "text":
					want.WriteString(block[2])
				default:
					t.Errorf("a block of %s is not run", block[1])
				}
			}
			s := newSite(t)
			dir := t.TempDir()
			writeFile(t, dir, page.file, code.String())
			cmd := exec.Command(program[0], append(program[1:], page.file)...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "HALLPASS_URL="+s.url, "HALLPASS_TOKEN="+s.token)
			out, err := cmd.Output()
			if err != nil || string(out) != want.String() || want.Len() == 0 {
				t.Errorf("%v, it printed\n%s", err, out)
			}
		})
	}
}
