package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// server is a running `hallpass serve --json`.
type server struct {
	URL    string `json:"url"`
	OpsURL string `json:"ops_url"`

	cmd            *exec.Cmd
	stdout, stderr *buffer
	ended          chan struct{}
	store          string
	killed         bool
}

// startServe starts a server on free ports and stops it when the test ends. env
// holds pairs such as "NAME=value".
func startServe(t testing.TB, env []string, args ...string) *server {
	t.Helper()
	return startServeOn(t, sqliteFile(t), env, args...)
}

// startServeOn is startServe with a store of the caller's.
func startServeOn(t testing.TB, store string, env []string, args ...string) *server {
	t.Helper()
	s := launchServe(t, store, env, args...)
	s.await(t)
	return s
}

// launchServe starts the process and does not wait for it to listen.
func launchServe(t testing.TB, store string, env []string, args ...string) *server {
	t.Helper()
	s := &server{stdout: &buffer{}, stderr: &buffer{}, ended: make(chan struct{}), store: store}
	args = append([]string{"serve", "--json", "--store", store}, args...)
	for _, flag := range [][2]string{{"--addr", "localhost:0"}, {"--ops-addr", "localhost:0"}, {"--drain-delay", "0s"}} {
		if !slices.Contains(args, flag[0]) {
			args = append(args, flag[0], flag[1])
		}
	}
	s.cmd = exec.Command(binary, args...)
	s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr, s.cmd.WaitDelay = cleanEnv(env...), s.stdout, s.stderr, time.Second
	said.watch(t.Name()+": serve, stdout", s.stdout.String)
	said.watch(t.Name()+": serve, stderr", s.stderr.String)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() { s.stop(t) })
	return s
}

// await waits until the server listens.
func (s *server) await(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(startTime); ; time.Sleep(time.Millisecond) {
		if line, whole := s.stdout.line(); whole {
			if err := json.Unmarshal([]byte(line), s); err != nil {
				t.Fatalf("the server's line: %v", err)
			}
			return
		}
		if !s.running() || time.Now().After(deadline) {
			t.Fatalf("the server did not start: %s", s.stderr)
		}
	}
}

func (s *server) running() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

func (s *server) signal(sig os.Signal) { _ = s.cmd.Process.Signal(sig) }

// stop asks the process to end; it must do so by itself, with exit 0.
func (s *server) stop(t testing.TB) {
	t.Helper()
	if s.running() {
		s.signal(syscall.SIGTERM)
	}
	select {
	case <-s.ended:
		if code := s.cmd.ProcessState.ExitCode(); code != 0 && !s.killed {
			t.Errorf("the server stopped with exit %d: %s", code, s.stderr)
		}
	case <-time.After(stopTime):
		t.Error("the server did not stop when told to")
		s.cmd.Process.Kill()
		<-s.ended
	}
}

// logged waits until the log holds a text.
func (s *server) logged(t testing.TB, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(s.stderr.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say %q: %s", text, s.stderr)
		}
	}
}

// issueAPIToken makes a pass that may do everything with the API.
func issueAPIToken(t testing.TB, store string) string {
	t.Helper()
	pass := done[issued](t, "issue", "--store", store, "--json", "--scope", "hallpass:api", "--mode", "request", "--subject", "e2e", "--max-uses", "0", "--ttl", "1h")
	return said.secret(pass.Token)
}

// call sends JSON to the API.
func (s *server) call(t testing.TB, token, path, body string) answer {
	t.Helper()
	c := newClient()
	defer c.close()
	got, err := c.do(http.MethodPost, s.URL+path, body, "Authorization", "Bearer "+token, "Content-Type", "application/json")
	if err != nil {
		t.Fatalf("POST %s: %v", path, err)
	}
	return got
}

// issue makes a pass by the API.
func (s *server) issue(t testing.TB, token, body string) issued {
	t.Helper()
	return s.issueUnder(t, "", token, body)
}

