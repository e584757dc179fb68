package hallpasstest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/hallpasstest"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

func TestTheClockDecidesAboutExpiry(t *testing.T) {
	t.Parallel()
	start := time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)
	kit := hallpasstest.New(t, &hallpasstest.Options{Start: start, Change: func(c *hallpass.Config) { c.Instance = "test" }})
	token := kit.Token(hallpass.Spec{Scope: "report", TTL: time.Minute})
	check := func() error {
		_, _, err := kit.Check(t.Context(), hallpass.Presentation{Token: hallpass.NewToken(token), Scope: "report"})
		return err
	}
	if err := check(); err != nil || !kit.Now().Equal(start) {
		t.Errorf("at %s: %v", kit.Now(), err)
	}
	kit.Clock.Advance(time.Minute)
	if err := check(); !errors.Is(err, hallpass.RefusalExpired) {
		t.Errorf("after its time: %v", err)
	}
	kit.Clock.Set(start.Add(time.Second))
	if err := check(); err != nil {
		t.Errorf("back within it: %v", err)
	}
	pass, err := kit.Verify(hallpass.Presentation{Token: hallpass.NewToken(token)})
	if err != nil || !pass.Pass.ExpiresAt.Equal(start.Add(time.Minute)) {
		t.Errorf("%+v, %v", pass, err)
	}
}

func TestKitsShareNothing(t *testing.T) {
	t.Parallel()
	a, b := hallpasstest.New(t, nil), hallpasstest.New(t, nil)
	link := a.Link("https://example.com/x?tab=2", hallpass.Spec{Scope: "x"})
	if !strings.HasPrefix(link, "https://example.com/x?tab=2&rt=") {
		t.Errorf("Link = %s", link)
	}
	token, _ := hallpass.FindToken(link, "")
	if _, err := a.RedeemOnce(t.Context(), hallpass.Presentation{Token: token, Scope: "x"}, 200); err != nil {
		t.Error(err)
	}
	if _, err := b.RedeemOnce(t.Context(), hallpass.Presentation{Token: token, Scope: "x"}, 200); err == nil {
		t.Error("another kit honoured it")
	}
}

// failed is a test that a kit may fail. Like a real one it ends its goroutine.
type failed struct {
	testing.TB
	said string
}

func (f *failed) Helper()           {}
func (f *failed) Fatal(args ...any) { f.end(fmt.Sprint(args...)) }
func (f *failed) Fatalf(format string, args ...any) {
	f.end(fmt.Sprintf(format, args...))
}

func (f *failed) end(said string) {
	f.said = said
	panic(f)
}

// failure runs a function with a test of its own, and returns what that failed with.
func failure(t *testing.T, do func(t testing.TB)) string {
	f := &failed{TB: t}
	func() {
		defer func() {
			if got := recover(); got != nil && got != f {
				panic(got)
			}
		}()
		do(f)
	}()
	return f.said
}

func TestWhatCannotBeMadeFailsTheTest(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(testing.TB){
		"scope": func(t testing.TB) { hallpasstest.New(t, nil).Token(hallpass.Spec{}) },
		"url":   func(t testing.TB) { hallpasstest.New(t, nil).Link("mailto:x", hallpass.Spec{Scope: "x"}) },
		"session_ttl": func(t testing.TB) {
			hallpasstest.New(t, &hallpasstest.Options{Change: func(c *hallpass.Config) { c.SessionTTL = -1 }})
		},
	} {
		if got := failure(t, do); !strings.Contains(got, name) {
			t.Errorf("%s: failed with %q", name, got)
		}
	}
}

func message(id, to, text string) mail.Message {
	return mail.Message{ID: id, To: mail.Address(to), Subject: "s", Text: text}
}

func TestMailsAreTakenOneByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var box hallpasstest.Mailbox
		send := func(m mail.Message) {
			if err := box.Send(t.Context(), m); err != nil {
				t.Error(err)
			}
		}
		send(message("1", "ada@example.com", "one"))
		send(message("2", "bob@example.com", "two"))
		send(message("3", "ada@example.com", "three"))
		go func() {
			time.Sleep(hallpasstest.Patience - time.Second)
			send(message("4", "bob@example.com", "four"))
			send(message("5", "ada@example.com", "five"))
		}()
		for _, want := range []string{"one", "three", "five"} {
			if got := box.Next(t, "ada@example.com").Text; got != want {
				t.Errorf("ada got %q, want %q", got, want)
			}
		}
		for _, want := range []string{"two", "four"} {
			if got := box.Next(t, "bob@example.com").Text; got != want {
				t.Errorf("bob got %q, want %q", got, want)
			}
		}
		if got := failure(t, func(t testing.TB) { box.Next(t, "ada@example.com") }); got != "no further mail to ada@example.com arrived" {
			t.Errorf("failed with %q", got)
		}
		if all := box.All(); len(all) != 5 || all[2].ID != "3" {
			t.Errorf("All = %v", all)
		}
	})
}

func TestAMailboxRefusesAsASenderDoes(t *testing.T) {
	t.Parallel()
	var box hallpasstest.Mailbox
	if err := box.Send(t.Context(), message("1", "Ada", "x")); !errors.Is(err, mail.ErrRejected) {
		t.Errorf("no address: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := box.Send(ended, message("1", "ada@example.com", "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	away := errors.New("away")
	box.Fail(away)
	if err := box.Send(t.Context(), message("1", "ada@example.com", "x")); !errors.Is(err, away) {
		t.Errorf("while it is away: %v", err)
	}
	box.Fail(nil)
	if err := box.Send(t.Context(), message("1", "ada@example.com", "x")); err != nil || len(box.All()) != 1 {
		t.Errorf("afterwards: %v, %d mails", err, len(box.All()))
	}
}

func TestLinksAndCodesAreFound(t *testing.T) {
	t.Parallel()
	kit := hallpasstest.New(t, nil)
	link := kit.Link("https://example.com/in?a=b", hallpass.Spec{Scope: "x", Format: hallpass.FormatShort})
	m := hallpasstest.Mail{Message: mail.Message{Text: "Hello, see https://example.com/help (or http://example.org/a).\r\n\r\n 123456\r\n\r\nor\r\n\r\n" + link + "\r\n\r\n12345 is no code, nor is 99999999 here.\r\n"}}
	if diff := cmp.Diff([]string{"https://example.com/help", "http://example.org/a", link}, m.Links()); diff != "" {
		t.Error(diff)
	}
	if m.Link() != link || m.Code() != "123456" {
		t.Errorf("Link = %q, Code = %q", m.Link(), m.Code())
	}
	none := hallpasstest.Mail{Message: mail.Message{Text: "Nothing but https://example.com/ and 123 456."}}
	if none.Link() != "" || none.Code() != "" {
		t.Errorf("Link = %q, Code = %q", none.Link(), none.Code())
	}
	if text := fmt.Sprintf("%+v %v", m, m); strings.Contains(text, "123456") {
		t.Errorf("printed: %s", text)
	}
}

func TestAMailedLoginIsGoodUntilTheClockSaysOtherwise(t *testing.T) {
	t.Parallel()
	kit := hallpasstest.New(t, nil)
	l, err := login.New(login.Config{
		Issuer: kit.Issuer, AccessKeys: kit.AccessKeys, Cells: kit.Store, Sender: kit.Mail, BaseURL: "https://example.com",
		Allow: func(context.Context, mail.Address) (login.Claims, error) { return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	go l.Run(t.Context())
	begun, err := l.Begin(t.Context(), login.Start{Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	m := kit.Mail.Next(t, "ada@example.com")
	if link := m.Link(); !strings.HasPrefix(link, "https://example.com/login/link?token=") || link != m.Data["link"] || m.Code() != m.Data["code"] {
		t.Errorf("Link = %q, Code = %q", link, m.Code())
	}
	kit.Clock.Advance(10 * time.Minute)
	if _, err := l.ByCode(t.Context(), login.Entry{Code: m.Code(), Flow: begun.Flow}); !errors.Is(err, hallpass.RefusalExpired) {
		t.Errorf("the code after ten minutes: %v", err)
	}
}
