package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// site is what browsers think they talk to, whichever node answers.
const site = "http://localhost:4711"

// nodesEnv is what several machines have in common.
var nodesEnv = []string{"HALLPASS_MASTER_KEY=a master key that only this test suite uses"}

// nodes are several servers over one store, in front of one application. Each may
// be killed, and replaced under its number.
type nodes struct {
	t     testing.TB
	store string
	env   []string
	args  []string
	// visits counts what reached the application.
	visits atomic.Int64

	mu  sync.Mutex
	all []*server
}

// startNodes starts n servers on a store of several machines, before an application
// that counts its visits; with args before whatever those say.
func startNodes(t testing.TB, n int, store, rules string, args ...string) *nodes {
	t.Helper()
	c := &nodes{t: t, store: store, env: nodesEnv}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.visits.Add(1)
		io.WriteString(w, "the application")
	}))
	t.Cleanup(app.Close)
	config := writeFile(t, "hallpass.yaml", rules)
	c.args = append([]string{"--config", config, "--base-url", site}, args...)
	if len(args) == 0 {
		c.args = append(c.args, "--upstream", app.URL)
	}
	for range n {
		c.all = append(c.all, launchServe(t, store, c.env, c.args...))
	}
	for _, s := range c.all {
		s.await(t)
	}
	return c
}

func (c *nodes) node(i int) *server {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[i%len(c.all)]
}

// replace kills a node with -9 and starts another in its place.
func (c *nodes) replace(i int) {
	c.node(i).kill(c.t)
	s := launchServe(c.t, c.store, c.env, c.args...)
	s.await(c.t)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[i%len(c.all)] = s
}

// nodeBrowser is a client whose requests go to the node whose number it holds.
type nodeBrowser struct {
	*client
	at atomic.Int64
}

