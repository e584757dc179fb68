package e2e_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTheDemoChecksItself(t *testing.T) {
	t.Parallel()
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := done[struct {
				Kept     bool `json:"kept"`
				Promises []struct {
					Promise string `json:"promise"`
					Kept    bool   `json:"kept"`
				} `json:"promises"`
			}](t, append([]string{"demo", "--check", "--json"}, store...)...)
			if !report.Kept || len(report.Promises) < 10 {
				t.Errorf("kept %v, %d promises", report.Kept, len(report.Promises))
			}
			got := hallpass(t, append([]string{"demo", "--check"}, store...)...)
			lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
			if got.code != 0 || len(lines) != len(report.Promises) {
				t.Fatalf("exit %d, %d lines for %d promises:\n%s", got.code, len(lines), len(report.Promises), got.stdout)
			}
			for i, p := range report.Promises {
				if lines[i] != "kept  "+p.Promise || !p.Kept {
					t.Errorf("line %d: %q", i+1, lines[i])
				}
			}
		})
	}
}

func TestATakenPortIsSaidInOneLine(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	for _, check := range []bool{false, true} {
		args := []string{"demo", "--addr", addr}
		if check {
			args = append(args, "--check")
		}
		got := hallpass(t, args...)
		if got.code != 3 || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 || !strings.Contains(got.stderr, addr) {
			t.Errorf("%v: exit %d, stdout %q, stderr %q", args, got.code, got.stdout, got.stderr)
		}
	}
	got := hallpass(t, "demo", "--addr", addr, "--json")
	var problem struct{ Code, Detail string }
	if err := json.Unmarshal([]byte(got.stderr), &problem); err != nil || got.code != 3 || problem.Code != "unavailable" || got.stdout != "" {
		t.Errorf("with --json: exit %d, stdout %q, stderr %q, %v", got.code, got.stdout, got.stderr, err)
	}
}

func TestTheDemoSaysWhereItIsOnceItListens(t *testing.T) {
	t.Parallel()
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t, store...)
			c := newClient()
			defer c.close()
			for _, page := range []string{d.URL + "/", d.InboxURL, d.Links["unsubscribe"], d.Links["login"], d.Links["invitation"]} {
				if got, err := c.open(page); err != nil || got.status != http.StatusOK {
					t.Errorf("status %d, %v", got.status, err)
				}
			}
			got, err := c.do(http.MethodGet, d.URL+"/api/reports", "", "Authorization", "Bearer "+d.Links["api"])
			if err != nil || got.status != http.StatusOK {
				t.Errorf("the api token: status %d, %v", got.status, err)
			}
			// Told only: they are the machine's, and what a test machine is worth varies.
			t.Logf("%s: %v to the line, %s resident", name, d.startup.Round(time.Millisecond), d.resident())
			d.stop(t)
			if rest := d.stdout.rest(); rest != "" {
				t.Errorf("behind its line the demo printed %q", rest)
			}
		})
	}
}

// resident is how much memory the process has, as Linux tells.
func (d *demo) resident() string {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(d.cmd.Process.Pid) + "/status")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(status)) {
		if name, value, _ := strings.Cut(line, ":"); name == "VmRSS" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
