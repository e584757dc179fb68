package needs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Postgres returns the DSN of a new, empty database on a PostgreSQL that this test
// process shares. The server ends with the process, however that ends.
func Postgres(t testing.TB) string {
	t.Helper()
	shared, err := sharedPostgres()
	if err != nil {
		if shared == nil {
			Missing(t, err.Error())
		}
		t.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if out, err := shared.psql("postgres", "CREATE DATABASE "+name); err != nil {
		t.Fatalf("CREATE DATABASE: %v: %s", err, out)
	}
	return shared.DSN(name)
}

var databases atomic.Int64

var sharedPostgres = sync.OnceValues(func() (*PostgresServer, error) {
	bin := postgresBin()
	if bin == "" {
		return nil, fmt.Errorf("PostgreSQL 15 (there is no postgres in PATH or /usr/lib/postgresql)")
	}
	s, err := newPostgres(bin)
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		return &PostgresServer{}, err
	}
	return s, nil
})

// PostgresServer is a private PostgreSQL for a test that stops, kills or promotes
// it.
type PostgresServer struct {
	bin, dir string
	port     int
	settings []string
	standbys []string
	// kept says that the folder outlives a stop, because the test may start again.
	kept bool
	// keep is the end of a pipe: when it closes, with this process at the latest,
	// the server stops.
	keep io.Closer
	done chan struct{}
}

