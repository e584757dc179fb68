package login_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

func TestARefreshTokenWorksOnce(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	first := e.session("hugo@example.com")
	e.clock.Pass(5 * time.Minute)
	second, err := e.Refresh(t.Context(), first.Refresh.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if second.Refresh.Reveal() == first.Refresh.Reveal() || second.Session.ID != first.Session.ID {
		t.Error("the refresh token did not change, or the session did")
	}
	e.clock.Pass(11 * time.Second)
	_, err = e.Refresh(t.Context(), first.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalSpent)
	_, err = e.Refresh(t.Context(), second.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalRevoked)
}

func TestAHundredRefreshesAtOnceGetOneSuccessor(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	first := e.session("hugo@example.com")
	var mu sync.Mutex
	got := map[string]int{}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			tokens, err := e.Refresh(t.Context(), first.Refresh.Reveal())
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			got[tokens.Refresh.Reveal()]++
		})
	}
	wg.Wait()
	if len(got) != 1 {
		t.Errorf("%d successors", len(got))
	}
	for next := range got {
		if _, err := e.Refresh(t.Context(), next); err != nil {
			t.Errorf("the successor: %v", err)
		}
	}
	_, err := e.Refresh(t.Context(), first.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalSpent) // two behind: no grace
}

func TestGraceGivesTheSameSuccessorAndEnds(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) { c.RefreshGrace = 20 * time.Second })
	first := e.session("hugo@example.com")
	second, err := e.Refresh(t.Context(), first.Refresh.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	e.clock.Pass(20*time.Second - time.Microsecond)
	again, err := e.Refresh(t.Context(), first.Refresh.Reveal())
	if err != nil || again.Refresh.Reveal() != second.Refresh.Reveal() {
		t.Fatalf("in its last moment: %v", err)
	}
	e.clock.Pass(time.Microsecond)
	_, err = e.Refresh(t.Context(), first.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalSpent)

	none := newEngine(t, func(c *login.Config) { c.RefreshGrace = -1 })
	first = none.session("hugo@example.com")
	if _, err := none.Refresh(t.Context(), first.Refresh.Reveal()); err != nil {
		t.Fatal(err)
	}
	_, err = none.Refresh(t.Context(), first.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalSpent)
}

func TestLogoutBeatsGraceAndNeedsARealToken(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	first := e.session("hugo@example.com")
	second, err := e.Refresh(t.Context(), first.Refresh.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(second.Refresh.Reveal(), "hpr_"))
	forged := append([]byte(nil), raw...)
	forged[len(forged)-1] ^= 1
	unsigned := `{"alg":"none"}.{"sid":"` + second.Session.ID + `"}.`
	for name, text := range map[string]string{
		"a forged MAC":     "hpr_" + base64.RawURLEncoding.EncodeToString(forged),
		"no MAC":           "hpr_" + base64.RawURLEncoding.EncodeToString(raw[:36]),
		"an unsigned JWT":  unsigned,
		"an access token":  second.Access.Reveal(),
		"another spelling": second.Refresh.Reveal() + "=",
		"a line break":     second.Refresh.Reveal() + "\n",
		"the session's id": second.Session.ID,
		"nothing":          "",
	} {
		if err := e.Logout(t.Context(), text); err == nil {
			t.Errorf("%s logged somebody out", name)
		}
	}
	if err := e.Logout(t.Context(), first.Refresh.Reveal()); err != nil {
		t.Fatal(err)
	}
	for _, token := range []hallpass.Token{first.Refresh, second.Refresh} {
		_, err = e.Refresh(t.Context(), token.Reveal())
		wantRefusal(t, err, hallpass.RefusalRevoked)
	}
	if err := e.Logout(t.Context(), second.Refresh.Reveal()); err != nil {
		t.Errorf("logging out twice: %v", err)
	}
}

func TestLogoutAndRefreshAtOnceEndTheSession(t *testing.T) {
	t.Parallel()
	for range 20 {
		e := newEngine(t, nil)
		tokens := e.session("hugo@example.com")
		var wg sync.WaitGroup
		var latest sync.Map
		for i := range 10 {
			wg.Go(func() {
				if i == 5 {
					if err := e.Logout(t.Context(), tokens.Refresh.Reveal()); err != nil {
						t.Error(err)
					}
					return
				}
				if next, err := e.Refresh(t.Context(), tokens.Refresh.Reveal()); err == nil {
					latest.Store(next.Refresh.Reveal(), true)
				}
			})
		}
		wg.Wait()
		for token := range latest.Range {
			_, err := e.Refresh(t.Context(), token.(string))
			wantRefusal(t, err, hallpass.RefusalRevoked)
		}
	}
}

