package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hallpass-go/hallpass/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"hallpass": func() {
			os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
		},
	})
}

// TestScripts runs testdata/*.txtar, which read like a manual. Beside
// testscript's own commands there are:
//
//	exits N COMMAND…       the command ends with that exit code
//	field FILE PATH [TEXT] the JSON in FILE (or stdout, stderr) has that value at
//	                       PATH, such as pass.uses_left or passes.0.id; with !, has none
//	keep NAME PATH         puts a value of stdout's JSON into $NAME
//	forge NAME HOW TOKEN   puts a token that was tampered with into $NAME
//	race N WON LOST COMMAND…  of N processes at once so many end with 0, so many with 1
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "field": field, "keep": keep, "forge": forgeCmd, "race": race,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND…")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// lookup returns what stands at a path, as text: strings as they are, the rest
// as JSON.
func lookup(ts *testscript.TestScript, file, path string) (string, bool) {
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		ts.Fatalf("%s is no JSON: %v", file, err)
	}
	if dec.More() {
		ts.Fatalf("%s holds more than one JSON value", file)
	}
	for _, name := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[name]
			if !ok {
				return "", false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(name)
			if name == "length" {
				return strconv.Itoa(len(at)), true
			}
			if err != nil || i >= len(at) {
				return "", false
			}
			v = at[i]
		default:
			return "", false
		}
	}
	if text, ok := v.(string); ok {
		return text, true
	}
	text, err := json.Marshal(v)
	ts.Check(err)
	return string(text), true
}

func field(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 && (!neg || len(args) != 2) {
		ts.Fatalf("usage: field FILE PATH TEXT, ! field FILE PATH")
	}
	got, ok := lookup(ts, args[0], args[1])
	switch {
	case neg && ok:
		ts.Fatalf("%s is %q, want none", args[1], got)
	case !neg && !ok:
		ts.Fatalf("there is no %s", args[1])
	case !neg && got != args[2]:
		ts.Fatalf("%s is %q, want %q", args[1], got, args[2])
	}
}

func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME PATH")
	}
	got, ok := lookup(ts, "stdout", args[1])
	if !ok {
		ts.Fatalf("there is no %s", args[1])
	}
	ts.Setenv(args[0], got)
}

func race(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: race N WON LOST COMMAND…")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	name := filepath.Join(strings.Split(ts.Getenv("PATH"), string(filepath.ListSeparator))[0], args[3])
	var wg sync.WaitGroup
	var mu sync.Mutex
	ended := map[int]int{}
	for range n {
		wg.Go(func() {
			cmd := exec.Command(name, args[4:]...)
			cmd.Dir = ts.MkAbs(".")
			_ = cmd.Run()
			mu.Lock()
			defer mu.Unlock()
			ended[cmd.ProcessState.ExitCode()]++
		})
	}
	wg.Wait()
	if strconv.Itoa(ended[0]) != args[1] || strconv.Itoa(ended[1]) != args[2] {
		ts.Fatalf("exit codes and how often: %v; want 0 %s times and 1 %s times", ended, args[1], args[2])
	}
}
