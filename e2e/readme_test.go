package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// documents are the texts whose commands are run.
var documents = []string{"README.md", "docs/cli.md"}

// Every command of a document is run as it stands there, in order, in one shell in
// an empty folder.
func TestTheCommandsInTheDocumentsWork(t *testing.T) {
	t.Parallel()
	for _, name := range documents {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../" + name)
			if err != nil {
				t.Fatal(err)
			}
			ran := runReadme(t, string(text))
			if ran == 0 {
				t.Error("there is no command that could be run")
			}
			t.Logf("%d commands", ran)
		})
	}
}

func TestCommandsInTextAreRunAsTheyStand(t *testing.T) {
	t.Parallel()
	const text = "Words.\n```sh\n" +
		"go run ./cmd/hallpass demo --check\n" +
		"LINK=$(hallpass issue --scope rsvp \\\n  --url https://example.com/rsvp 2>/dev/null)\n" +
		"hallpass redeem --scope rsvp \"$LINK\"\n" +
		"hallpass redeem --scope other \"$LINK\" # exits 1\n" +
		"go test ./...\n" +
		"curl -L https://example.com/hallpass.tar.gz | tar xz\n" +
		"```\n```go\nhallpass := \"not a command\"\n```\n```sh\n" +
		"hallpass demo\n# A word on it.\ncurl -s http://localhost:8080/links.json\n" +
		"curl -s http://localhost:8080/ | grep -q 'Four doors'\n```\n"
	if ran := runReadme(t, text); ran != 7 {
		t.Errorf("%d commands were run", ran)
	}
	lines := shCommands("```sh\nhallpass \\\n  version\n```\n```\nhallpass not this\n```\n")
	if len(lines) != 1 || lines[0] != "hallpass version" {
		t.Errorf("%q", lines)
	}
}

// shCommands are the lines of the fenced sh blocks, continued lines joined.
func shCommands(text string) (lines []string) {
	inside, fenced, joined := false, false, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			inside = fenced && (line == "```sh" || strings.HasPrefix(line, "```sh "))
			continue
		}
		if !inside {
			continue
		}
		if head, more := strings.CutSuffix(line, "\\"); more {
			joined += strings.TrimSpace(head) + " "
			continue
		}
		if joined += line; joined != "" && !strings.HasPrefix(joined, "#") {
			lines = append(lines, joined)
		}
		joined = ""
	}
	return lines
}

var (
	assigns  = regexp.MustCompile(`^(export )?[A-Za-z_][A-Za-z0-9_]*=`)
	exits    = regexp.MustCompile(`#.*\bexits (\d)`)
	servers  = regexp.MustCompile(`^hallpass\b.* ?\b(demo|serve)\b`)
	comments = regexp.MustCompile(`\s#.*$`)
	listens  = regexp.MustCompile(`http://((?:localhost|127\.0\.0\.1):\d+)`)
)

// runReadme runs the commands of a text and returns how many there were. A command
// must exit 0, or as the comment behind it says; a server must answer.
func runReadme(t *testing.T, text string) (ran int) {
	t.Helper()
	sh := startShell(t)
	for _, line := range shCommands(text) {
		line = strings.ReplaceAll(line, "go run ./cmd/hallpass", "hallpass")
		ours := strings.HasPrefix(line, "hallpass") || strings.Contains(line, "| hallpass") ||
			strings.HasPrefix(line, "printf ") || assigns.MatchString(line)
		local := strings.HasPrefix(line, "curl") && !strings.Contains(line, "https://")
		switch {
		case servers.MatchString(line) && !strings.Contains(line, "--check"):
			sh.serve(line)
		case local && sh.can("curl"), ours:
			want := 0
			if comment := exits.FindStringSubmatch(line); comment != nil {
				want, _ = strconv.Atoi(comment[1])
			}
			if code, output := sh.run(line); code != want {
				t.Errorf("%s\nexit %d, want %d: %s", line, code, want, output)
			}
		default:
			t.Logf("not run: %s", line)
			continue
		}
		ran++
	}
	sh.stopServer()
	return ran
}