func TestASessionEndsWhenIdleAndAtItsCap(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) { c.RefreshIdle, c.RefreshLife = time.Hour, 150*time.Minute })
	idle := e.session("hugo@example.com")
	e.clock.Pass(time.Hour)
	if _, err := e.Refresh(t.Context(), idle.Refresh.Reveal()); err == nil {
		t.Error("an idle session went on")
	}
	tokens := e.session("anna@example.com")
	for range 2 {
		e.clock.Pass(50 * time.Minute)
		var err error
		if tokens, err = e.Refresh(t.Context(), tokens.Refresh.Reveal()); err != nil {
			t.Fatal(err)
		}
	}
	if want := tokens.Session.Began.Add(150 * time.Minute); !tokens.RefreshEnds.Equal(want) {
		t.Errorf("it ends %v, want the cap %v", tokens.RefreshEnds, want)
	}
	e.clock.Pass(50 * time.Minute)
	if _, err := e.Refresh(t.Context(), tokens.Refresh.Reveal()); err == nil {
		t.Error("a session outlived its cap")
	}
}

func TestTheApplicationCanEndASessionAtRefresh(t *testing.T) {
	t.Parallel()
	var banned, down atomic.Bool
	e := newEngine(t, func(c *login.Config) {
		c.StillAllowed = func(_ context.Context, s login.Session) (login.Claims, error) {
			switch {
			case down.Load():
				return nil, context.DeadlineExceeded
			case banned.Load():
				return nil, hallpass.RefusalUnknownSubject
			}
			return login.Claims{"role": "editor"}, nil
		}
	})
	tokens := e.session("hugo@example.com")
	down.Store(true)
	if _, err := e.Refresh(t.Context(), tokens.Refresh.Reveal()); err == nil {
		t.Fatal("refreshed although the application could not say")
	}
	down.Store(false)
	tokens, err := e.Refresh(t.Context(), tokens.Refresh.Reveal())
	if err != nil || tokens.Session.Claims["role"] != "editor" {
		t.Fatalf("%v, %v", tokens.Session.Claims, err)
	}
	banned.Store(true)
	_, err = e.Refresh(t.Context(), tokens.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalUnknownSubject)
	banned.Store(false)
	_, err = e.Refresh(t.Context(), tokens.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalRevoked)
}

func TestARevocationReachesSessions(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	hugo, anna := e.session("hugo@example.com"), e.session("anna@example.com")
	e.clock.Pass(time.Second)
	if err := e.issuer.RevokeGroup(t.Context(), hallpass.Revocation{Subject: "hugo@example.com"}); err != nil {
		t.Fatal(err)
	}
	_, err := e.Refresh(t.Context(), hugo.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalRevoked)
	if _, err := e.Refresh(t.Context(), anna.Refresh.Reveal()); err != nil {
		t.Error(err)
	}
	e.clock.Pass(time.Minute)
	e.session("hugo@example.com") // a new login is after the cut
}

func TestClaimsAreUpdatedByTheListAlone(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) { c.UpdatableClaims = []string{"team"} })
	tokens := e.session("hugo@example.com")
	for _, data := range []login.Claims{{"role": "admin"}, {"email": "x@example.com"}, {"team": "a", "exp": 1}, {"iss": "me"}} {
		if _, err := e.Update(t.Context(), tokens.Refresh.Reveal(), data); err == nil {
			t.Errorf("%v was taken", data)
		}
	}
	next, err := e.Update(t.Context(), tokens.Refresh.Reveal(), login.Claims{"team": json.Number("12345678901234567890")})
	if err != nil {
		t.Fatal(err)
	}
	a, err := e.OpenAccess(next.Access.Reveal())
	if err != nil || a.Claims["team"] != json.Number("12345678901234567890") || a.Claims["role"] != "reader" {
		t.Errorf("%+v, %v", a.Claims, err)
	}
	next, err = e.Refresh(t.Context(), next.Refresh.Reveal())
	if err != nil || next.Session.Claims["team"] != json.Number("12345678901234567890") {
		t.Errorf("after the next refresh: %+v, %v", next.Session.Claims, err)
	}
}