func (c *nodes) browser() *nodeBrowser {
	b := &nodeBrowser{}
	jar, _ := cookiejar.New(nil)
	transport := &http.Transport{DisableKeepAlives: true}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		u, err := url.Parse(c.node(int(b.at.Load())).URL)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, u.Host)
	}
	b.client = &client{&http.Client{
		Jar: jar, Timeout: 60 * time.Second, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return b
}

// on goes on at another node, with the same cookies.
func (b *nodeBrowser) on(node int) *nodeBrowser {
	b.at.Store(int64(node))
	return b
}

// run runs a command line on the nodes' store.
func (c *nodes) run(args ...string) finished {
	c.t.Helper()
	got := hallpassIn(c.t, c.env, append(args, "--store", c.store)...)
	if got.code != 0 {
		c.t.Fatalf("hallpass %s: exit %d: %s", args[0], got.code, got.stderr)
	}
	return got
}

// issue makes n passes alike and returns them.
func (c *nodes) issue(n int, line string) (all []issued) {
	c.t.Helper()
	file := writeFile(c.t, "passes.jsonl", strings.Repeat(line+"\n", n))
	for scan := bufio.NewScanner(strings.NewReader(c.run("issue", "--from", file).stdout)); scan.Scan(); {
		var i issued
		if err := json.Unmarshal(scan.Bytes(), &i); err != nil || i.ID == "" {
			c.t.Fatalf("line %d of the answer: %v", len(all)+1, err)
		}
		said.secret(i.Token)
		all = append(all, i)
	}
	if len(all) != n {
		c.t.Fatalf("%d of %d passes were issued", len(all), n)
	}
	return all
}

// used is how often each pass of a batch was used, as the store says.
func (c *nodes) used(batch string) map[string]int {
	c.t.Helper()
	all := map[string]int{}
	for after := ""; ; {
		args := []string{"list", "--json", "--limit", "1000", "--batch", batch}
		if after != "" {
			args = append(args, "--after", after)
		}
		var page struct {
			Passes []row   `json:"passes"`
			Next   *string `json:"next"`
		}
		if err := json.Unmarshal([]byte(c.run(args...).stdout), &page); err != nil {
			c.t.Fatal(err)
		}
		for _, r := range page.Passes {
			all[r.ID] = r.Used
		}
		if page.Next == nil {
			return all
		}
		after = *page.Next
	}
}

const clickRules = "rules:\n  - {path: /, scope: app, confirm: never}\n"

// clicks is how often a link is clicked at once.
const clicks = 200

// Of two hundred clicks on a single-use link, spread over three processes, one is
// honoured: every time, whatever breaks meanwhile.
func TestThreeProcessesHonourOneOfTwoHundredClicks(t *testing.T) {
	t.Parallel()
	server := needs.NewPostgresServer(t)
	for name, row := range map[string]struct {
		every       time.Duration
		least, most int // disturbances
		disturb     func(c *nodes, n int)
	}{
		"in peace":                        {},
		"while one is killed each second": {time.Second, 5, 1000, func(c *nodes, n int) { c.replace(n) }},
		"while PostgreSQL is restarted": {700 * time.Millisecond, 3, 3, func(*nodes, int) {
			server.Stop()
			if err := server.Start(); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := startNodes(t, 3, server.Database(t, fmt.Sprintf("d%d", time.Now().UnixNano())), clickRules)
			// A quick machine has its hundred rounds before much was disturbed, and goes on.
			const enough, most = 100, 3000
			links := c.issue(most, `{"scope":"app","mode":"public","max_uses":1,"batch":"clicks"}`)
			var disturbances atomic.Int64
			until, disturbed := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(disturbed)
				for n := range row.most {
					select {
					case <-until:
						return
					case <-time.After(row.every):
						row.disturb(c, n)
						disturbances.Add(1)
					}
				}
			}()
			crowd := newCrowd(c)
			began, lost := time.Now(), 0
			round := 0
			for ; round < most && (round < enough || int(disturbances.Load()) < row.least); round++ {
				won := crowd.click(t, links[round])
				switch {
				case won > 1:
					t.Errorf("round %d: %d clicks were honoured", round, won)
				case won == 0 && row.most == 0:
					t.Errorf("round %d: no click was honoured", round)
				case won == 0:
					lost++ // counted, and its answer lost with the process; or not counted
				}
			}
			rate := float64(round) * clicks / time.Since(began).Seconds()
			close(until)
			<-disturbed
			if len(crowd.odd) > 0 && row.most == 0 {
				t.Errorf("answers that nobody expects: %v", crowd.odd)
			}
			used := c.used("clicks")
			for _, link := range links[:round] {
				if used[link.ID] != 1 {
					t.Errorf("pass %s: honoured %d times, the store has %d", link.ID, crowd.won[link.ID], used[link.ID])
				}
			}
			if int(disturbances.Load()) < row.least {
				t.Errorf("only %d disturbances in %d rounds", disturbances.Load(), round)
			}
			t.Logf("%d rounds, %d disturbances; %.0f clicks/s; %d uses whose answer was lost; beside honoured and spent: %v", round, disturbances.Load(), rate, lost, crowd.odd)
		})
	}
}

// crowd is many browsers at all nodes.
type crowd struct {
	nodes *nodes
	http  *http.Client
	mu    sync.Mutex
	won   map[string]int // by pass
	odd   map[string]int // by kind
}

func newCrowd(c *nodes) *crowd {
	return &crowd{
		nodes: c, won: map[string]int{}, odd: map[string]int{},
		http: &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clicks}},
	}
}