// issueUnder is issue for an API behind a prefix.
func (s *server) issueUnder(t testing.TB, prefix, token, body string) (pass issued) {
	t.Helper()
	got := s.call(t, token, prefix+"/v1/passes", body)
	if err := json.Unmarshal([]byte(got.body), &pass); err != nil || got.status != http.StatusCreated {
		t.Fatalf("POST /v1/passes: %d %s", got.status, got.body)
	}
	said.secret(pass.Token)
	return pass
}

// get asks once, on a connection of its own.
func get(t testing.TB, target string, headers ...string) answer {
	t.Helper()
	c := newClient()
	defer c.close()
	got, err := c.do(http.MethodGet, target, "", headers...)
	if err != nil {
		t.Fatalf("GET: %v", err)
	}
	return got
}

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(t.TempDir(), name)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestServeSaysWhatItChecked(t *testing.T) {
	t.Parallel()
	s := startServe(t, nil)
	if got := get(t, s.OpsURL+"/healthz"); got.status != http.StatusOK {
		t.Errorf("/healthz: %d", got.status)
	}
	got := get(t, s.OpsURL+"/readyz")
	for _, want := range []string{`"ready":true`, `"store":{"ok":true}`, `"schema":{"ok":true}`, `"keys":{"ok":true}`, `"revocations":{"ok":true}`, `"serving":{"ok":true}`} {
		if got.status != http.StatusOK || !strings.Contains(got.body, want) {
			t.Errorf("/readyz: %d without %s: %s", got.status, want, got.body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if got := get(t, s.URL+path); got.status != http.StatusNotFound {
			t.Errorf("%s on the public listener: %d", path, got.status)
		}
	}
	for _, path := range []string{"/v1/passes", "/auth/nginx", "/.hallpass/confirm", "/openapi.json"} {
		if got := get(t, s.OpsURL+path); got.status != http.StatusNotFound {
			t.Errorf("%s on the operations listener: %d", path, got.status)
		}
	}
	if got := get(t, s.URL+"/openapi.json"); got.status != http.StatusOK {
		t.Errorf("/openapi.json: %d", got.status)
	}
}

func TestServeIsUnreadyWithoutItsSchemaOrKeys(t *testing.T) {
	t.Parallel()
	s := startServe(t, nil)
	path := strings.TrimPrefix(s.store, "sqlite:")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	for _, side := range []string{"-wal", "-shm"} {
		_ = os.Truncate(path+side, 0)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := get(t, s.OpsURL+"/readyz")
		if got.status == http.StatusServiceUnavailable && strings.Contains(got.body, `"ready":false`) {
			if strings.Contains(got.body, path) || strings.Contains(got.body, "sqlite") {
				t.Errorf("/readyz names the store: %s", got.body)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz: %d %s", got.status, got.body)
		}
	}
	if got := get(t, s.OpsURL+"/healthz"); got.status != http.StatusOK {
		t.Errorf("/healthz: %d", got.status)
	}
}

func TestReadinessFlipsBeforeTheListenersClose(t *testing.T) {
	t.Parallel()
	s := startServe(t, nil, "--drain-delay", "2s")
	s.signal(syscall.SIGTERM)
	s.logged(t, "msg=draining")
	got := get(t, s.OpsURL+"/readyz")
	if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, `"detail":"draining"`) {
		t.Errorf("/readyz: %d %s", got.status, got.body)
	}
	if got := get(t, s.OpsURL+"/healthz"); got.status != http.StatusOK {
		t.Errorf("/healthz: %d", got.status)
	}
	got = get(t, s.URL+"/.well-known/jwks.json")
	if got.status != http.StatusOK {
		t.Errorf("a request during the delay: %d", got.status)
	}
	s.stop(t)
}

func TestServeReloadsRulesAndKeys(t *testing.T) {
	t.Parallel()
	const rules = "rules:\n  - path: /\n    scope: app\n"
	config := writeFile(t, "hallpass.yaml", rules)
	app := newUpstream(t)
	s := startServe(t, nil, "--config", config, "--upstream", app.URL)
	if got := get(t, s.URL+"/page"); got.status < 400 {
		t.Fatalf("without a pass: %d", got.status)
	}
	reload := func(text, says string) {
		t.Helper()
		before := strings.Count(s.stderr.String(), says)
		writeFile(t, config, text)
		s.signal(syscall.SIGHUP)
		for deadline := time.Now().Add(10 * time.Second); strings.Count(s.stderr.String(), says) == before; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the log does not say %q again: %s", says, s.stderr)
			}
		}
	}
	reload("rules:\n  - path: /\n    access: public\n", "reloaded certificate, keys and rules")
	if got := get(t, s.URL+"/page"); got.status != http.StatusOK || got.body != "the application" {
		t.Fatalf("with public rules: %d %s", got.status, got.body)
	}
	for name, bad := range map[string]string{
		"an unknown setting": "ruels: []\n", "a bad rule": "rules:\n  - access: sometimes\n", "no YAML": "rules: [", "a bad level": "log: {level: loud}\nrules: []\n",
	} {
		reload(bad, "not reloaded")
		if got := get(t, s.URL+"/page"); got.status != http.StatusOK {
			t.Errorf("%s: the former rules are gone: %d", name, got.status)
		}
	}
	if got := get(t, s.OpsURL+"/metrics"); !strings.Contains(got.body, "hallpass_reload_success 0") {
		t.Error("the failed reload is not in the metrics")
	}
	reload(rules+"site: Another\n", "reloaded certificate, keys and rules")
	if got := get(t, s.URL+"/page"); got.status < 400 {
		t.Errorf("with the first rules again: %d", got.status)
	}
	s.logged(t, "settings=site")

	// A key that another process rotates to is used without a signal.
	old := done[issued](t, "issue", "--store", s.store, "--json", "--scope", "app", "--max-uses", "0")
	done[map[string]any](t, "keys", "rotate", "--store", s.store, "--json")
	fresh := done[issued](t, "issue", "--store", s.store, "--json", "--scope", "app", "--max-uses", "0")
	s.logged(t, "the keys changed")
	for _, pass := range []issued{old, fresh} {
		if got := get(t, s.URL+"/page", "Authorization", "Bearer "+said.secret(pass.Token)); got.status != http.StatusOK {
			t.Errorf("with a pass: %d %s", got.status, got.body)
		}
	}
}

