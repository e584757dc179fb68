// Package needs says what a test needs of the machine: a browser, a program, a
// database. Where it is missing the test is skipped with its name; with
// HALLPASS_TEST_REQUIRE=all, as in continuous integration, it fails.
package needs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Require is the environment variable that turns a skip into a failure when it is
// "all".
const Require = "HALLPASS_TEST_REQUIRE"

// chromiums are the names a Chromium goes by, best first.
var chromiums = []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "headless-shell"}

// Chromium returns the path of a Chromium.
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range chromiums {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "Chromium (none of chromium, google-chrome, headless-shell is in PATH)")
	return ""
}

// Program returns the path of a program.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "the program "+name+" (it is not in PATH)")
	}
	return path
}

// Nginx returns the path of nginx.
func Nginx(t testing.TB) string { t.Helper(); return proxy(t, "nginx") }

// Caddy returns the path of Caddy.
func Caddy(t testing.TB) string { t.Helper(); return proxy(t, "caddy") }

// HAProxy returns the path of HAProxy.
func HAProxy(t testing.TB) string { t.Helper(); return proxy(t, "haproxy") }

// proxy also looks where a user's PATH does not: daemons live in sbin.
func proxy(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), sbin...) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil && dir != "" {
			return path
		}
	}
	Missing(t, name+" (it is neither in PATH nor in "+strings.Join(sbin, ", ")+")")
	return ""
}

var sbin = []string{"/usr/sbin", "/usr/local/sbin"}

// Missing skips the test for want of what is named, or fails it where everything is
// required.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(Require) == "all" {
		t.Fatalf("this test needs %s, and %s=all forbids to skip it", what, Require)
	} else {
		t.Skipf("this test needs %s", what)
	}
}
