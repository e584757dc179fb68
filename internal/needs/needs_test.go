package needs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// outcome is how a test ended that asked for something.
type outcome struct {
	testing.TB
	skipped, failed string
}

func (o *outcome) Helper()                        {}
func (o *outcome) Skipf(format string, v ...any)  { o.skipped = fmt.Sprintf(format, v...) }
func (o *outcome) Fatalf(format string, v ...any) { o.failed = fmt.Sprintf(format, v...) }

func TestWhatIsMissingSkipsAndWhereAllIsRequiredFails(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	asks := map[string]func(testing.TB) string{
		"Chromium":    needs.Chromium,
		"no-such-one": func(t testing.TB) string { return needs.Program(t, "no-such-one") },
	}
	for name, ask := range asks {
		t.Setenv(needs.Require, "")
		var o outcome
		ask(&o)
		if !strings.Contains(o.skipped, name) || o.failed != "" {
			t.Errorf("%s: skipped %q, failed %q", name, o.skipped, o.failed)
		}
		t.Setenv(needs.Require, "all")
		o = outcome{}
		ask(&o)
		if !strings.Contains(o.failed, name) || o.skipped != "" {
			t.Errorf("%s, required: skipped %q, failed %q", name, o.skipped, o.failed)
		}
	}
}

func TestProxiesAreFoundInPathFirst(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for name, ask := range map[string]func(testing.TB) string{"nginx": needs.Nginx, "caddy": needs.Caddy, "haproxy": needs.HAProxy} {
		want := filepath.Join(dir, name)
		if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := ask(t); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWhatIsThereIsFound(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	want := filepath.Join(dir, "chromium")
	if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := needs.Chromium(t); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := needs.Program(t, "chromium"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