// NewPostgresServer makes and starts a server of the test's own, gone when the test
// ends. Settings are its configuration's, such as "shared_buffers=4GB".
func NewPostgresServer(t testing.TB, settings ...string) *PostgresServer {
	t.Helper()
	bin := postgresBin()
	if bin == "" {
		Missing(t, "PostgreSQL 15 (there is no postgres in PATH or /usr/lib/postgresql)")
	}
	s, err := newPostgres(bin)
	if err == nil {
		t.Cleanup(s.remove)
		s.kept, s.settings = true, settings
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// postgresBin is the folder of the newest server's programs, or empty.
func postgresBin() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	slices.SortFunc(found, func(a, b string) int {
		version := func(path string) int { n, _ := strconv.Atoi(strings.Split(path, "/")[4]); return n }
		return version(b) - version(a)
	})
	if len(found) > 0 {
		return filepath.Dir(found[0])
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

func newPostgres(bin string) (*PostgresServer, error) {
	s := &PostgresServer{bin: bin}
	if err := s.folder(); err != nil {
		return nil, err
	}
	// The cluster is thrown away, but what a test kills must have synchronised.
	return s, s.run("initdb", "-D", s.dir, "-U", "hallpass", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
}

// folder finds a folder and a port.
func (s *PostgresServer) folder() (err error) {
	if s.dir, err = os.MkdirTemp("", "hallpass-postgres-"); err != nil {
		return err
	}
	if credential := unprivileged(); credential != nil {
		if err := os.Chown(s.dir, int(credential.Uid), int(credential.Gid)); err != nil {
			return err
		}
	}
	s.port, err = FreePort()
	return err
}

// unprivileged is whom the server runs as: it refuses to run as root.
func unprivileged() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

func (s *PostgresServer) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: unprivileged()}
	return cmd
}

func (s *PostgresServer) run(program string, args ...string) error {
	if out, err := s.command(filepath.Join(s.bin, program), args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return nil
}

func (s *PostgresServer) psql(database, text string) (string, error) {
	out, err := s.command(filepath.Join(s.bin, "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", s.DSN(database), "-c", text).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// DSN names a database of the server.
func (s *PostgresServer) DSN(database string) string {
	return fmt.Sprintf("postgres://hallpass:sesame-%s@127.0.0.1:%d/%s?sslmode=disable", database, s.port, database)
}

// Addr is where the server listens.
func (s *PostgresServer) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// Database makes a new database and returns its DSN.
func (s *PostgresServer) Database(t testing.TB, name string) string {
	t.Helper()
	s.SQL(t, "postgres", "CREATE DATABASE "+name)
	return s.DSN(name)
}

// SQL runs statements as the superuser and returns what they print.
func (s *PostgresServer) SQL(t testing.TB, database, text string) string {
	t.Helper()
	out, err := s.psql(database, text)
	if err != nil {
		t.Fatalf("%s: %v: %s", text, err, out)
	}
	return out
}

// Start starts the server and waits until it answers.
func (s *PostgresServer) Start() error {
	// The shell outlives a test process that is killed: its standard input ends then.
	cmd := s.command("/bin/sh", "-c", `"$@" >>log 2>&1 & server=$!
read -r never
kill -INT $server 2>/dev/null
wait $server
[ "$KEEP" = yes ] || rm -rf "$PWD"`, "sh", filepath.Join(s.bin, "postgres"), "-D", s.dir, "-p", strconv.Itoa(s.port), "-k", s.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=400", "-c", "shared_buffers=256MB",
		"-c", "max_wal_size=4GB", "-c", "checkpoint_timeout=1h", "-c", "max_wal_senders=4", "-c", "hot_standby=on")
	for _, setting := range s.settings {
		cmd.Args = append(cmd.Args, "-c", setting)
	}
	cmd.Env = append(os.Environ(), "KEEP=no")
	if s.kept {
		cmd.Env = append(os.Environ(), "KEEP=yes")
	}
	keep, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.keep, s.done = keep, make(chan struct{})
	go func(done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(s.done)
	for range 600 {
		if out, err := s.psql("postgres", "SELECT 1"); err == nil && out == "1" {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return fmt.Errorf("PostgreSQL did not start: %s", log)
}

// Stop stops the server in good order.
func (s *PostgresServer) Stop() {
	if s.keep != nil {
		_ = s.keep.Close()
		<-s.done
		s.keep = nil
	}
}

// Kill ends every process of the server at once, as a crash of the machine would.
func (s *PostgresServer) Kill(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	pid, err := strconv.Atoi(string(first))
	if err != nil {
		t.Fatal(err)
	}
	// Stopped, it has no further children; killed, it would leave those it had behind,
	// with the memory that the next start wants for itself.
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	all := append([]int{pid}, childrenOf(pid)...)
	for _, p := range all {
		_ = syscall.Kill(p, syscall.SIGKILL)
	}
	s.Stop()
	for deadline := time.Now().Add(30 * time.Second); slices.ContainsFunc(all, runs); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a killed PostgreSQL does not end")
		}
	}
	_ = os.Remove(filepath.Join(s.dir, "postmaster.pid"))
}

// runs says whether there is such a process that has not ended.
func runs(pid int) bool {
	stat := statOf(pid)
	return len(stat) > 0 && stat[0] != "Z"
}

// statOf is what Linux says of a process behind its name: state, parent, ….
func statOf(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}

func childrenOf(parent int) (children []int) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range processes {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if stat := statOf(pid); len(stat) > 1 && stat[1] == strconv.Itoa(parent) {
			children = append(children, pid)
		}
	}
	return children
}

// Standby makes and starts a server that follows this one; from then on a commit
// here waits until the standby has it on its disk.
func (s *PostgresServer) Standby(t testing.TB) *PostgresServer {
	t.Helper()
	standby := &PostgresServer{bin: s.bin, kept: true}
	if err := standby.folder(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.remove)
	name := fmt.Sprintf("standby%d", standby.port)
	primary := fmt.Sprintf("host=127.0.0.1 port=%d user=hallpass application_name=%s", s.port, name)
	if err := standby.run("pg_basebackup", "-D", standby.dir, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync", "-d", primary); err != nil {
		t.Fatal(err)
	}
	if err := standby.Start(); err != nil {
		t.Fatal(err)
	}
	s.standbys = append(s.standbys, name)
	s.SQL(t, "postgres", "ALTER SYSTEM SET synchronous_standby_names = '"+strings.Join(s.standbys, ",")+"'")
	s.SQL(t, "postgres", "SELECT pg_reload_conf()")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for s.SQL(t, "postgres", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "0" {
		select {
		case <-ctx.Done():
			t.Fatal("the standby does not follow")
		case <-time.After(50 * time.Millisecond):
		}
	}
	return standby
}

// Promote makes a standby a primary.
func (s *PostgresServer) Promote(t testing.TB) {
	t.Helper()
	s.SQL(t, "postgres", "SELECT pg_promote()")
}

func (s *PostgresServer) remove() {
	s.Stop()
	_ = os.RemoveAll(s.dir)
}
