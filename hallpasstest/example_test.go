package hallpasstest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/hallpasstest"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

// An example has no test to fail; yours is the t of the test function.
type example struct{ testing.TB }

func (example) Helper()                  {}
func (example) Context() context.Context { return context.Background() }
func (example) Fatal(args ...any)        { log.Fatal(args...) }
func (example) Fatalf(f string, a ...any) {
	log.Fatalf(f, a...)
}

var t = example{}

// A link is good until its time is over, and the test need not wait for that.
func ExampleNew() {
	kit := hallpasstest.New(t, nil)
	g, err := guard.New(guard.Config{Issuer: kit.Issuer, BaseURL: "https://example.com"})
	if err != nil {
		t.Fatal(err)
	}
	report := g.Require("report", &guard.Options{Reads: true})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "the report")
	}))
	link := kit.Link("/report", hallpass.Spec{Scope: "report", TTL: time.Hour})
	for range 2 {
		w := httptest.NewRecorder()
		report.ServeHTTP(w, httptest.NewRequest(http.MethodGet, link, nil))
		fmt.Println(w.Code)
		kit.Clock.Advance(time.Hour)
	}
	// Output:
	// 200
	// 403
}

// A token for a program, in the header where it belongs.
func ExampleKit_Token() {
	kit := hallpasstest.New(t, nil)
	token := kit.Token(hallpass.Spec{Scope: "report", MaxUses: 1})
	for range 2 {
		_, err := kit.RedeemOnce(context.Background(), hallpass.Presentation{Token: hallpass.NewToken(token), Scope: "report"}, http.StatusOK)
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// spent
}

// Log in with the code of a mail that really was sent, by the worker that sends them.
func ExampleMailbox() {
	kit := hallpasstest.New(t, nil)
	l, err := login.New(login.Config{
		Issuer: kit.Issuer, AccessKeys: kit.AccessKeys, Cells: kit.Store, Sender: kit.Mail, BaseURL: "https://example.com",
		Allow: func(context.Context, mail.Address) (login.Claims, error) { return login.Claims{"role": "reader"}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go l.Run(ctx)

	begun, err := l.Begin(ctx, login.Start{Email: "Ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	m := kit.Mail.Next(t, "ada@example.com")
	who, err := l.ByCode(ctx, login.Entry{Code: m.Code(), Flow: begun.Flow})
	fmt.Println(who.Address, who.Claims["role"], err)
	// Output:
	// ada@example.com reader <nil>
}
