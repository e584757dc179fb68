//go:build unix

package proxies_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// shell is a person's: it keeps its folder and its jobs from block to block.
type shell struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *buffer
	err *buffer
	n   int
}

func newShell(t *testing.T, dir string, path ...string) *shell {
	t.Helper()
	sh := &shell{t: t, cmd: exec.Command(needs.Program(t, "bash"), "--norc"), out: &buffer{}, err: &buffer{}}
	sh.cmd.Dir, sh.cmd.Stdout, sh.cmd.Stderr, sh.cmd.WaitDelay = dir, sh.out, sh.err, 5*time.Second
	sh.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its jobs end with it
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "HALLPASS_") && !strings.HasPrefix(pair, "PATH=") {
			sh.cmd.Env = append(sh.cmd.Env, pair)
		}
	}
	sh.cmd.Env = append(sh.cmd.Env, "PATH="+strings.Join(append(path, os.Getenv("PATH")), ":"))
	var err error
	if sh.in, err = sh.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := sh.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sh.in.Close()
		syscall.Kill(-sh.cmd.Process.Pid, syscall.SIGTERM)
		sh.cmd.Wait()
		syscall.Kill(-sh.cmd.Process.Pid, syscall.SIGKILL)
	})
	return sh
}

// run runs one block of the page and returns what it printed. Every command of it
// must succeed.
func (sh *shell) run(block string) string {
	sh.t.Helper()
	sh.n++
	mark := "end-of-block-" + string(rune('a'+sh.n))
	before := len(sh.out.String())
	io.WriteString(sh.in, "set -e\n"+block+"\nset +e\necho "+mark+"\n")
	for until := time.Now().Add(2 * waitTime); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		said := sh.out.String()[before:]
		if out, _, done := strings.Cut(said, mark+"\n"); done {
			return out
		}
	}
	sh.t.Fatalf("this did not come to its end:\n%s\nit said:\n%s\n%s", block, sh.out.String()[before:], sh.err)
	return ""
}

var blockPattern = regexp.MustCompile("(?s)```sh\n(.*?)```")

func TestNginxInFiveMinutes(t *testing.T) {
	t.Parallel()
	nginx := needs.Nginx(t)
	needs.Program(t, "curl")
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "nginx-in-five-minutes.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "hallpass-minutes-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // nginx's workers are somebody else
		t.Fatal(err)
	}
	bin := t.TempDir()
	build, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(build, "go", "build", "-o", filepath.Join(bin, "hallpass"), "github.com/hallpass-go/hallpass/cmd/hallpass").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	site, hallpass := mustPort(t), mustPort(t)
	text := strings.NewReplacer("8080", site, "8700", hallpass).Replace(string(page))
	var blocks []string
	for _, b := range blockPattern.FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, b[1])
	}
	if len(blocks) != 9 {
		t.Fatalf("the page has %d blocks; this test knows 9", len(blocks))
	}
	sh := newShell(t, dir, bin, filepath.Dir(nginx))

	sh.run(blocks[0])
	sh.run(blocks[1])
	listens(t, sh, "127.0.0.1:"+hallpass)
	sh.run(blocks[2])
	listens(t, sh, "127.0.0.1:"+site)
	if got := sh.run(blocks[3]); !strings.HasSuffix(got, "200\n401\n") {
		t.Fatalf("without a link: %s", got)
	}

	link := regexp.MustCompile(`http://localhost:\S+`).FindString(sh.run(blocks[4]))
	b := newLocalBrowser(t)
	asked := b.do(t, "GET", link, "", navigation...)
	if !strings.Contains(asked.body, "<form") || !strings.Contains(asked.body, "My reports") {
		t.Fatalf("the page with the button: %d\n%s", asked.status, asked.body)
	}
	pressed := pressLocal(t, b, link, asked)
	if pressed.status != 303 || pressed.header.Get("Location") != "/reports/" {
		t.Fatalf("pressed: %d to %s\n%s", pressed.status, pressed.header.Get("Location"), pressed.body)
	}
	base := "http://localhost:" + site
	for path, part := range map[string]string{"/reports/": "The report", "/reports/style.css": "green", "/": "Everybody"} {
		if a := b.do(t, "GET", base+path, "", navigation...); a.status != 200 || !strings.Contains(a.body, part) {
			t.Errorf("%s with a session: %d %s", path, a.status, a.body)
		}
	}
	if a := newLocalBrowser(t).do(t, "GET", link, "", navigation...); a.status != 403 {
		t.Errorf("the link in another browser: %d", a.status)
	}

	if got := sh.run(blocks[5]); !strings.Contains(got, "The report") {
		t.Errorf("a program: %s", got)
	}
	if got := sh.run(blocks[6]); !strings.HasSuffix(got, "200\n401\n") {
		t.Errorf("nginx's double question counted twice, or not at all: %s", got)
	}
	sh.run(blocks[7])
	for until := time.Now().Add(waitTime); ; time.Sleep(50 * time.Millisecond) { // another process: within a second
		a := b.do(t, "GET", base+"/reports/", "", navigation...)
		if a.status == 403 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("after the revocation: %d", a.status)
		}
	}
	sh.run(blocks[8])
	for until := time.Now().Add(waitTime); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+site)
		if err != nil {
			break
		}
		conn.Close()
		if time.Now().After(until) {
			t.Fatal("nginx did not end")
		}
	}
}

func mustPort(t *testing.T) string {
	t.Helper()
	port, err := needs.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}

func listens(t *testing.T, sh *shell, addr string) {
	t.Helper()
	for until := time.Now().Add(startTime); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
		if time.Now().After(until) {
			t.Fatalf("nothing listens on %s:\n%s", addr, sh.err)
		}
	}
}

// newLocalBrowser is a browser for a server on this machine.
func newLocalBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{c: &http.Client{
		Jar: jar, Transport: transport, Timeout: waitTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func pressLocal(t *testing.T, b *browser, from string, page answer) answer {
	t.Helper()
	a, err := b.tryPressAt(from, page)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
