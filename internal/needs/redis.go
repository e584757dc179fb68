//go:build unix

package needs

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// RedisServer is a private redis-server that writes each command to its disk
// before it answers.
type RedisServer struct {
	// Addr is its HOST:PORT, the same over restarts.
	Addr string

	dir     string
	program string
	extra   []string
	mu      sync.Mutex
	cmd     *exec.Cmd
	exited  chan struct{}
}

var (
	sharedRedis struct {
		once sync.Once
		s    *RedisServer
		err  error
	}
	redisPrefixes atomic.Int64
)

// Redis returns the DSN of a place in a redis-server that this test process alone
// has and shares among its tests; each call names another, empty place. The server
// ends with the process.
func Redis(t testing.TB) string {
	t.Helper()
	program := Program(t, "redis-server")
	shared := &sharedRedis
	shared.once.Do(func() {
		var dir string
		if dir, shared.err = os.MkdirTemp("", "hallpass-redis-"); shared.err != nil {
			return
		}
		shared.s = &RedisServer{dir: dir, program: program}
		shared.err = shared.s.start()
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return fmt.Sprintf("redis://%s/?prefix=t%d:", shared.s.Addr, redisPrefixes.Add(1))
}

// StopRedis ends the server that Redis started, for TestMain; without one it does
// nothing. A process that ends otherwise takes the server along all the same.
func StopRedis() {
	if s := sharedRedis.s; s != nil {
		s.Kill()
		os.RemoveAll(s.dir)
	}
}

// NewRedis starts a redis-server for this test alone, with more settings in the
// form of its command line ("--requirepass", "sesame").
func NewRedis(t testing.TB, settings ...string) *RedisServer {
	t.Helper()
	s := &RedisServer{dir: t.TempDir(), program: Program(t, "redis-server"), extra: settings}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// DSN names the whole server.
func (s *RedisServer) DSN() string { return "redis://" + s.Addr }

// start starts the server, on a free port unless it has had one.
func (s *RedisServer) start() error {
	for try := 0; ; try++ {
		addr := s.Addr
		if addr == "" {
			port, err := FreePort()
			if err != nil {
				return err
			}
			addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		}
		err := s.startAt(addr)
		if err == nil {
			s.Addr = addr
			return nil
		}
		if try == 5 || s.Addr != "" { // somebody may have taken the free port meanwhile
			return err
		}
	}
}

func (s *RedisServer) startAt(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	args := append([]string{
		"--bind", "127.0.0.1", "--port", port, "--dir", s.dir, "--logfile", filepath.Join(s.dir, "log"),
		"--save", "", "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction",
	}, s.extra...)
	cmd := exec.Command(s.program, args...)
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	s.mu.Lock()
	s.cmd, s.exited = cmd, exited
	s.mu.Unlock()
	for deadline := time.Now().Add(20 * time.Second); ; {
		if answer, err := redisSay(addr, "PING"); err == nil && (answer == "+PONG" || strings.HasPrefix(answer, "-NOAUTH")) {
			return nil
		}
		select {
		case <-exited:
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("redis-server ended: %s", log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.Kill()
			return fmt.Errorf("redis-server does not answer at %s", addr)
		}
	}
}

// Kill ends the server as a power cut ends a process: nothing is finished. (What
// the kernel has in its page cache survives, so it does not show a missing fsync.)
func (s *RedisServer) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
}

// Start starts the server again on its port and its files.
func (s *RedisServer) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Pause stops the server without ending it: connections stay open and nothing is
// answered, until Resume.
func (s *RedisServer) Pause() { s.signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *RedisServer) Resume() { s.signal(syscall.SIGCONT) }

func (s *RedisServer) signal(signal os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.cmd.Process.Signal(signal)
}

// Say sends one command, whose words hold no blanks, and returns the first line of
// the answer.
func (s *RedisServer) Say(t testing.TB, command string) string {
	t.Helper()
	answer, err := redisSay(s.Addr, command)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return answer
}

func redisSay(addr, command string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return "", err
	}
	buf := make([]byte, 64<<10)
	n, err := conn.Read(buf)
	if err != nil {
		return "", err
	}
	line, _, _ := bytes.Cut(buf[:n], []byte("\r\n"))
	return string(line), nil
}

// RedisNodes is a private Redis Cluster: three masters, each with one replica.
type RedisNodes struct {
	// Masters are those at the start, and Replicas[i] is a replica of one of them.
	Masters, Replicas []*RedisServer
}

// DSN names the cluster by three of its nodes.
func (c *RedisNodes) DSN() string {
	var hosts []string
	for _, s := range c.Masters {
		hosts = append(hosts, s.Addr)
	}
	return "redis://" + strings.Join(hosts, ",") + "/?cluster=yes"
}

// RedisCluster starts a cluster for this test alone. A master that is silent for
// half a second is replaced by its replica.
func RedisCluster(t testing.TB) *RedisNodes {
	t.Helper()
	cli := Program(t, "redis-cli")
	c := &RedisNodes{}
	var addrs []string
	for i := range 6 {
		// The bus port is settable, so that both ports are free ones.
		bus, err := FreePort()
		if err != nil {
			t.Fatal(err)
		}
		s := NewRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "500",
			"--cluster-port", strconv.Itoa(bus), "--repl-diskless-sync-delay", "0")
		addrs = append(addrs, s.Addr)
		if i < 3 {
			c.Masters = append(c.Masters, s)
		} else {
			c.Replicas = append(c.Replicas, s)
		}
	}
	create := exec.Command(cli, append([]string{"--cluster", "create", "--cluster-replicas", "1", "--cluster-yes"}, addrs...)...)
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("redis-cli --cluster create: %v\n%s", err, out)
	}
	for deadline := time.Now().Add(30 * time.Second); !c.ready(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the cluster does not become ready")
		}
	}
	return c
}

// ready reports whether every node sees the cluster whole and every replica is in
// step with its master.
func (c *RedisNodes) ready() bool {
	for _, s := range append(append([]*RedisServer{}, c.Masters...), c.Replicas...) {
		if info, err := redisInfo(s.Addr, "CLUSTER INFO"); err != nil || !strings.Contains(info, "cluster_state:ok") ||
			!strings.Contains(info, "cluster_known_nodes:6") {
			return false
		}
	}
	for _, s := range c.Replicas {
		if info, err := redisInfo(s.Addr, "INFO replication"); err != nil || !strings.Contains(info, "master_link_status:up") {
			return false
		}
	}
	return true
}

// redisInfo sends one command and returns all of its answer.
func redisInfo(addr, command string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	// QUIT ends the connection, and so the answer.
	if _, err := fmt.Fprintf(conn, "%s\r\nQUIT\r\n", command); err != nil {
		return "", err
	}
	var all bytes.Buffer
	_, err = all.ReadFrom(conn)
	return all.String(), err
}