// click clicks a link two hundred times at once, and again until the store has
// decided about it. It returns how many clicks were honoured.
func (m *crowd) click(t *testing.T, link issued) (won int) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; {
		var decided atomic.Int64
		var gone sync.WaitGroup
		for i := range clicks {
			gone.Go(func() {
				got := m.one(i, link)
				m.mu.Lock()
				defer m.mu.Unlock()
				switch got {
				case "honoured":
					m.won[link.ID]++
					decided.Add(1)
				case "spent":
					decided.Add(1)
				default:
					m.odd[got]++
				}
			})
		}
		gone.Wait()
		if decided.Load() > 0 {
			return m.won[link.ID]
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing was decided for a minute: %v", m.odd)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (m *crowd) one(i int, link issued) string {
	req, err := http.NewRequest(http.MethodGet, m.nodes.node(i).URL+"/page?rt="+link.Token, nil)
	if err != nil {
		return "no request"
	}
	resp, err := m.http.Do(req)
	if err != nil {
		return "no connection"
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case resp.StatusCode == http.StatusOK: // the status line is the acknowledgement
		return "honoured"
	case resp.StatusCode == http.StatusForbidden && strings.Contains(string(text), `"code":"spent"`):
		return "spent"
	case resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "":
		return "503 without Retry-After"
	}
	return fmt.Sprint(resp.StatusCode)
}

// Whatever begins on one node goes on at another.
func TestAnyNodeTakesAnyStep(t *testing.T) {
	t.Parallel()
	c := startNodes(t, 3, needs.Postgres(t), "rules:\n  - {path: /, scope: app}\n")
	links := c.issue(2, `{"scope":"app","mode":"request","subject":"greta","max_uses":1}`)

	// The page is of the first node, the button is pressed at the second.
	b := c.browser()
	link := site + "/page?rt=" + links[0].Token
	page, err := b.on(0).open(link)
	if err != nil || page.status != http.StatusOK || c.visits.Load() != 0 {
		t.Fatalf("the page: %d %s, %v", page.status, page.body, err)
	}
	moved, err := b.on(1).press(link, page)
	if err != nil || moved.status != http.StatusSeeOther || moved.header.Get("Location") != "/page" {
		t.Fatalf("pressed at another node: %d %s, %v", moved.status, moved.body, err)
	}
	if got, err := b.on(2).open(site + "/page"); err != nil || got.status != http.StatusOK || got.body != "the application" {
		t.Fatalf("the page itself at a third: %d %s, %v", got.status, got.body, err)
	}
	if got, err := b.on(2).open(link); err != nil || got.status != http.StatusForbidden {
		t.Errorf("the link once more: %d, %v", got.status, err)
	}

	// A double click that two nodes get counts once and runs once.
	before := c.visits.Load()
	link = site + "/page?rt=" + links[1].Token
	if page, err = b.on(0).open(link); err != nil {
		t.Fatal(err)
	}
	second := c.browser()
	second.http.Jar = b.http.Jar
	b.on(1)
	second.on(2)
	var both sync.WaitGroup
	for i, browser := range []*nodeBrowser{b, second} {
		both.Go(func() {
			got, err := browser.press(link, page)
			if err != nil || got.status >= 400 {
				t.Errorf("click %d: %d %.300s, %v", i, got.status, got.body, err)
			}
		})
	}
	both.Wait()
	for _, browser := range []*nodeBrowser{b, second} {
		_, err := browser.open(site + "/page")
		if err != nil {
			t.Error(err)
		}
	}
	if seen := c.visits.Load() - before; seen != 1 || c.row(links[1].ID).Used != 1 {
		t.Errorf("a double click opened the page %d times, and counted %d uses", seen, c.row(links[1].ID).Used)
	}
}

// row is a pass as the store has it.
func (c *nodes) row(id string) (r row) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(c.run("show", "--json", id).stdout), &r); err != nil {
		c.t.Fatal(err)
	}
	return r
}

// A ticket that one node gave for a link is taken by another, once.
func TestATicketOfOneNodeIsTakenByAnother(t *testing.T) {
	t.Parallel()
	c := startNodes(t, 3, needs.Postgres(t), clickRules, "--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "::1/128")
	link := c.issue(1, `{"scope":"app","mode":"request","subject":"greta","max_uses":1}`)[0]
	b := c.browser()
	ask := func(node int, path, id, uri string) answer {
		t.Helper()
		got, err := b.on(node).do(http.MethodGet, site+path, "", "X-Forwarded-Method", "GET", "X-Forwarded-Host", "localhost:4711",
			"X-Forwarded-Uri", uri, "X-Request-Id", id, "Accept", "text/html")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := ask(0, "/auth/page", "request-1", "/page?rt="+link.Token); got.status != http.StatusSeeOther || got.header.Get("Location") != "/page" {
		t.Fatalf("the link: %d %s", got.status, got.body)
	}
	if got := ask(1, "/auth/nginx", "request-2", "/page"); got.status != http.StatusNoContent || got.header.Get("X-Hallpass-Subject") != "greta" {
		t.Errorf("the ticket at another node: %d %v", got.status, got.header)
	}
	if got := ask(2, "/auth/nginx", "request-2", "/page"); got.status != http.StatusNoContent {
		t.Errorf("the same request at a third: %d", got.status)
	}
	if got := ask(0, "/auth/nginx", "request-3", "/page"); got.status < 400 {
		t.Errorf("the ticket once more: %d", got.status)
	}
}
