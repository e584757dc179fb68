package login_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

func wantRefusal(t *testing.T, err error, want hallpass.Refusal) {
	t.Helper()
	if got, ok := hallpass.RefusalOf(err); !ok || got != want {
		t.Errorf("err = %v, want the refusal %s", err, want)
	}
}

func throttled(err error) (time.Duration, bool) {
	var t *login.Throttled
	if errors.As(err, &t) {
		return t.RetryAfter, true
	}
	return 0, false
}

func TestACodeProvesAnAddressOnce(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, code, link := e.begin(" Hugo@Example.com ")
	id, err := e.enter(begun.Flow, code[:3]+" "+code[3:], from(2))
	if err != nil {
		t.Fatal(err)
	}
	if id.Address != begun.Address || id.Subject != string(begun.Address) || id.Claims["role"] != "reader" || id.HandedOver {
		t.Errorf("identity = %+v", id)
	}
	_, err = e.enter(begun.Flow, code, from(2))
	wantRefusal(t, err, hallpass.RefusalSpent)
	_, err = e.ByLink(t.Context(), link, from(1))
	wantRefusal(t, err, hallpass.RefusalSpent)
}

func TestALinkProvesAnAddressOnceAndKillsTheCode(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, code, link := e.begin("hugo@example.com")
	if _, err := e.ByLink(t.Context(), link, from(1)); err != nil {
		t.Fatal(err)
	}
	_, err := e.ByLink(t.Context(), link, from(1))
	wantRefusal(t, err, hallpass.RefusalSpent)
	_, err = e.enter(begun.Flow, code, from(1))
	wantRefusal(t, err, hallpass.RefusalSpent)
}

func TestACodeEndsWithItsTime(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, code, link := e.begin("hugo@example.com")
	e.clock.Pass(10*time.Minute - time.Microsecond)
	if _, err := e.Look(t.Context(), link, ""); err != nil {
		t.Errorf("in its last moment: %v", err)
	}
	e.clock.Pass(time.Microsecond)
	_, err := e.enter(begun.Flow, code, from(1))
	wantRefusal(t, err, hallpass.RefusalExpired)
	_, err = e.ByLink(t.Context(), link, from(1))
	wantRefusal(t, err, hallpass.RefusalExpired)
}

func TestACodeOpensNothingWithoutItsFlow(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, code, link := e.begin("hugo@example.com")
	other, _, _ := e.begin("anna@example.com")
	for name, c := range map[string]struct {
		entry login.Entry
		want  hallpass.Refusal
	}{
		"no flow":           {login.Entry{Code: code}, hallpass.RefusalMissing},
		"another's flow":    {login.Entry{Flow: other.Flow, Code: code}, hallpass.RefusalBadSignature},
		"a link as flow":    {login.Entry{Flow: link, Code: code}, hallpass.RefusalMalformed},
		"a forged secret":   {login.Entry{Flow: begun.Flow[:len(begun.Flow)-1] + "A", Code: code}, hallpass.RefusalBadSignature},
		"an unknown flow":   {login.Entry{Flow: "f-AAAAAAAAAAAAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAAAAAAAAA", Code: code}, hallpass.RefusalUnknownPass},
		"lower case":        {login.Entry{Flow: "F" + begun.Flow[1:], Code: code}, hallpass.RefusalMalformed},
		"another's address": {login.Entry{Flow: begun.Flow, Email: "anna@example.com", Code: code}, hallpass.RefusalUnknownPass},
	} {
		if begun.Flow[len(begun.Flow)-1] == 'A' && name == "a forged secret" {
			c.entry.Flow = begun.Flow[:len(begun.Flow)-1] + "B"
		}
		_, err := e.ByCode(t.Context(), c.entry)
		if got, _ := hallpass.RefusalOf(err); got != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := e.ByLink(t.Context(), begun.Flow, from(1)); err == nil {
		t.Error("a flow token was taken for a link")
	}
	if _, err := e.enter(begun.Flow, code, from(1)); err != nil {
		t.Errorf("after all that the owner gets %v", err)
	}
}

func TestAnUnknownAddressGetsNoMailAndTheSameAnswer(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, err := e.Begin(t.Context(), login.Start{Email: "nobody@elsewhere.example", Client: from(1)})
	if err != nil || begun.Flow == "" || begun.Ends.IsZero() {
		t.Fatalf("%+v, %v", begun, err)
	}
	e.begin("hugo@example.com") // sent after it
	if n := e.outbox.count("nobody@elsewhere.example"); n != 0 {
		t.Errorf("%d mails to an address that may not log in", n)
	}
	_, err = e.enter(begun.Flow, "123456", from(1))
	wantRefusal(t, err, hallpass.RefusalBadSignature)
}

func TestAfterFiveTriesTheRightCodeIsTooLate(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, code, _ := e.begin("hugo@example.com")
	for i := range 5 {
		_, err := e.enter(begun.Flow, wrongCode(code, i), from(i))
		wantRefusal(t, err, hallpass.RefusalBadSignature)
	}
	_, err := e.enter(begun.Flow, code, from(9))
	wantRefusal(t, err, hallpass.RefusalSpent)
}

// guess enters wrong codes for one account from as many networks, over flows that
// are fresh each time, until n of them have been looked at, and returns the
// longest wait it was told.
func guess(t *testing.T, e *engine, email string, n int) (longest time.Duration) {
	t.Helper()
	network := 1000
	for looked := 0; looked < n; {
		network++
		begun, err := e.Begin(t.Context(), login.Start{Email: email, Client: from(network)})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if looked == n {
				break
			}
			_, err := e.enter(begun.Flow, "not a code", from(network+5000+looked))
			if wait, ok := throttled(err); ok {
				longest = max(longest, wait)
				e.clock.Pass(wait)
				continue
			}
			if errors.Is(err, hallpass.RefusalExpired) {
				break
			}
			wantRefusal(t, err, hallpass.RefusalBadSignature)
			looked++
		}
	}
	return longest
}

