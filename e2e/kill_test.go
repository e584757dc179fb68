package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A process that is killed loses no use it acknowledged, and gives none away: what
// was counted stays counted, and no pass is honoured more often than it promised.
func TestKilledInTheMiddleOfTenThousandRedemptions(t *testing.T) {
	t.Parallel()
	const quota, workers = 5, 32
	passes, kills := 2000, 3
	if testing.Short() {
		passes, kills = 200, 1
	}
	store := sqliteFile(t)
	p := newPile(issueMany(t, store, passes, quota), quota)

	began := time.Now()
	total := passes * quota
	for phase := range kills + 1 {
		d := startDemo(t, "--store", store)
		killAfter := int64(-1)
		if phase < kills {
			// Somewhere in this phase's share, never right at its start or end.
			share := total / (kills + 1)
			killAfter = int64(share/4 + rand.IntN(share/2))
		}
		answered := p.redeem(t, d, workers, killAfter)
		if phase < kills {
			t.Logf("phase %d: killed after %d answers, %v after the start", phase, answered, time.Since(began).Round(time.Millisecond))
			continue
		}
		p.exhaust(t, d, workers)
		d.stop(t)
	}
	t.Logf("%d acknowledged of %d in %v", p.acknowledged(), total, time.Since(began).Round(time.Millisecond))
	p.compare(t, store, kills*workers)
}

// issueMany makes many passes with one run of issue --from.
func issueMany(t *testing.T, store string, count, quota int) []issued {
	t.Helper()
	var lines strings.Builder
	for range count {
		fmt.Fprintf(&lines, `{"scope":"invite","mode":"public","max_uses":%d,"data":%s,"batch":"kill","url":"http://localhost/invite"}`+"\n", quota, invitation)
	}
	file := filepath.Join(t.TempDir(), "passes.jsonl")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got := hallpass(t, "issue", "--store", store, "--from", file)
	if got.code != 0 {
		t.Fatalf("issue: exit %d: %s", got.code, got.stderr)
	}
	var all []issued
	for scan := bufio.NewScanner(strings.NewReader(got.stdout)); scan.Scan(); {
		var i issued
		if err := json.Unmarshal(scan.Bytes(), &i); err != nil || i.ID == "" {
			t.Fatalf("line %d of the answer: %v", len(all)+1, err)
		}
		said.secret(i.URL)
		all = append(all, i)
	}
	if len(all) != count {
		t.Fatalf("%d of %d passes were issued", len(all), count)
	}
	return all
}

// pile is passes with the uses still to be made of them.
type pile struct {
	passes []issued
	acked  []atomic.Int64 // by pass: answers with status 200
	quota  int

	mu   sync.Mutex
	todo []int // indexes of passes, one per use, shuffled
}

func newPile(passes []issued, quota int) *pile {
	p := &pile{passes: passes, acked: make([]atomic.Int64, len(passes)), quota: quota}
	for i := range passes {
		for range quota {
			p.todo = append(p.todo, i)
		}
	}
	rand.Shuffle(len(p.todo), func(i, j int) { p.todo[i], p.todo[j] = p.todo[j], p.todo[i] })
	return p
}

func (p *pile) next() (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.todo) == 0 {
		return 0, false
	}
	i := p.todo[len(p.todo)-1]
	p.todo = p.todo[:len(p.todo)-1]
	return i, true
}

func (p *pile) acknowledged() (sum int64) {
	for i := range p.acked {
		sum += p.acked[i].Load()
	}
	return sum
}

// redeem lets workers use passes over HTTP until there is nothing left to do, or
// the demo is killed after so many answers. It returns how many answers came.
func (p *pile) redeem(t *testing.T, d *demo, workers int, killAfter int64) int64 {
	t.Helper()
	var answers atomic.Int64
	var killed atomic.Bool
	var gone, kill sync.WaitGroup
	var once sync.Once
	for range workers {
		gone.Go(func() {
			c := newClient()
			defer c.close()
			for {
				i, more := p.next()
				if !more {
					return
				}
				status, err := c.use(d, p.passes[i])
				switch {
				case err != nil && killed.Load():
					return // whether it was counted, nobody told us
				case err != nil:
					t.Errorf("before any kill: %v", err)
					return
				case status == http.StatusOK:
					p.acked[i].Add(1)
				default:
					// Each pass is asked for no more often than its quota, and an
					// unacknowledged use is never asked for again here.
					t.Errorf("a use within the quota: status %d", status)
				}
				if answers.Add(1) == killAfter {
					once.Do(func() {
						kill.Go(func() {
							killed.Store(true)
							d.kill()
						})
					})
				}
			}
		})
	}
	gone.Wait()
	kill.Wait()
	return answers.Load()
}

