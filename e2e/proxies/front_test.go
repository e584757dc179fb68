package proxies_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/needs"
)

const (
	waitTime  = 20 * time.Second // of one exchange
	startTime = 20 * time.Second // of a proxy
)

// front is something a client can ask for the application.
type front struct {
	name string
	addr string
	stop func()
	log  *buffer
	// pageStatus is what the confirmation page comes with: a proxy that passes
	// denials on takes a 200 for "allowed".
	pageStatus int
	// exchanges says that a link becomes a ticket and a redirect.
	exchanges bool
}

// kind is how to start a proxy.
type kind struct {
	name    string
	needs   func(testing.TB) string
	files   []string // of examples/<name>
	command func(binary, dir string) *exec.Cmd
	front   front
}

var kinds = []kind{
	{"nginx", needs.Nginx, []string{"nginx.conf", "hallpass_headers.conf"}, func(binary, dir string) *exec.Cmd {
		return exec.Command(binary, "-p", dir, "-c", "nginx.conf", "-g", "daemon off;")
	}, front{pageStatus: 200, exchanges: true}},
	{"caddy", needs.Caddy, []string{"Caddyfile"}, func(binary, dir string) *exec.Cmd {
		return exec.Command(binary, "run", "--config", "Caddyfile")
	}, front{pageStatus: 403, exchanges: true}},
	{"haproxy", needs.HAProxy, []string{"haproxy.cfg", "hallpass.lua"}, func(binary, dir string) *exec.Cmd {
		return exec.Command(binary, "-db", "-f", "haproxy.cfg")
	}, front{pageStatus: 200, exchanges: true}},
}

// through runs a test against hallpass's own proxy and through each real one.
func through(t *testing.T, get func(testing.TB) *world, test func(t *testing.T, w *world, f *front)) {
	t.Parallel()
	t.Run("direct", func(t *testing.T) {
		t.Parallel()
		w := get(t)
		test(t, w, &front{name: "direct", addr: listenAddr(w.direct), pageStatus: 200})
	})
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			binary := k.needs(t)
			w := get(t)
			test(t, w, w.front(t, k, binary))
		})
	}
}

// front returns the running proxy of a world, which it starts once.
func (w *world) front(t testing.TB, k kind, binary string) *front {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.fronts[k.name]; f != nil {
		return f
	}
	var failed error
	for range 3 { // somebody else may take the port meanwhile
		f, err := w.start(k, binary)
		if err == nil {
			w.fronts[k.name] = f
			return f
		}
		failed = errors.Join(failed, err)
	}
	t.Fatalf("starting %s: %v", k.name, failed)
	return nil
}

func (w *world) start(k kind, binary string) (*front, error) {
	dir, err := os.MkdirTemp("", "hallpass-"+k.name+"-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // nginx's workers are somebody else
		return nil, err
	}
	free, err := needs.FreePort()
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(free)
	for _, name := range k.files {
		text, err := os.ReadFile(filepath.Join("..", "..", "examples", k.name, name))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(w.place(string(text), port)), 0o644); err != nil {
			return nil, err
		}
	}
	f := k.front
	f.name, f.addr, f.log = k.name, "127.0.0.1:"+port, &buffer{}
	cmd := k.command(binary, dir)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = dir, f.log, f.log, 5*time.Second
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	f.stop = sync.OnceFunc(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
		os.RemoveAll(dir)
	})
	for until := time.Now().Add(startTime); ; {
		if conn, err := net.Dial("tcp", f.addr); err == nil {
			conn.Close()
			return &f, nil
		}
		select {
		case err := <-ended:
			ended <- err
			f.stop()
			return nil, fmt.Errorf("it ended: %w\n%s", err, f.log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(until) {
			f.stop()
			return nil, fmt.Errorf("nothing listens on %s\n%s", f.addr, f.log)
		}
	}
}

// place puts this test's addresses into an example. Each must occur.
func (w *world) place(text, port string) string {
	return strings.NewReplacer(
		"http://"+host+":8080", "http://"+host+":"+port,
		"127.0.0.1:8080", "127.0.0.1:"+port,
		"127.0.0.1:8700", listenAddr(w.auth),
		"127.0.0.1:3000", listenAddr(w.app),
	).Replace(text)
}

// buffer is what a process says.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if w, err := shared(); err == nil {
		w.close()
	}
	os.Exit(code)
}
