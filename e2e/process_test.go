package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Bounds of what a process may take before its test fails.
const (
	commandTime = 60 * time.Second
	startTime   = 30 * time.Second
	stopTime    = 20 * time.Second
)

// cleanEnv is the environment without hallpass's own settings.
func cleanEnv(extra ...string) []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "HALLPASS_") {
			env = append(env, pair)
		}
	}
	return append(env, extra...)
}

// finished is a command that ran to its end.
type finished struct {
	code           int
	stdout, stderr string
}

// hallpass runs a command line to its end. What issue prints is a result and may
// hold tokens; nothing else may.
func hallpass(t testing.TB, args ...string) finished {
	t.Helper()
	return hallpassIn(t, nil, args...)
}

// hallpassIn is hallpass with settings in the environment.
func hallpassIn(t testing.TB, env []string, args ...string) finished {
	t.Helper()
	got, err := commandIn(env, args...)
	if err != nil {
		t.Fatalf("hallpass %s: %v", args[0], err)
	}
	return got
}

// command is hallpass for goroutines that must not end the test.
func command(args ...string) (finished, error) { return commandIn(nil, args...) }

func commandIn(env []string, args ...string) (finished, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	var stdout, stderr buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = cleanEnv(env...), &stdout, &stderr, time.Second
	err := cmd.Run()
	if args[0] != "issue" {
		said.watch("hallpass "+args[0]+", stdout", stdout.String)
	}
	said.watch("hallpass "+args[0]+", stderr", stderr.String)
	got := finished{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return got, nil // an exit code is an answer
	}
	return got, err
}

// done runs a command that must succeed and reads its JSON.
func done[T any](t testing.TB, args ...string) T {
	t.Helper()
	got := hallpass(t, args...)
	if got.code != 0 {
		t.Fatalf("hallpass %s: exit %d: %s", args[0], got.code, got.stderr)
	}
	var v T
	if err := json.Unmarshal([]byte(got.stdout), &v); err != nil {
		t.Fatalf("hallpass %s: %v", args[0], err)
	}
	return v
}

// demo is a running `hallpass demo --json`.
type demo struct {
	URL      string            `json:"url"`
	AdminURL string            `json:"admin_url"`
	InboxURL string            `json:"inbox_url"`
	Links    map[string]string `json:"links"`

	cmd            *exec.Cmd
	stdout, stderr *buffer
	startup        time.Duration // until the line was there
	ended          chan struct{}
}

// startDemo starts a demo on a free port and stops it when the test ends.
func startDemo(t testing.TB, args ...string) *demo {
	t.Helper()
	d := &demo{stdout: &buffer{}, stderr: &buffer{}, ended: make(chan struct{})}
	d.cmd = exec.Command(binary, append([]string{"demo", "--json", "--addr", "localhost:0"}, args...)...)
	d.cmd.Env, d.cmd.Stdout, d.cmd.Stderr, d.cmd.WaitDelay = cleanEnv(), d.stdout, d.stderr, time.Second
	said.watch(t.Name()+": demo, stdout", d.stdout.rest)
	said.watch(t.Name()+": demo, stderr", d.stderr.String)
	began := time.Now()
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		d.cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(func() { d.stop(t) })
	for deadline := time.Now().Add(startTime); ; time.Sleep(time.Millisecond) {
		if line, whole := d.stdout.line(); whole {
			d.startup = time.Since(began)
			if err := json.Unmarshal([]byte(line), d); err != nil {
				t.Fatalf("the demo's line: %v", err)
			}
			break
		}
		if !d.running() || time.Now().After(deadline) {
			t.Fatalf("the demo did not start: %s", d.stderr)
		}
	}
	said.secret(d.AdminURL)
	for _, link := range d.Links {
		said.secret(link)
	}
	return d
}

func (d *demo) running() bool {
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

// kill is kill -9, and waits until the process is gone.
func (d *demo) kill() {
	d.cmd.Process.Kill()
	<-d.ended
}

// stop asks the process to end; it must do so by itself, with exit 0.
func (d *demo) stop(t testing.TB) {
	t.Helper()
	if !d.running() {
		return
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
		if code := d.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the demo stopped with exit %d: %s", code, d.stderr)
		}
	case <-time.After(stopTime):
		t.Error("the demo did not stop when told to")
		d.kill()
	}
}

// sqliteFile is a new file to keep passes in, as --store names it.
func sqliteFile(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "passes.db")
}

// stores are the demo's two kinds of store, by name: the arguments of each.
func stores(t testing.TB) map[string][]string {
	return map[string][]string{"memory": nil, "sqlite": {"--store", sqliteFile(t)}}
}