// exhaust uses every pass until it is refused, and once more.
func (p *pile) exhaust(t *testing.T, d *demo, workers int) {
	t.Helper()
	var at atomic.Int64
	var gone sync.WaitGroup
	for range workers {
		gone.Go(func() {
			c := newClient()
			defer c.close()
			for {
				i := int(at.Add(1)) - 1
				if i >= len(p.passes) {
					return
				}
				for refused := 0; refused < 2; {
					status, err := c.use(d, p.passes[i])
					switch {
					case err == nil && status == http.StatusOK && refused == 0:
						if p.acked[i].Add(1) > int64(p.quota) {
							t.Errorf("pass %s was honoured more than %d times", p.passes[i].ID, p.quota)
							return
						}
					case err == nil && status == http.StatusForbidden:
						refused++
					default:
						t.Errorf("pass %s: status %d after %d refusals, %v", p.passes[i].ID, status, refused, err)
						return
					}
				}
			}
		})
	}
	gone.Wait()
}

// use opens a pass's link at the address the demo has now. The status line is the
// acknowledgement, whether or not the rest of the answer arrives.
func (c *client) use(d *demo, pass issued) (int, error) {
	got, err := c.do(http.MethodGet, strings.Replace(pass.URL, "http://localhost", d.URL, 1), "")
	if got.status == http.StatusOK {
		err = nil
	}
	return got.status, err
}

// compare holds what was acknowledged against what the store says, as seen from
// another process. lost is how many answers can have got lost with their process.
func (p *pile) compare(t *testing.T, store string, lost int) {
	t.Helper()
	rows := map[string]row{}
	for after := ""; ; {
		page := done[struct {
			Passes []row   `json:"passes"`
			Next   *string `json:"next"`
		}](t, pageArgs("list", store, after, "--batch", "kill")...)
		for _, r := range page.Passes {
			rows[r.ID] = r
		}
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	uses, states := map[string]int{}, map[string]int{}
	for after := ""; ; {
		page := done[struct {
			Uses []use   `json:"uses"`
			Next *string `json:"next"`
		}](t, pageArgs("uses", store, after)...)
		for _, u := range page.Uses {
			uses[u.Pass]++
			states[u.State]++
		}
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	unacknowledged := 0
	for i, pass := range p.passes {
		r, acked := rows[pass.ID], int(p.acked[i].Load())
		switch {
		case acked > p.quota:
			t.Errorf("pass %s: acknowledged %d times", pass.ID, acked)
		case r.Used < acked:
			t.Errorf("pass %s: %d uses were acknowledged, the store has %d", pass.ID, acked, r.Used)
		case r.Used != p.quota || r.State != "spent" || r.MaxUses != p.quota:
			t.Errorf("pass %s: %d of %d used, %s", pass.ID, r.Used, r.MaxUses, r.State)
		case uses[pass.ID] != r.Used:
			t.Errorf("pass %s: used %d, but the trail has %d rows", pass.ID, r.Used, uses[pass.ID])
		}
		unacknowledged += r.Used - acked
	}
	if len(rows) != len(p.passes) || unacknowledged > lost || states["refunded"] > 0 {
		t.Errorf("%d rows for %d passes; %d uses unacknowledged, at most %d can be; states %v", len(rows), len(p.passes), unacknowledged, lost, states)
	}
	t.Logf("%d uses counted whose answer was lost with its process; states %v", unacknowledged, states)
}

func pageArgs(command, store, after string, more ...string) []string {
	args := append([]string{command, "--store", store, "--json", "--limit", "1000"}, more...)
	if after != "" {
		args = append(args, "--after", after)
	}
	return args
}
