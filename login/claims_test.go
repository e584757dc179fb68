package login_test

import (
	"context"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

// A mail that could never be sent used to be tried again until its code had ended.
func TestClaimsThatHallpassSaysItselfEndAMailAtOnce(t *testing.T) {
	t.Parallel()
	events := make(chan mail.OutboxEvent, 10)
	s := newSite(t, func(cfg *login.Config) {
		cfg.Allow = func(context.Context, mail.Address) (login.Claims, error) {
			return login.Claims{"Email": "boss@example.com"}, nil
		}
		cfg.ObserveMail = func(e mail.OutboxEvent) { events <- e }
	})
	if a := s.app().post("/login/code", `{"email":"hugo@example.com"}`); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	select {
	case e := <-events:
		if e.Kind != mail.OutboxGivenUp {
			t.Errorf("the mail is %s", e.Kind)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nothing became of the mail")
	}
}

func TestReservedClaimsAreReservedInAnySpelling(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"email": true, "EMAIL": true, "iss": true, "Sub": true, "sub": false, "role": false} {
		if login.ReservedClaim(name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}
