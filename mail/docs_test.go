package mail_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/mail"
)

func mailDocs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/mail.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheDocumentationListsEveryParameter(t *testing.T) {
	t.Parallel()
	docs := mailDocs(t)
	// The refusal of an unknown parameter names those that there are.
	err := mail.Check("smtp://h?from=a@example.com&unknown=1", nil)
	if err == nil {
		t.Fatal("an unknown parameter was taken")
	}
	_, list, found := strings.Cut(err.Error(), "there are ")
	names := strings.Split(list, ", ")
	if !found || len(names) < 5 {
		t.Fatalf("%v lists no parameters", err)
	}
	for _, name := range names {
		if !strings.Contains(docs, "\n| `"+name+"` |") {
			t.Errorf("docs/mail.md does not list %s", name)
		}
	}
	if got := strings.Count(docs[strings.Index(docs, "| parameter |"):strings.Index(docs, "The certificate is always")], "\n| `"); got != len(names) {
		t.Errorf("docs/mail.md lists %d parameters, want %d", got, len(names))
	}
	_, dsn, _ := strings.Cut(docs, "export HALLPASS_MAIL='")
	dsn, _, _ = strings.Cut(dsn, "'")
	if err := mail.Check(dsn, nil); err != nil {
		t.Errorf("the example %s: %v", dsn, err)
	}
}

func TestTheDocumentedReceiverTakesWhatIsSignedAndNothingElse(t *testing.T) {
	t.Parallel()
	python := needs.Python(t)
	_, program, _ := strings.Cut(mailDocs(t), "```python\n")
	program, _, _ = strings.Cut(program, "```")
	file := filepath.Join(t.TempDir(), "hook.py")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := needs.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free)
	addr := "127.0.0.1:" + port
	ctx, cancel := context.WithCancel(t.Context())
	receiver := exec.CommandContext(ctx, python, file)
	receiver.Env = append(os.Environ(), "HOOK_SECRET="+string(hookSecret), "PORT="+port)
	output, err := receiver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = receiver.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the receiver does not listen")
		}
	}
	for _, test := range []struct {
		name   string
		secret []byte
		now    time.Time
		want   error
	}{
		{"as it is sent", hookSecret, time.Now(), nil},
		{"another secret", []byte("another secret of thirty-two bytes"), time.Now(), mail.ErrRejected},
		{"an old one", hookSecret, time.Now().Add(-time.Hour), mail.ErrRejected},
	} {
		h, err := mail.NewWebhook(mail.WebhookConfig{URL: "http://" + addr + "/hook", Secret: test.secret, Now: func() time.Time { return test.now }})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Send(t.Context(), loginMail("hugo@example.com")); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if want := fmt.Sprintln("login for hugo@example.com"); err != nil || line != want {
		t.Errorf("the receiver printed %q, %v; want %q", line, err, want)
	}
}