func TestServeWithKeysFromAFile(t *testing.T) {
	t.Parallel()
	first, second := "the first secret of this test, long enough", "the second secret of this test, long enough"
	file := writeFile(t, "keys", first+"\n")
	store := sqliteFile(t)
	token := issueAPIToken(t, store) // by a key of the store, which goes on verifying
	s := startServeOn(t, store, nil, "--keys", file)
	issue := func() string { return said.secret(s.issue(t, token, `{"scope":"app"}`).Token) }
	verify := func(token, key string) int {
		return hallpass(t, "verify", "--key", key, "--offline", token).code
	}
	if pass := issue(); verify(pass, first) != 0 || verify(pass, second) != 1 {
		t.Error("the file's key did not sign")
	}
	writeFile(t, file, fmt.Sprintf(`{"keys":[%s,%s]}`, jwk("b", second), jwk("a", first)))
	s.signal(syscall.SIGHUP)
	s.logged(t, "reloaded certificate, keys and rules")
	if verify(issue(), second) != 0 {
		t.Error("the new file's first key does not sign")
	}
	writeFile(t, file, "short")
	s.signal(syscall.SIGHUP)
	s.logged(t, "not reloaded")
	if verify(issue(), second) != 0 {
		t.Error("a bad file took the key away")
	}
}

// SIGHUP ended a server that was still starting.
func TestAReloadDuringTheStartIsDoneAfterIt(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "keys")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		needs.Missing(t, "named pipes: "+err.Error())
	}
	const secret = "the only secret of this test, long enough\n"
	file := writeFile(t, "keys", secret)
	s := launchServe(t, sqliteFile(t), nil, "--keys", pipe)
	// Opening waits for the server to read its keys, which is while it starts.
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := os.Rename(file, pipe); err != nil { // for the reload
		t.Fatal(err)
	}
	s.signal(syscall.SIGHUP)
	time.Sleep(100 * time.Millisecond)
	if _, err := w.WriteString(secret); err != nil {
		t.Fatal(err)
	}
	w.Close()
	s.await(t)
	s.logged(t, "reloaded certificate, keys and rules")
}
