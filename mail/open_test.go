package mail_test

import (
	"bytes"
	"errors"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/mailbox"
	"github.com/hallpass-go/hallpass/mail"
)

func TestADSNThatNamesNoSenderIsAFieldErrorAndNeverRepeated(t *testing.T) {
	t.Parallel()
	opts := &mail.OpenOptions{WebhookSecret: hookSecret}
	for _, dsn := range []string{
		"", "sesame", "SMTP://h?from=a@example.com", "log:sesame", "dir:", "dir", "dir:mails?from=a@example.com", "ftp://u:sesame@h",
		"smtp:h", "smtp:h?from=a@example.com", "smtp://", "smtp://?from=a@example.com", "smtp://h", "smtp://h:25",
		"smtp://h?from=sesame", "smtp://h?from=a@example.com,sesame@example.com", "smtp://u@h?from=a@example.com", "smtp://:sesame@h?from=a@example.com",
		"smtp://u:sesame@h/path?from=a@example.com", "smtp://u:sesame@h:0?from=a@example.com", "smtp://u:sesame@h:99999?from=a@example.com", "smtp://u:sesame@h:port?from=a@example.com",
		"smtp://u:ses#ame@h?from=a@example.com", "smtp://u:p?sesame@h?from=a@example.com", "smtp://u:p/sesame@h?from=a@example.com", "smtp://u:%sesame@h?from=a@example.com", "smtp://u:p@h?from=a@example.com&sesame",
		"smtp://u:p@h?from=a@example.com;sesame=1", "smtp://h?from=a@example.com&from=a@example.com", "smtp://h?from=a@example.com&sesame=1", "smtp://h?from=",
		"smtp://h?from=a@example.com&tls=sesame", "smtp://h?from=a@example.com&tls=implicit", "smtps://h?from=a@example.com&tls=none", "smtp://u:sesame@h?from=a@example.com&tls=none",
		"smtp://h?from=a@example.com&auth=plain", "smtp://u:sesame@h?from=a@example.com&auth=sesame", "smtp://h?from=a@example.com&envelope=sesame", "smtp://h?from=a@example.com&hello=ses%0D%0Aame",
		"smtp://h?from=a@example.com&conns=0", "smtp://h?from=a@example.com&conns=-1", "smtp://h?from=a@example.com&conns=sesame", "smtp://h?from=a@example.com&messages=0",
		"smtp://h?from=a@example.com&idle=0s", "smtp://h?from=a@example.com&idle=sesame", "smtp://h?from=a@example.com&connect=-1s", "smtp://h?from=a@example.com&command=7",
		"smtp://localhost?from=a@example.com&ca=/sesame.pem",
		"http://hooks.example.com/sesame", "https://", "https://u:sesame@hooks.example.com", "https://hooks.example.com/#sesame",
	} {
		sender, closeIt, err := mail.Open(dsn, opts)
		var field *hallpass.FieldError
		if !errors.As(err, &field) || field.Field != "mail" || strings.Contains(err.Error(), "sesame") || sender != nil {
			t.Errorf("Open(%q) = %v, want a FieldError of mail without the password", dsn, err)
		}
		if err := closeIt(); err != nil {
			t.Error(err)
		}
		if check := mail.Check(dsn, opts); check == nil || check.Error() != err.Error() {
			t.Errorf("Check(%q) = %v, want what Open says: %v", dsn, check, err)
		}
	}
	if err := mail.Check("https://hooks.example.com/x", nil); err == nil {
		t.Error("a webhook without a secret was taken")
	}
	if err := mail.Check("dir:x", &mail.OpenOptions{From: "nobody"}); err == nil {
		t.Error("a sender that is no address was taken")
	}
}

func TestCheckOpensNothing(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "mails")
	for _, dsn := range []string{
		"dir:" + folder, "log", "https://hooks.example.com/x?y=z", "smtp://smtp.invalid?ca=/no/such.pem", "smtps://hugo:a%23b@smtp.invalid:1465",
		"smtp://smtp.invalid?from=Example+<a%2Bb@example.com>&envelope=c@example.com&hello=me.example&tls=opportunistic&conns=2&messages=3&idle=1m&connect=2s&command=3s",
	} {
		if err := mail.Check(dsn, &mail.OpenOptions{From: "a@example.com", WebhookSecret: hookSecret}); err != nil {
			t.Errorf("Check(%q): %v", dsn, err)
		}
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Error("Check made the folder")
	}
}

