package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/cli"
	"github.com/hallpass-go/hallpass/internal/needs"
)

// runIn runs a command with an environment and returns what it wrote; nowhere may
// the database's password stand in it.
func runIn(t *testing.T, env []string, wantCode int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := cli.Main(t.Context(), args, strings.NewReader(""), &out, &errs, env)
	if code != wantCode {
		t.Errorf("%s: exit code %d, want %d: %s%s", args, code, wantCode, &out, &errs)
	}
	if strings.Contains(out.String()+errs.String(), "sesame") {
		t.Errorf("%s shows the password: %s%s", args, &out, &errs)
	}
	return out.String(), errs.String()
}

func TestTheCommandLineOnPostgreSQL(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	bare := []string{"HALLPASS_STORE=" + dsn}
	env := append(bare, "HALLPASS_MASTER_KEY=a master key that only this test suite uses")

	if _, stderr := runIn(t, env, 3, "issue", "--scope", "report"); !strings.Contains(stderr, "hallpass migrate") {
		t.Errorf("without tables: %s", stderr)
	}
	if stdout, _ := runIn(t, env, 0, "migrate"); !strings.Contains(stdout, "Made the store PostgreSQL at 127.0.0.1:") {
		t.Errorf("migrate: %s", stdout)
	}
	if stdout, _ := runIn(t, env, 0, "migrate"); !strings.Contains(stdout, "up to date") {
		t.Errorf("migrate again: %s", stdout)
	}
	if _, stderr := runIn(t, bare, 3, "issue", "--scope", "report"); !strings.Contains(stderr, "HALLPASS_MASTER_KEY") {
		t.Errorf("without a master key: %s", stderr)
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
	if stdout, _ := runIn(t, env, 0, "uses", "--json"); !strings.Contains(stdout, `"uses":[]`) {
		t.Errorf("after pruning: %s", stdout)
	}
	runIn(t, []string{"HALLPASS_STORE=postgres://hallpass:sesame@127.0.0.1:1/none"}, 3, "list")
	runIn(t, []string{"HALLPASS_STORE=postgres://hallpass:sesame@127.0.0.1:none/none"}, 2, "list")
	runIn(t, []string{"HALLPASS_STORE=postgres://hallpass:sesame@127.0.0.1:1/none"}, 3, "serve", "--addr", "localhost:0")
}

// What the command line revokes is refused by a server on the same database as soon
// as it is woken, or at the latest when it polls.
func TestServeOnPostgreSQLSeesWhatOthersRevoke(t *testing.T) {
	t.Parallel()
	env := []string{"HALLPASS_STORE=" + needs.Postgres(t), "HALLPASS_MASTER_KEY=a master key that only this test suite uses"}
	ctx, stop := context.WithCancel(t.Context())
	ready, written := newLineWriter()
	var log syncedBuffer
	ended := make(chan int)
	go func() {
		ended <- cli.Main(ctx, []string{"serve", "--json", "--addr", "localhost:0"}, strings.NewReader(""), written, &log, env)
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
	if strings.Contains(log.String(), "sesame") {
		t.Errorf("the log shows the password: %s", log.String())
	}
}
