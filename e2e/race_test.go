package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestFiftyBrowsersPressAtOnceAndOneIsHonoured(t *testing.T) {
	t.Parallel()
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t, store...)
			for round := range 10 {
				pressAtOnce(t, d, round)
			}
		})
	}
}

func pressAtOnce(t *testing.T, d *demo, round int) {
	t.Helper()
	const browsers = 50
	link := d.links(t)["unsubscribe"]
	var clients [browsers]*client
	var pages [browsers]answer
	for i := range browsers {
		clients[i] = newClient()
		defer clients[i].close()
		var err error
		if pages[i], err = clients[i].open(link); err != nil || pages[i].status != http.StatusOK {
			t.Fatalf("round %d, page %d: status %d, %v", round, i, pages[i].status, err)
		}
	}
	var results [browsers]string
	start := make(chan struct{})
	var race sync.WaitGroup
	for i := range browsers {
		race.Go(func() {
			<-start
			got, err := clients[i].press(link, pages[i])
			switch {
			case err != nil:
				results[i] = err.Error()
			case got.status == http.StatusOK && strings.Contains(got.body, "You are unsubscribed"):
				results[i] = "honoured"
			case got.status == http.StatusForbidden && strings.Contains(got.body, "<code>spent</code>"):
				results[i] = "spent"
			default:
				results[i] = fmt.Sprintf("status %d", got.status)
			}
		})
	}
	close(start)
	race.Wait()
	count := map[string]int{}
	for _, r := range results {
		count[r]++
	}
	if count["honoured"] != 1 || count["spent"] != browsers-1 {
		t.Errorf("round %d: %v", round, count)
	}
}

func TestProcessesAndClicksShareOnePass(t *testing.T) {
	t.Parallel()
	const quota, processes, clicks = 7, 20, 20
	store := sqliteFile(t)
	d := startDemo(t, "--store", store)
	for round := range 3 {
		pass := done[issued](t, "issue", "--store", store, "--json", "--scope", "invite", "--max-uses", fmt.Sprint(quota),
			"--data", invitation, "--url", d.URL+"/invite")
		said.secret(pass.URL)
		results := make([]string, processes+clicks)
		// A process takes its time to start: the clicks wait for the first to be
		// through, so that they meet the others in the store.
		first := make(chan struct{})
		var once sync.Once
		var race sync.WaitGroup
		for i := range processes {
			race.Go(func() {
				results[i] = redeemBySubprocess(store, pass.Token)
				once.Do(func() { close(first) })
			})
		}
		for i := range clicks {
			race.Go(func() {
				c := newClient()
				defer c.close()
				<-first
				results[processes+i] = click(c, pass.URL)
			})
		}
		race.Wait()
		byProcess, byClick := tally(results[:processes]), tally(results[processes:])
		t.Logf("round %d: processes %v, clicks %v", round, byProcess, byClick)
		if byProcess["honoured"]+byClick["honoured"] != quota ||
			byProcess["spent"]+byClick["spent"] != processes+clicks-quota {
			t.Errorf("round %d: processes %v, clicks %v", round, byProcess, byClick)
		}
		row := done[shown](t, "show", "--store", store, "--json", pass.ID)
		if row.Used != quota || row.State != "spent" || len(row.Uses) != quota {
			t.Errorf("round %d: the store has %d used, %s, %d uses", round, row.Used, row.State, len(row.Uses))
		}
	}
}

// invitation is the payload the demo's /invite expects.
const invitation = `{"from":"greta@example.com","months":3}`

type issued struct {
	ID    string `json:"id"`
	Token string `json:"token"`
	URL   string `json:"url"`
}

type row struct {
	ID      string `json:"id"`
	MaxUses int    `json:"max_uses"`
	Used    int    `json:"used"`
	State   string `json:"state"`
}

type use struct {
	ID     string `json:"id"`
	Pass   string `json:"pass"`
	State  string `json:"state"`
	Status int    `json:"status"`
}

type shown struct {
	row
	Uses []use `json:"uses"`
}

func redeemBySubprocess(store, token string) string {
	got, err := command("redeem", "--store", store, "--json", "--scope", "invite", token)
	if err != nil {
		return err.Error()
	}
	var verdict struct{ Reason string }
	switch err := json.Unmarshal([]byte(got.stdout), &verdict); {
	case got.code == 0:
		return "honoured"
	case err != nil || got.code != 1:
		return fmt.Sprintf("exit %d: %s", got.code, got.stderr)
	}
	return verdict.Reason
}

func click(c *client, link string) string {
	got, err := c.open(link)
	switch {
	case err != nil:
		return err.Error()
	case got.status == http.StatusOK:
		return "honoured"
	case got.status == http.StatusForbidden && strings.Contains(got.body, "<code>spent</code>"):
		return "spent"
	}
	return fmt.Sprintf("status %d", got.status)
}

func tally(results []string) map[string]int {
	count := map[string]int{}
	for _, r := range results {
		count[r]++
	}
	return count
}
