package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/cli"
	"github.com/hallpass-go/hallpass/internal/needs"
)

func TestTheCommandLineOnRedisNeverKeepsTheOnlyKeyThere(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t, "--requirepass", "sesame")
	dsn := strings.Replace(server.DSN(), "redis://", "redis://:sesame@", 1)
	bare := []string{"HALLPASS_STORE=" + dsn}
	env := append(bare, "HALLPASS_MASTER_KEY=a master key that only this test suite uses")
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("a secret of more than thirty-two bytes\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	if _, stderr := runIn(t, env, 3, "list"); !strings.Contains(stderr, "hallpass migrate") {
		t.Errorf("without a store: %s", stderr)
	}
	if stdout, _ := runIn(t, env, 0, "migrate"); !strings.Contains(stdout, "Made the store Redis at 127.0.0.1:") {
		t.Errorf("migrate: %s", stdout)
	}
	for _, args := range [][]string{
		{"issue", "--create", "--scope", "report"}, {"keys", "add"}, {"keys", "rotate"}, {"demo", "--addr", "localhost:0"},
		{"serve", "--addr", "localhost:0"},
	} {
		if _, stderr := runIn(t, env, 2, args...); !strings.Contains(stderr, "never the only place of a signing key") {
			t.Errorf("%s: %s", args, stderr)
		}
	}
	if _, stderr := runIn(t, bare, 3, "keys", "add", "--activate", "--key", "@"+keys); !strings.Contains(stderr, "HALLPASS_MASTER_KEY") {
		t.Errorf("without a master key: %s", stderr)
	}
	runIn(t, env, 0, "keys", "add", "--activate", "--key", "@"+keys)
	loginArgs := []string{"serve", "--addr", "localhost:0", "--mail", "dir:" + t.TempDir(), "--login-allow", "*@example.com", "--keys", keys}
	if _, stderr := runIn(t, env, 2, loginArgs...); !strings.Contains(stderr, "keys add --purpose access") {
		t.Errorf("serve with logins and without a key for access tokens: %s", stderr)
	}
	token, _ := runIn(t, env, 0, "issue", "--scope", "report", "--max-uses", "1")
	token = strings.TrimSpace(token)
	runIn(t, env, 0, "verify", token)
	runIn(t, env, 0, "redeem", "--scope", "report", token)
	if stdout, _ := runIn(t, env, 1, "redeem", "--scope", "report", token); !strings.Contains(stdout, "spent") {
		t.Errorf("the second use: %s", stdout)
	}
	for _, args := range [][]string{{"list"}, {"uses"}, {"show", token}, {"keys", "list"}, {"revoke", "--scope", "report"}, {"prune", "--max-age", "1ms"}} {
		runIn(t, env, 0, append(args, "--json")...)
	}
	runIn(t, []string{"HALLPASS_STORE=redis://:sesame@127.0.0.1:1"}, 3, "list")
	runIn(t, []string{"HALLPASS_STORE=redis://:sesame@127.0.0.1:none"}, 2, "list")
}

// What the command line revokes is refused by a server on the same Redis as soon as
// it is woken, or at the latest when it polls.
func TestServeOnRedisSeesWhatOthersRevoke(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("a secret of more than thirty-two bytes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"HALLPASS_STORE=" + needs.NewRedis(t).DSN(), "HALLPASS_MASTER_KEY=a master key that only this test suite uses"}
	runIn(t, env, 0, "migrate")
	runIn(t, env, 0, "keys", "add", "--activate", "--key", "@"+keys)
	ctx, stop := context.WithCancel(t.Context())
	ready, written := newLineWriter()
	var log syncedBuffer
	ended := make(chan int)
	go func() {
		ended <- cli.Main(ctx, []string{"serve", "--json", "--addr", "localhost:0", "--keys", keys}, strings.NewReader(""), written, &log, env)
	}()
	var at struct{ URL string }
	select {
	case line := <-ready:
		if err := json.Unmarshal([]byte(line), &at); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	case code := <-ended:
		t.Fatalf("serve ended with %d: %s", code, log.String())
	case <-time.After(30 * time.Second):
		t.Fatal("serve does not start")
	}
	api, _ := runIn(t, env, 0, "issue", "--scope", "hallpass:api", "--max-uses", "0")
	token, _ := runIn(t, env, 0, "issue", "--scope", "report", "--max-uses", "0", "--batch", "spring")
	if reason := redeemOver(t, at.URL, strings.TrimSpace(api), strings.TrimSpace(token)); reason != "" {
		t.Errorf("before: %s", reason)
	}
	runIn(t, env, 0, "revoke", "--batch", "spring")
	time.Sleep(time.Second)
	if reason := redeemOver(t, at.URL, strings.TrimSpace(api), strings.TrimSpace(token)); reason != "revoked" {
		t.Errorf("after the revocation: %q", reason)
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("serve ended with %d: %s", code, log.String())
	}
}