func TestACAFileThatCannotBeReadIsAFieldError(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "sesame.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, empty + ".missing", t.TempDir()} {
		_, _, err := mail.Open("smtps://h?from=a@example.com&ca="+path, nil)
		var field *hallpass.FieldError
		if !errors.As(err, &field) || field.Field != "mail" || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%v, want a FieldError of mail", err)
		}
	}
}

func TestAMailServerIsOpenedByItsDSN(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*mailbox.Options{
		"plain":        nil,
		"STARTTLS":     {StartTLS: true, Username: "hugo", Password: "sesame"},
		"implicit TLS": {ImplicitTLS: true, Username: "hugo", Password: "sesame"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := mailbox.Start(t, opts)
			sender, closeIt, err := mail.Open(box.DSN("no-reply@example.com")+"&envelope=bounces@example.com&hello=me.example", nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := sender.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
				t.Fatal(err)
			}
			got := box.Wait(t, "hugo@example.com", 1)[0]
			if got.From != "bounces@example.com" || got.Hello != "me.example" || got.Header.Get("From") != "no-reply@example.com" || got.Encrypted != (opts != nil) {
				t.Errorf("envelope %q, hello %q, From %q, encrypted %v", got.From, got.Hello, got.Header.Get("From"), got.Encrypted)
			}
			if err := closeIt(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAFolderGetsAFileForEachMessage(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "mails")
	var mu sync.Mutex
	now := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Microsecond)
		return now
	}
	sender, closeIt, err := mail.Open("dir:"+folder, &mail.OpenOptions{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a@example.com", "b@example.com", "c@example.com"}
	for _, to := range want {
		if err := sender.Send(t.Context(), loginMail(mail.Address(to))); err != nil {
			t.Fatal(err)
		}
	}
	if err := closeIt(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
	files, err := os.ReadDir(folder) // in the order of their names
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		info, err := file.Info()
		if err != nil || info.Mode() != 0o600 || !strings.HasSuffix(file.Name(), ".eml") {
			t.Errorf("%s: mode %v, %v", file.Name(), info.Mode(), err)
		}
		content, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		m, err := netmail.ReadMessage(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.Header.Get("To"))
		if !bytes.Contains(content, []byte("\r\n"+code+"\r\n")) || m.Header.Get("Message-Id") == "" {
			t.Errorf("%s lacks the code or the id:\n%s", file.Name(), content)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("by name the files are to %v, want %v", got, want)
	}
}

func TestAHundredMessagesOfOneInstantAreAHundredWholeFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	sender, _, err := mail.Open("dir:"+folder, &mail.OpenOptions{Now: func() time.Time { return time.Unix(1, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var reader, writers sync.WaitGroup
	reader.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			files, _ := filepath.Glob(filepath.Join(folder, "*.eml"))
			for _, file := range files {
				if content, err := os.ReadFile(file); err != nil || !bytes.HasSuffix(content, []byte("--\r\n")) {
					t.Errorf("%s is not whole: %v", file, err)
					return
				}
			}
		}
	})
	for range 10 {
		writers.Go(func() {
			for range 10 {
				if err := sender.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	reader.Wait()
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 100 {
		t.Errorf("%d files, %v; want 100", len(files), err)
	}
}

func TestAFolderThatIsGoneMayComeBack(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "sesame")
	sender, _, err := mail.Open("dir:"+folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), loginMail("hugo@example.com")); err == nil || errors.Is(err, mail.ErrRejected) || strings.Contains(err.Error(), "sesame") {
		t.Errorf("Send: %v, want an error that may be retried", err)
	}
	file := filepath.Join(t.TempDir(), "sesame")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = mail.Open("dir:"+file, nil)
	var field *hallpass.FieldError
	if !errors.As(err, &field) || field.Field != "mail" || strings.Contains(err.Error(), "sesame") {
		t.Errorf("a file for a folder: %v, want a FieldError of mail", err)
	}
}

func TestTheLogShowsTheTextAndSteersNoTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	sender, _, err := mail.Open("log", &mail.OpenOptions{Log: &out})
	if err != nil {
		t.Fatal(err)
	}
	m := loginMail("hugo@example.com")
	m.Text += "\x1b[2J\u202eevil\rgone\r\nend\n"
	if err := sender.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"To: hugo@example.com\n", "\n" + code + "\n", link, "\ufffd[2J\ufffdevil\ufffdgone\nend\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, out.String())
		}
	}
	if strings.ContainsAny(out.String(), "\x1b\r\u202e") {
		t.Errorf("the log steers: %q", out.String())
	}
}