func TestAnAccountMakesGuessersWaitLongerAndLonger(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	if wait := guess(t, e, "hugo@example.com", 5); wait != 0 {
		t.Errorf("before the fifth failure there was a wait of %v", wait)
	}
	var waits []time.Duration
	for i := range 11 {
		begun, err := e.Begin(t.Context(), login.Start{Email: "hugo@example.com", Client: from(i)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.enter(begun.Flow, "nothing", from(i))
		wait, ok := throttled(err)
		if !ok {
			t.Fatalf("guess %d was looked at", i)
		}
		waits = append(waits, wait)
		e.clock.Pass(wait)
		_, err = e.enter(begun.Flow, "nothing", from(i))
		wantRefusal(t, err, hallpass.RefusalBadSignature)
	}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}
	for i, w := range want {
		if waits[i] != w*time.Second {
			t.Fatalf("waits %v, want %v seconds", waits, want)
		}
	}
}

func TestANewCodeDoesNotResetTheFailures(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	guess(t, e, "hugo@example.com", 5)
	begun, code, _ := e.begin("hugo@example.com")
	_, err := e.enter(begun.Flow, code, from(1))
	if wait, ok := throttled(err); !ok || wait != time.Second {
		t.Fatalf("the sixth attempt: %v, want a wait of a second", err)
	}
	e.clock.Pass(time.Second)
	if _, err := e.enter(begun.Flow, code, from(1)); err != nil {
		t.Errorf("after the wait the owner gets %v", err)
	}
}

func TestAfterAHundredFailuresOnlyTheLinkHelps(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) { c.Limits.AccountSends = -1; c.Limits.Forgive = 24 * time.Hour })
	guess(t, e, "hugo@example.com", 100)
	begun, code, link := e.begin("hugo@example.com")
	_, err := e.enter(begun.Flow, code, from(1))
	if wait, ok := throttled(err); !ok || wait < 23*time.Hour {
		t.Fatalf("the right code: %v, want a wait of a day", err)
	}
	if _, err := e.ByLink(t.Context(), link, from(1)); err != nil {
		t.Fatalf("the link: %v", err)
	}
	e.clock.Pass(time.Minute)
	begun, code, _ = e.begin("hugo@example.com")
	if _, err := e.enter(begun.Flow, code, from(1)); err != nil {
		t.Errorf("a code after the link was used: %v", err)
	}
}

func TestFailuresFallWithTime(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	guess(t, e, "hugo@example.com", 8)
	e.clock.Pass(4 * 15 * time.Minute)
	if wait := guess(t, e, "hugo@example.com", 1); wait != 0 {
		t.Errorf("an hour later there is a wait of %v", wait)
	}
	if wait := guess(t, e, "hugo@example.com", 1); wait != time.Second {
		t.Errorf("eight failures, four forgiven, one new: the next waits %v, want a second", wait)
	}
}

