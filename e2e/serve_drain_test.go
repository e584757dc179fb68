package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A server that is told to stop under load fails no request that it accepted, and
// leaves no use without its outcome.
func TestTermUnderLoadFailsNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		access string
		use    func(s *server, api string, pass issued) (method, target, body string, headers []string)
	}{
		"through the proxy": {"required", func(s *server, _ string, pass issued) (string, string, string, []string) {
			return http.MethodGet, s.URL + "/slow", "", []string{"Authorization", "Bearer " + pass.Token}
		}},
		"by the API": {"required", func(s *server, api string, pass issued) (string, string, string, []string) {
			body, _ := json.Marshal(map[string]string{"token": pass.Token, "scope": "app"})
			return http.MethodPost, s.URL + "/.hallpass/v1/redeem", string(body), []string{"Authorization", "Bearer " + api, "Content-Type", "application/json"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := sqliteFile(t)
			api := issueAPIToken(t, store)
			pass := done[issued](t, "issue", "--store", store, "--json", "--scope", "app", "--max-uses", "1000000")
			said.secret(pass.Token)
			config := writeFile(t, "hallpass.yaml", "rules:\n  - access: "+tt.access+"\n    scope: app\n")
			s := startServeOn(t, store, nil, "--config", config, "--upstream", newUpstream(t).URL, "--drain-delay", "500ms")
			method, target, body, headers := tt.use(s, api, pass)
			honoured := load(t, s, 24, func(c *client) (answer, error) { return c.do(method, target, body, headers...) })
			if honoured < 100 {
				t.Errorf("only %d requests were honoured; that is no load", honoured)
			}
			uses, states := usesOf(t, store, pass.ID)
			if int64(uses) != honoured || states["settled"] != uses {
				t.Errorf("%d requests were honoured; the store has %d uses: %v", honoured, uses, states)
			}
		})
	}
}

// load keeps asking from many clients, tells the server to stop in the middle, and
// returns how many were answered with 200. Nothing but a connection that was never
// accepted may fail.
func load(t *testing.T, s *server, workers int, ask func(c *client) (answer, error)) int64 {
	t.Helper()
	var honoured atomic.Int64
	var told atomic.Bool
	var gone sync.WaitGroup
	for range workers {
		gone.Go(func() {
			c := newClient()
			defer c.close()
			for {
				got, err := ask(c)
				switch {
				case err == nil && got.status == http.StatusOK:
					honoured.Add(1)
				case err != nil && told.Load() && !s.running(), err != nil && told.Load() && strings.Contains(err.Error(), "connect"):
					return // there is nobody to connect to any more
				case err != nil && told.Load() && strings.Contains(err.Error(), "reset by peer"):
					return // the connection waited to be accepted; the count below says that nobody used it
				default:
					t.Errorf("told to stop: %t; status %d, %v", told.Load(), got.status, err)
					return
				}
			}
		})
	}
	time.Sleep(time.Second)
	told.Store(true)
	s.signal(syscall.SIGTERM)
	gone.Wait()
	s.stop(t)
	return honoured.Load()
}

// usesOf counts a pass's uses by state, as another process sees them.
func usesOf(t *testing.T, store, pass string) (uses int, states map[string]int) {
	t.Helper()
	states = map[string]int{}
	for after := ""; ; {
		page := done[struct {
			Uses []use   `json:"uses"`
			Next *string `json:"next"`
		}](t, pageArgs("uses", store, after, "--pass", pass)...)
		for _, u := range page.Uses {
			uses++
			states[u.State]++
		}
		if page.Next == nil {
			return uses, states
		}
		after = *page.Next
	}
}