func TestSessionsAreListedAndEndedPerUser(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	var hugo []string
	for range 3 {
		hugo = append([]string{e.session("hugo@example.com").Session.ID}, hugo...)
		e.clock.Pass(2 * time.Minute)
	}
	for _, name := range []string{"anna", "berta", "carla", "dora"} {
		e.session(mail.Address(name+"@example.com").Local() + "@example.com")
	}
	page, next, err := e.Sessions(t.Context(), "hugo@example.com", "", 2)
	if err != nil || len(page) != 2 || page[0].ID != hugo[0] || page[1].ID != hugo[1] {
		t.Fatalf("%v %v", page, err)
	}
	if page, next, err = e.Sessions(t.Context(), "hugo@example.com", next, 2); err != nil || len(page) != 1 || page[0].ID != hugo[2] || next != "" {
		t.Fatalf("%v %q %v", page, next, err)
	}
	seen, after := map[string]bool{}, ""
	for {
		page, next, err := e.Sessions(t.Context(), "", after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page {
			if seen[s.ID] {
				t.Errorf("session %s twice", s.ID)
			}
			seen[s.ID] = true
		}
		if after = next; after == "" {
			break
		}
	}
	if len(seen) != 7 {
		t.Errorf("%d sessions in all, want 7", len(seen))
	}
	if err := e.End(t.Context(), hugo[1]); err != nil {
		t.Fatal(err)
	}
	if n, err := e.EndAll(t.Context(), "hugo@example.com"); n != 2 || err != nil {
		t.Errorf("ended %d, %v; want 2", n, err)
	}
	if page, _, _ = e.Sessions(t.Context(), "hugo@example.com", "", 10); len(page) != 0 {
		t.Errorf("%d left", len(page))
	}
	if page, _, _ = e.Sessions(t.Context(), "anna@example.com", "", 10); len(page) != 1 {
		t.Error("somebody else's session ended")
	}
}

func TestAnAccessTokenSaysWhoAndNothingElseOpens(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	tokens := e.session("hugo@example.com")
	a, err := e.OpenAccess(tokens.Access.Reveal())
	if err != nil || a.Subject != "hugo@example.com" || a.Session != tokens.Session.ID || len(a.Claims) != 1 || a.Claims["role"] != "reader" {
		t.Fatalf("%+v, %v", a, err)
	}
	issued, err := e.issuer.Issue(t.Context(), hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	begun, _, link := e.begin("anna@example.com")
	others := map[string]string{
		"a refresh token": tokens.Refresh.Reveal(), "a pass": issued.Token.Reveal(), "a flow": begun.Flow, "a link": link,
	}
	for name, text := range others {
		if _, err := e.OpenAccess(text); err == nil {
			t.Errorf("%s was taken for an access token", name)
		}
	}
	others["an access token"] = tokens.Access.Reveal()
	delete(others, "a refresh token")
	for name, text := range others {
		if _, err := e.Refresh(t.Context(), text); err == nil {
			t.Errorf("%s was taken for a refresh token", name)
		}
	}
	for name, text := range map[string]string{"an access token": tokens.Access.Reveal(), "a refresh token": tokens.Refresh.Reveal(), "a flow": begun.Flow, "a link": link} {
		if _, err := e.issuer.Verify(hallpass.Presentation{Token: hallpass.NewToken(text)}); err == nil {
			t.Errorf("%s was taken for a pass", name)
		}
	}
	e.clock.Pass(5 * time.Minute)
	_, err = e.OpenAccess(tokens.Access.Reveal())
	wantRefusal(t, err, hallpass.RefusalExpired)
}

func TestAnAccessTokenIsForOneAudienceOfOneIssuer(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	token := e.session("hugo@example.com").Access.Reveal()
	for name, change := range map[string]func(*login.Config){
		"audience": func(c *login.Config) { c.Audience = "https://example.co" },
		"issuer":   func(c *login.Config) { c.IssuerURL = "https://example.com.evil" },
	} {
		_, err := newEngine(t, change).OpenAccess(token)
		if got, _ := hallpass.RefusalOf(err); got != hallpass.RefusalWrongAudience {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

func TestEncryptedAccessTokensHideTheirClaims(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef0123456789abcdef")
	e := newEngine(t, func(c *login.Config) { c.CipherKey = key })
	tokens := e.session("hugo@example.com")
	text := tokens.Access.Reveal()
	if strings.Count(text, ".") != 4 {
		t.Fatalf("%q is no JWE", text)
	}
	if a, err := e.OpenAccess(text); err != nil || a.Subject != "hugo@example.com" {
		t.Fatalf("%+v, %v", a, err)
	}
	plain := newEngine(t, nil)
	if _, err := plain.OpenAccess(text); err == nil {
		t.Error("opened without the key")
	}
	if _, err := e.OpenAccess(plain.session("hugo@example.com").Access.Reveal()); err == nil {
		t.Error("a plain token was taken where tokens are encrypted")
	}
	parts := strings.Split(text, ".")
	for name, bad := range map[string]string{
		"another key": func() string {
			return newEngineWithKey(t, "another key of thirty-two bytes!").session("hugo@example.com").Access.Reveal()
		}(),
		"another nonce": strings.Join([]string{parts[0], parts[1], "AAAAAAAAAAAAAAAA", parts[3], parts[4]}, "."),
		"padding":       text + "=",
		"compression":   base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir","cty":"JWT","enc":"A256GCM","zip":"DEF"}`)) + "." + strings.Join(parts[1:], "."),
		"a wrapped key": strings.Join([]string{parts[0], "AAAA", parts[2], parts[3], parts[4]}, "."),
	} {
		if _, err := e.OpenAccess(bad); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func newEngineWithKey(t *testing.T, key string) *engine {
	return newEngine(t, func(c *login.Config) { c.CipherKey = []byte(key) })
}

func TestOfTwoDifferentUpdatesAtOnceOneIsToldSo(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) { c.UpdatableClaims = []string{"team"} })
	tokens := e.session("hugo@example.com")
	if _, err := e.Update(t.Context(), tokens.Refresh.Reveal(), login.Claims{"team": "a"}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Update(t.Context(), tokens.Refresh.Reveal(), login.Claims{"team": "b"}); !errors.Is(err, hallpass.ErrConflict) {
		t.Errorf("the other update: %v, want a conflict", err)
	}
	again, err := e.Update(t.Context(), tokens.Refresh.Reveal(), login.Claims{"team": "a"})
	if err != nil || again.Session.Claims["team"] != "a" {
		t.Errorf("the same update after a lost answer: %v, %v", again.Session.Claims, err)
	}
}

func TestARevocationReachesASubjectByIdAndByAddress(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{"42", "hugo@example.com"} {
		e := newEngine(t, func(c *login.Config) {
			c.Allow = func(context.Context, mail.Address) (login.Claims, error) { return login.Claims{"sub": "42"}, nil }
		})
		tokens := e.session("hugo@example.com")
		e.clock.Pass(time.Minute)
		begun, code, _ := e.begin("hugo@example.com")
		e.clock.Pass(time.Second)
		if err := e.issuer.RevokeGroup(t.Context(), hallpass.Revocation{Subject: subject}); err != nil {
			t.Fatal(err)
		}
		_, err := e.Refresh(t.Context(), tokens.Refresh.Reveal())
		wantRefusal(t, err, hallpass.RefusalRevoked)
		_, err = e.enter(begun.Flow, code, from(1))
		wantRefusal(t, err, hallpass.RefusalRevoked)
	}
}

func TestWhatIsNoSessionIDEndsNothing(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	for _, id := range []string{"", "a", "../../x", strings.Repeat("A", 28)} {
		if err := e.End(t.Context(), id); !errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("End(%q) = %v, want ErrNotFound", id, err)
		}
	}
}

func TestATokenAlwaysFitsACookie(t *testing.T) {
	t.Parallel()
	for name, key := range map[string][]byte{"plain": nil, "encrypted": []byte("0123456789abcdef0123456789abcdef")} {
		tokens := newEngine(t, func(c *login.Config) {
			c.CipherKey = key
			c.Allow = func(context.Context, mail.Address) (login.Claims, error) { return login.Claims{"note": "x"}, nil }
			c.StillAllowed = func(_ context.Context, s login.Session) (login.Claims, error) {
				n, _ := s.Claims["note"].(string)
				return login.Claims{"note": n + strings.Repeat("x", 50)}, nil
			}
		})
		session, fitted := tokens.session("hugo@example.com"), 0
		for {
			next, err := tokens.Refresh(t.Context(), session.Refresh.Reveal())
			if err != nil {
				break // the claims no longer fit a token
			}
			session, fitted = next, fitted+1
		}
		// The cookie's name and attributes take less than 200 bytes.
		if n := len(session.Access.Reveal()); n > 4096-200 || fitted < 20 {
			t.Errorf("%s: the longest token has %d bytes, after %d refreshes", name, n, fitted)
		}
	}
}