func TestOneNetworkCannotHammerManyAddresses(t *testing.T) {
	t.Parallel()
	blocked := make(chan login.Blocked, 1000)
	e := newEngine(t, func(c *login.Config) {
		c.Limits.NetworkSends = -1
		c.OnBlocked = func(b login.Blocked) { blocked <- b }
	})
	looked := 0
	for i := range 40 {
		begun, err := e.Begin(t.Context(), login.Start{Email: fmt.Sprintf("user%d@example.com", i), Client: from(i)})
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			if _, err := e.enter(begun.Flow, "nothing", from(7)); errors.Is(err, hallpass.RefusalBadSignature) {
				looked++
			}
		}
	}
	if looked != 60 {
		t.Errorf("%d guesses from one network were looked at, want 60", looked)
	}
	if b := <-blocked; b.What != "network" || b.Network != "10.0.0.7/32" {
		t.Errorf("OnBlocked got %+v", b)
	}
}

func TestOneNetworkCannotAskForMailsWithoutEnd(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	for i := range 61 {
		_, err := e.Begin(t.Context(), login.Start{Email: fmt.Sprintf("user%d@example.com", i), Client: from(7)})
		if _, ok := throttled(err); ok != (i == 60) {
			t.Fatalf("mail %d: %v", i, err)
		}
	}
}

func TestFifteenPeopleInOneOfficeLogIn(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	for i := range 15 {
		email := fmt.Sprintf("user%d@example.com", i)
		begun, code, _ := e.begin(email)
		for n := range 2 { // not all of them type well
			_, err := e.enter(begun.Flow, wrongCode(code, n), from(1))
			wantRefusal(t, err, hallpass.RefusalBadSignature)
		}
		if _, err := e.enter(begun.Flow, code, from(1)); err != nil {
			t.Errorf("%s: %v", email, err)
		}
	}
}

func TestAskingAgainSendsTheSameCodeAndGivesNoTryBack(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, code, _ := e.begin("hugo@example.com")
	for i := range 3 {
		_, _ = e.enter(begun.Flow, wrongCode(code, i), from(1))
	}
	again, err := e.Begin(t.Context(), login.Start{Email: "hugo@example.com", Flow: begun.Flow, Client: from(1)})
	if err != nil || again.Flow != begun.Flow {
		t.Fatalf("%+v, %v, want the same flow", again, err)
	}
	e.clock.Pass(time.Minute)
	if again, err = e.Begin(t.Context(), login.Start{Email: "hugo@example.com", Flow: begun.Flow, Client: from(1)}); err != nil {
		t.Fatal(err)
	}
	if m := e.outbox.wait(t, begun.Address, 2); m.Data["code"] != code || again.Flow != begun.Flow {
		t.Error("the second mail has another code")
	}
	if n := e.outbox.count(begun.Address); n != 2 {
		t.Errorf("%d mails, want 2: the one within a minute is not sent", n)
	}
	for range 2 {
		_, err = e.enter(begun.Flow, "nothing", from(1))
		wantRefusal(t, err, hallpass.RefusalBadSignature)
	}
	_, err = e.enter(begun.Flow, code, from(1))
	wantRefusal(t, err, hallpass.RefusalSpent)
}

func TestAnAddressGetsNoMoreMailsThanItsLimit(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	for i := range 30 {
		if _, err := e.Begin(t.Context(), login.Start{Email: "hugo@example.com", Client: from(i)}); err != nil {
			t.Fatal(err)
		}
	}
	e.outbox.wait(t, "hugo@example.com", 10)
	time.Sleep(50 * time.Millisecond) // for an eleventh
	if n := e.outbox.count("hugo@example.com"); n != 10 {
		t.Errorf("%d mails, want 10", n)
	}
}

func TestAThousandGuessesAtOnceAreNoMoreThanPermitted(t *testing.T) {
	t.Parallel()
	first := newEngine(t, nil)
	var flows []login.Begun
	for i := range 200 {
		begun, err := first.Begin(t.Context(), login.Start{Email: "hugo@example.com", Client: from(i)})
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, begun)
	}
	var looked, waits atomic.Int64
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			_, err := first.enter(flows[i%200].Flow, "nothing", from(1000+i))
			if _, ok := throttled(err); ok {
				waits.Add(1)
			} else if errors.Is(err, hallpass.RefusalBadSignature) {
				looked.Add(1)
			} else {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if looked.Load() != 5 || waits.Load() != 995 {
		t.Errorf("%d guesses were looked at and %d had to wait, want 5 and 995", looked.Load(), waits.Load())
	}
}