// shell is one sh that reads commands line by line.
type shell struct {
	t     *testing.T
	dir   string
	stdin io.WriteCloser
	lines chan string
	// server is the process id of what runs in the background, 0 for nothing, and
	// at its address, where the text may name another.
	server int
	at     string
}

func startShell(t *testing.T) *shell {
	t.Helper()
	s := &shell{t: t, dir: t.TempDir(), lines: make(chan string, 1024)}
	cmd := exec.Command("sh")
	cmd.Dir = s.dir
	cmd.Env = cleanEnv("PATH="+filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+s.dir)
	var err error
	if s.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			s.lines <- scan.Text()
		}
	}()
	t.Cleanup(func() {
		s.stopServer()
		s.stdin.Close()
		kill := time.AfterFunc(stopTime, func() { cmd.Process.Kill() })
		defer kill.Stop()
		for range s.lines { // until the shell has closed them
		}
		cmd.Wait()
	})
	return s
}

// can reports whether a program is there.
func (s *shell) can(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// run runs a command and returns its exit code and what it printed.
func (s *shell) run(line string) (code int, output string) {
	s.t.Helper()
	const mark = "--- exit"
	if s.at != "" {
		line = listens.ReplaceAllString(line, "http://"+s.at)
	}
	if _, err := fmt.Fprintf(s.stdin, "%s\nprintf '\\n%s %%d\\n' \"$?\"\n", line, mark); err != nil {
		s.t.Fatal(err)
	}
	var printed []string
	for limit := time.After(commandTime); ; {
		select {
		case text, open := <-s.lines:
			if !open {
				s.t.Fatalf("%s\nended the shell", line)
			}
			if rest, marked := strings.CutPrefix(text, mark+" "); marked {
				code, err := strconv.Atoi(rest)
				if err != nil {
					s.t.Fatal(err)
				}
				return code, strings.Join(printed, "\n")
			}
			printed = append(printed, text)
		case <-limit:
			s.t.Fatalf("%s\nhas not ended after %v", line, commandTime)
		}
	}
}

// serve starts a server, which must answer within ten seconds. It runs until the
// next one or the end of the text.
func (s *shell) serve(line string) {
	s.t.Helper()
	s.stopServer()
	log := filepath.Join(s.dir, "server.log")
	line = strings.TrimSuffix(strings.TrimSpace(comments.ReplaceAllString(line, "")), "&")
	line = strings.ReplaceAll(line, "--addr localhost:8080", "--addr localhost:0") // two runs side by side
	code, output := s.run(line + " >server.log 2>&1 & echo $!")
	fields := strings.Fields(output)
	if code != 0 || len(fields) == 0 {
		s.t.Fatalf("%s\nexit %d: %s", line, code, output)
	}
	pid, err := strconv.Atoi(fields[len(fields)-1])
	if err != nil {
		s.t.Fatalf("%s: %v", line, err)
	}
	s.server = pid
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		said, err := os.ReadFile(log)
		if err != nil {
			continue
		}
		where := listens.FindStringSubmatch(string(said))
		if where == nil {
			continue
		}
		conn, err := net.DialTimeout("tcp", where[1], time.Second)
		if err != nil {
			continue
		}
		conn.Close()
		if resp, err := http.Get("http://" + where[1] + "/"); err == nil {
			resp.Body.Close()
			if resp.StatusCode < http.StatusInternalServerError { // a closed door answers too
				s.at = where[1]
				return
			}
		}
	}
	said, _ := os.ReadFile(log)
	s.t.Fatalf("%s\ndoes not answer: %s", line, said)
}

// stopServer ends the server by its id and waits for its exit code.
func (s *shell) stopServer() {
	s.t.Helper()
	if s.server == 0 {
		return
	}
	pid := s.server
	s.server, s.at = 0, ""
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(syscall.SIGTERM)
	}
	if err != nil {
		s.t.Errorf("the server had ended by itself: %v", err)
		return
	}
	if code, _ := s.run("wait " + strconv.Itoa(pid)); code != 0 {
		s.t.Errorf("the server stopped with exit %d", code)
	}
}
