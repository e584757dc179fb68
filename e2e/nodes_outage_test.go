package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// A store that is away refuses every link with 503, piles nothing up, and when it is
// back everything goes on by itself.
func TestAnOutageOfTheStoreRefusesAndPassesBy(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) (dsn string, away, back func()){
		"PostgreSQL stops": func(t *testing.T) (string, func(), func()) {
			server := needs.NewPostgresServer(t)
			return server.Database(t, "outage"), server.Stop, func() {
				if err := server.Start(); err != nil {
					t.Fatal(err)
				}
			}
		},
		"Redis stops": func(t *testing.T) (string, func(), func()) {
			server := needs.NewRedis(t, "--appendonly", "yes", "--appendfsync", "always")
			return server.DSN(), server.Kill, func() { server.Start(t) }
		},
		"Redis hangs": func(t *testing.T) (string, func(), func()) {
			server := needs.NewRedis(t)
			return server.DSN(), server.Pause, server.Resume
		},
	} {
		t.Run(name, func(t *testing.T) {
			dsn, away, back := open(t)
			key := writeFile(t, "signing-key", "the signing key that only this test has, long enough")
			for _, args := range [][]string{{"migrate"}, {"keys", "add", "--activate", "--key", "@" + key}} {
				if got := hallpassIn(t, nodesEnv, append(args, "--store", dsn)...); got.code != 0 {
					t.Fatalf("hallpass %v: %s", args, got.stderr)
				}
			}
			c := startNodes(t, 1, dsn, clickRules, "--keys", key, "--upstream", newUpstream(t).URL)
			s := c.node(0)
			link := c.issue(1, `{"scope":"app","mode":"public","max_uses":1000000}`)[0]
			target := s.URL + "/page?rt=" + link.Token
			if got := get(t, target); got.status != http.StatusOK {
				t.Fatalf("before: %d", got.status)
			}
			before := c.row(link.ID).Used
			goroutines := metric(t, s, "go_goroutines")

			away()
			answers, most := hammer(t, s, target, 5*time.Second)
			for status := range answers {
				if status != "503" {
					t.Errorf("while it was away: %v", answers)
				}
			}
			// Each client has its connection, which is a few goroutines.
			if limit := goroutines + 6*hammers; most > limit {
				t.Errorf("%d goroutines, from %d", most, goroutines)
			}
			if got := get(t, s.OpsURL+"/readyz"); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, `"store":{"ok":false`) {
				t.Errorf("/readyz: %d %s", got.status, got.body)
			}
			if metric(t, s, `hallpass_redemptions_total{outcome="undecided"}`) == 0 {
				t.Error("the metrics know nothing of it")
			}
			if got := get(t, s.OpsURL+"/healthz"); got.status != http.StatusOK {
				t.Errorf("/healthz: %d", got.status)
			}

			back()
			began := time.Now()
			for get(t, target).status != http.StatusOK {
				if time.Since(began) > 10*time.Second {
					t.Fatal("ten seconds after it is back, links are still refused")
				}
				time.Sleep(5 * time.Millisecond)
			}
			took := time.Since(began)
			if took > 2*time.Second+busy {
				t.Errorf("links work %v after it is back", took)
			}
			for get(t, s.OpsURL+"/readyz").status != http.StatusOK {
				if time.Since(began) > 10*time.Second {
					t.Fatal("/readyz has not noticed")
				}
				time.Sleep(20 * time.Millisecond)
			}
			if used := c.row(link.ID).Used - before - 1; used < 0 || name != "Redis hangs" && used > hammers {
				t.Errorf("%d uses were counted for nobody", used)
			}
			t.Logf("%v while it was away, at most %d goroutines (%d before), honoured again after %v", answers, most, goroutines, took)
		})
	}
}

const hammers = 64

// hammer asks from many clients and says what they were answered, and how many
// goroutines the server had at most.
func hammer(t *testing.T, s *server, target string, long time.Duration) (answers map[string]int, most int) {
	t.Helper()
	answers = map[string]int{}
	var slowest []time.Duration
	var mu sync.Mutex
	var gone sync.WaitGroup
	until := time.Now().Add(long)
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: hammers}}
	defer client.CloseIdleConnections()
	for range hammers {
		gone.Go(func() {
			for time.Now().Before(until) {
				began := time.Now()
				kind := "no answer"
				if resp, err := client.Get(target); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					kind = strconv.Itoa(resp.StatusCode)
					if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
						kind += " without Retry-After"
					}
				}
				mu.Lock()
				answers[kind]++
				slowest = append(slowest, time.Since(began))
				mu.Unlock()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	for time.Now().Before(until) {
		most = max(most, metric(t, s, "go_goroutines"))
		time.Sleep(100 * time.Millisecond)
	}
	gone.Wait()
	slices.Sort(slowest)
	t.Logf("answered within %v at the median, %v at most", slowest[len(slowest)/2], slowest[len(slowest)-1])
	return answers, most
}

// metric is a sample of /metrics, 0 where there is none.
func metric(t *testing.T, s *server, name string) int {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(get(t, s.OpsURL+"/metrics").body)
	if found == nil {
		return 0
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", name, err))
	}
	return int(value)
}
