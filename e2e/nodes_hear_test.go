package e2e_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// busy is what asking takes on a machine that has other work.
const busy = 500 * time.Millisecond

// What one process takes back or rotates, all others know within a second: woken by
// the store, and by asking it alone.
func TestEveryNodeHearsOfRevocationsAndKeysWithinASecond(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) (direct, through string){
		"PostgreSQL": func(t *testing.T) (string, string) {
			dsn := needs.Postgres(t)
			return dsn, dsn
		},
		"PostgreSQL without LISTEN": func(t *testing.T) (string, string) {
			dsn := needs.Postgres(t)
			return dsn, deafTo(t, dsn, "LISTEN ")
		},
		"Redis": func(t *testing.T) (string, string) {
			dsn := needs.NewRedis(t).DSN()
			return dsn, dsn
		},
	} {
		t.Run(name, func(t *testing.T) {
			direct, through := open(t)
			secret := func(n int) string {
				return writeFile(t, fmt.Sprintf("key-%d", n), fmt.Sprintf("the signing key number %d that only this test has", n))
			}
			first := secret(0)
			for _, args := range [][]string{{"migrate"}, {"keys", "add", "--activate", "--key", "@" + first}} {
				if got := hallpassIn(t, nodesEnv, append(args, "--store", direct)...); got.code != 0 {
					t.Fatalf("hallpass %v: %s", args, got.stderr)
				}
			}
			c := startNodes(t, 3, through, clickRules, "--keys", first, "--upstream", newUpstream(t).URL)
			c.store = direct // for the command line
			ask := func(node int, pass issued) int {
				return get(t, c.node(node).URL+"/page", "Authorization", "Bearer "+pass.Token).status
			}
			line := `{"scope":"app","mode":"request","subject":"greta","max_uses":0,"ttl":"1h","batch":"%s"}`
			for round := range 2 {
				alone := c.issue(1, fmt.Sprintf(line, "alone"))[0]
				group := c.issue(1, fmt.Sprintf(line, fmt.Sprint("group", round)))[0]
				for node := range 3 {
					if ask(node, alone) != http.StatusOK || ask(node, group) != http.StatusOK {
						t.Fatal("a good pass is refused")
					}
				}
				heard := map[string]time.Duration{}
				c.run("revoke", alone.ID)
				heard["of a pass"] = onAllNodes(t, func(node int) bool { return ask(node, alone) == http.StatusUnauthorized })
				c.run("revoke", "--batch", fmt.Sprint("group", round))
				heard["of a batch"] = onAllNodes(t, func(node int) bool { return ask(node, group) == http.StatusUnauthorized })
				changes := strings.Count(c.node(0).stderr.String(), "the keys changed")
				c.run("keys", "add", "--activate", "--key", "@"+secret(round+1))
				heard["of a key"] = onAllNodes(t, func(node int) bool {
					return strings.Count(c.node(node).stderr.String(), "the keys changed") > changes
				})
				fresh := c.issue(1, fmt.Sprintf(line, "fresh"))[0]
				for node := range 3 {
					if got := ask(node, fresh); got != http.StatusOK {
						t.Errorf("a pass of the new key: %d", got)
					}
				}
				for what, took := range heard {
					if took > time.Second+busy {
						t.Errorf("the last node heard %s after %v", what, took)
					}
				}
				t.Logf("the last node heard %v", heard)
			}
		})
	}
}

// onAllNodes waits until all three nodes say so and returns how long that took.
func onAllNodes(t *testing.T, says func(node int) bool) time.Duration {
	t.Helper()
	began := time.Now()
	for node := 0; node < 3; {
		switch {
		case says(node):
			node++
		case time.Since(began) > 10*time.Second:
			t.Fatalf("node %d does not know after ten seconds", node)
		default:
			time.Sleep(2 * time.Millisecond)
		}
	}
	return time.Since(began)
}

// deafTo is a store's DSN by way of a proxy on which nothing is heard any more
// after a connection has said a word: what it listens for never arrives.
func deafTo(t *testing.T, dsn, word string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	to := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go deafen(conn, to, []byte(word))
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

func deafen(client net.Conn, to string, word []byte) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	var deaf atomic.Bool
	go func() {
		defer client.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil {
				return
			}
			if !deaf.Load() {
				if _, err := client.Write(buf[:n]); err != nil {
					return
				}
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if bytes.Contains(bytes.ToUpper(buf[:n]), word) {
			deaf.Store(true)
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}