func TestOfManyWhoAreRightAtOnceOneGetsIn(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, code, link := e.begin("hugo@example.com")
	var in atomic.Int64
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = e.enter(begun.Flow, code, from(i))
			} else {
				_, err = e.ByLink(t.Context(), link, from(1))
			}
			if err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("%d got in", in.Load())
	}
}

func TestTheApplicationIsAskedAgainWhenTheCodeComesBack(t *testing.T) {
	t.Parallel()
	var gone atomic.Bool
	e := newEngine(t, func(c *login.Config) {
		c.Allow = func(context.Context, mail.Address) (login.Claims, error) {
			if gone.Load() {
				return nil, hallpass.RefusalUnknownSubject
			}
			return login.Claims{"sub": 42, "role": "x"}, nil
		}
	})
	begun, code, link := e.begin("hugo@example.com")
	gone.Store(true)
	_, err := e.enter(begun.Flow, code, from(1))
	wantRefusal(t, err, hallpass.RefusalUnknownSubject)
	_, err = e.ByLink(t.Context(), link, from(1))
	wantRefusal(t, err, hallpass.RefusalUnknownSubject)
	gone.Store(false)
	id, err := e.enter(begun.Flow, code, from(1))
	if err != nil || id.Subject != "42" || id.Claims["sub"] != nil {
		t.Errorf("%+v, %v; want subject 42", id, err)
	}
}

func TestARevocationReachesPendingCodes(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, code, link := e.begin("hugo@example.com")
	e.clock.Pass(time.Second)
	if err := e.issuer.RevokeGroup(t.Context(), hallpass.Revocation{Subject: "hugo@example.com"}); err != nil {
		t.Fatal(err)
	}
	_, err := e.enter(begun.Flow, code, from(1))
	wantRefusal(t, err, hallpass.RefusalRevoked)
	_, err = e.ByLink(t.Context(), link, from(1))
	wantRefusal(t, err, hallpass.RefusalRevoked)
}

func TestALinkOnAnotherDeviceShowsACodeForTheFirst(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, code, link := e.begin("hugo@example.com")
	here, err := e.Look(t.Context(), link, begun.Flow)
	if err != nil || !here.Here {
		t.Fatalf("%+v, %v", here, err)
	}
	elsewhere, err := e.Look(t.Context(), link, "")
	if err != nil || elsewhere.Here || elsewhere.Where.ClientIP != "10.0.0.1" {
		t.Fatalf("%+v, %v", elsewhere, err)
	}
	for i := range 5 { // tries that are all gone do not shut it out
		_, _ = e.enter(begun.Flow, wrongCode(code, i), from(i))
	}
	shown, ends, err := e.HandOver(t.Context(), link)
	if err != nil || len(shown) != 6 || !ends.Equal(e.clock.Now().Add(2*time.Minute)) {
		t.Fatalf("%q until %v, %v", shown, ends, err)
	}
	_, _, err = e.HandOver(t.Context(), link)
	wantRefusal(t, err, hallpass.RefusalSpent)
	id, err := e.enter(begun.Flow, shown, from(1))
	if err != nil || !id.HandedOver {
		t.Fatalf("%+v, %v", id, err)
	}
	_, err = e.ByLink(t.Context(), link, from(1))
	wantRefusal(t, err, hallpass.RefusalSpent)
}

func TestAHandedOverCodeEndsAndCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	begun, _, link := e.begin("hugo@example.com")
	shown, _, err := e.HandOver(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	e.clock.Pass(2 * time.Minute)
	_, err = e.enter(begun.Flow, shown, from(1))
	wantRefusal(t, err, hallpass.RefusalBadSignature)
	if _, err := e.ByLink(t.Context(), link, from(1)); err != nil {
		t.Errorf("continue here: %v", err)
	}

	off := newEngine(t, func(c *login.Config) { c.NoHandOver = true })
	_, _, link = off.begin("hugo@example.com")
	_, _, err = off.HandOver(t.Context(), link)
	wantRefusal(t, err, hallpass.RefusalNotGranted)
}

func TestAReviewAccountHasAFixedCode(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) { c.ReviewAccounts = map[mail.Address]string{"review@example.com": "271828"} })
	begun, _, _ := e.begin("review@example.com")
	if _, err := e.enter(begun.Flow, "271828", from(1)); err != nil {
		t.Error(err)
	}
	begun, _, _ = e.begin("hugo@example.com")
	if _, err := e.enter(begun.Flow, "271828", from(1)); err == nil {
		t.Error("the fixed code of one account opened another")
	}
}
