package mail_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/mailbox"
	"github.com/hallpass-go/hallpass/mail"
)

func TestProbeSaysWhetherMailsWouldBeTaken(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, &mailbox.Options{StartTLS: true, Username: "door", Password: password})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	smtp := func(who string) string {
		return "smtp://" + who + "127.0.0.1:" + strconv.Itoa(box.Port) + "?from=door@example.com&tls=starttls"
	}
	secret := []byte("a secret of at least thirty-two bytes")
	for name, tt := range map[string]struct {
		dsn, wrong string
	}{
		"a mail server with the right password": {smtp("door:correct%20horse%2Fbattery%3Fstaple@"), ""},
		"with another password":                 {smtp("door:wrong@"), "535"},
		"one that does not listen":              {"smtp://127.0.0.1:1?from=door@example.com", "connection refused"},
		"one that says nothing":                 {"smtp://" + taken.Addr().String() + "?from=door@example.com", ""},
		"a webhook that listens":                {"http://" + taken.Addr().String() + "/secret-path", ""},
		"a webhook that does not":               {"http://127.0.0.1:1/secret-path", "connecting to 127.0.0.1"},
		"a folder that is not there yet":        {"dir:" + filepath.Join(t.TempDir(), "mails"), ""},
		"a folder that is a file":               {"dir:" + file, "is no folder"},
		"the log":                               {"log", ""},
		"nothing that is known":                 {"carrier pigeon", "must be smtp://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := 20 * time.Second
			if name == "one that says nothing" {
				patience = time.Second
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			err := mail.Probe(ctx, tt.dsn, &mail.OpenOptions{RootCAs: box.RootCAs, WebhookSecret: secret})
			switch {
			case name == "one that says nothing":
				if err == nil {
					t.Error("it would take mails")
				}
			case tt.wrong == "" && err != nil, tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
				t.Errorf("%v, want %q", err, tt.wrong)
			}
			keepsSecrets(t, err)
			if err != nil && strings.Contains(err.Error(), "secret-path") {
				t.Errorf("the error repeats the path: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		if got := box.Messages(); len(got) != 0 {
			t.Errorf("%d mails were sent", len(got))
		}
	})
}
