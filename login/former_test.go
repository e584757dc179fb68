package login_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

const (
	djangoSecret = "a signing key that Django has and nobody else, 32 bytes and more"
	djangoCipher = "NoidrN9xFSQQXQVMfA3jt84YmlnEFP3rIc4w3Ml63Rw="
)

// djangoTokens are those of a real jwt-email-auth, as package django makes them.
func djangoTokens(t testing.TB, change func(*django.EmailAuthConfig)) *django.EmailAuth {
	t.Helper()
	cfg := django.EmailAuthConfig{SigningKey: djangoSecret}
	if change != nil {
		change(&cfg)
	}
	auth, err := django.NewEmailAuth(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

func formOf(codec login.TokenCodec) login.TokenForm {
	return login.TokenForm{Codec: codec, Identify: login.IdentifyByClaim("user_id")}
}

// movedFrom is a site that gives out hallpass's own tokens and used a form before.
func movedFrom(form login.TokenForm, more func(*login.Config)) func(*login.Config) {
	return func(c *login.Config) {
		c.Former = []login.TokenForm{form}
		if more != nil {
			more(c)
		}
	}
}

// keptForm is a site that goes on giving out the form's tokens.
func keptForm(form login.TokenForm, more func(*login.Config)) func(*login.Config) {
	return func(c *login.Config) {
		c.Tokens = &form
		c.Allow = func(context.Context, mail.Address) (login.Claims, error) {
			return login.Claims{"user_id": 7, "role": "reader"}, nil
		}
		if more != nil {
			more(c)
		}
	}
}

// refreshToken is one that Django made some time ago.
func (e *engine) refreshToken(auth *django.EmailAuth, age time.Duration, claims string) string {
	e.t.Helper()
	token, err := auth.Refresh(json.RawMessage(claims), e.clock.Now().Add(-age))
	if err != nil {
		e.t.Fatal(err)
	}
	return token
}

func TestAFormerRefreshTokenIsTakenOverOnce(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, nil)
	for name, change := range map[string]func(*login.Config){"our tokens": movedFrom(formOf(auth), nil), "the same form": keptForm(formOf(auth), nil)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, change)
			old := e.refreshToken(auth, 3*24*time.Hour, `{"user_id":7,"role":"reader"}`)
			tokens, err := e.Refresh(t.Context(), old)
			if err != nil {
				t.Fatal(err)
			}
			s := tokens.Session
			if s.Subject != "7" || s.Claims["role"] != "reader" || !s.Began.Equal(e.clock.Now().Add(-3*24*time.Hour)) {
				t.Errorf("the session is %+v", s)
			}
			if a, err := e.OpenAccess(tokens.Access.Reveal()); err != nil || a.Subject != "7" || a.Claims["role"] != "reader" {
				t.Errorf("the access token says %+v, %v", a, err)
			}
			e.clock.Pass(9 * time.Second)
			again, err := e.Refresh(t.Context(), old)
			if err != nil || again.Refresh.Reveal() != tokens.Refresh.Reveal() {
				t.Fatalf("within the grace the same successor is owed: %v", err)
			}
			next, err := e.Refresh(t.Context(), tokens.Refresh.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.Refresh(t.Context(), old)
			wantRefusal(t, err, hallpass.RefusalSpent)
			_, err = e.Refresh(t.Context(), next.Refresh.Reveal())
			wantRefusal(t, err, hallpass.RefusalRevoked)
			e.clock.Pass(10 * 24 * time.Hour) // the old one is still in time, and stays dead
			_, err = e.Refresh(t.Context(), old)
			wantRefusal(t, err, hallpass.RefusalRevoked)
		})
	}
}

func TestOfManyThatTakeOverAFormerTokenAtOnceAllGetOneSuccessor(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, nil)
	store, c := memstore.New(), &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	nodes := []*engine{engineOver(t, store, c, movedFrom(formOf(auth), nil)), engineOver(t, store, c, movedFrom(formOf(auth), nil))}
	old := nodes[0].refreshToken(auth, time.Hour, `{"user_id":7}`)
	var mu sync.Mutex
	successors := map[string]int{}
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			tokens, err := nodes[i%2].Refresh(context.Background(), old)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			successors[tokens.Refresh.Reveal()]++
		})
	}
	wg.Wait()
	sessions, _, err := nodes[0].Sessions(t.Context(), "7", "", 100)
	if err != nil || len(sessions) != 1 || len(successors) != 1 {
		t.Errorf("%d sessions and %d successors, want one of each; %v", len(sessions), len(successors), err)
	}
}

func TestWithoutGraceOneOfManyTakesAFormerTokenOver(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, nil)
	e := newEngine(t, movedFrom(formOf(auth), func(c *login.Config) { c.RefreshGrace = -1 }))
	old := e.refreshToken(auth, time.Hour, `{"user_id":7}`)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 60 {
		wg.Go(func() {
			_, err := e.Refresh(context.Background(), old)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if _, refused := hallpass.RefusalOf(err); !refused {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d won, want 1", won)
	}
}

func TestTheSameFormerTokenEncryptedAgainIsTheSame(t *testing.T) {
	t.Parallel()
	encrypted := func(c *django.EmailAuthConfig) { c.CipherKey = djangoCipher }
	auth := djangoTokens(t, encrypted)
	e := newEngine(t, movedFrom(formOf(auth), func(c *login.Config) { c.RefreshGrace = -1 }))
	one, two := e.refreshToken(auth, time.Hour, `{"user_id":7}`), e.refreshToken(auth, time.Hour, `{"user_id":7}`)
	if one == two {
		t.Fatal("the nonce is the same")
	}
	if _, err := e.Refresh(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	_, err := e.Refresh(t.Context(), two)
	wantRefusal(t, err, hallpass.RefusalSpent)
}

func TestAFormerTokenIsLoggedOutBeforeItWasEverUsed(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, nil)
	e := newEngine(t, movedFrom(formOf(auth), nil))
	old := e.refreshToken(auth, time.Hour, `{"user_id":7}`)
	for range 2 {
		if err := e.Logout(t.Context(), old); err != nil {
			t.Fatal(err)
		}
	}
	_, err := e.Refresh(t.Context(), old)
	wantRefusal(t, err, hallpass.RefusalRevoked)
	if _, err := e.Refresh(t.Context(), e.refreshToken(auth, time.Hour, `{"user_id":8}`)); err != nil {
		t.Errorf("another's token: %v", err)
	}

	parts := strings.Split(e.refreshToken(auth, 2*time.Hour, `{"user_id":7}`), ".")
	forged := parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	wantRefusal(t, e.Logout(t.Context(), forged), hallpass.RefusalBadSignature)
	if _, err := e.Refresh(t.Context(), strings.Join(parts, ".")); err != nil {
		t.Errorf("a forged logout ended a session: %v", err)
	}
}

func TestTheEndOfAFormerSessionOutlivesItsToken(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, func(c *django.EmailAuthConfig) { c.RefreshTTL = 60 * 24 * time.Hour })
	e := newEngine(t, movedFrom(formOf(auth), func(c *login.Config) { c.RefreshIdle = time.Hour; c.RefreshGrace = -1 }))
	old := e.refreshToken(auth, time.Hour, `{"user_id":7}`)
	if _, err := e.Refresh(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	e.clock.Pass(59 * 24 * time.Hour) // the session ended by idling, and its token lives
	_, err := e.Refresh(t.Context(), old)
	wantRefusal(t, err, hallpass.RefusalExpired)
}

func TestAFormerTokenIsAskedAboutLikeAnySession(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, nil)
	var asked login.Session
	e := newEngine(t, movedFrom(formOf(auth), func(c *login.Config) {
		c.StillAllowed = func(_ context.Context, s login.Session) (login.Claims, error) {
			asked = s
			if s.Subject == "9" {
				return nil, hallpass.RefusalUnknownSubject
			}
			return login.Claims{"role": "writer"}, nil
		}
	}))
	tokens, err := e.Refresh(t.Context(), e.refreshToken(auth, time.Hour, `{"user_id":7,"role":"reader","email":"hugo@example.com"}`))
	if err != nil || asked.Subject != "7" || asked.Claims["role"] != "reader" || tokens.Session.Claims["role"] != "writer" {
		t.Errorf("asked of %+v, got %+v, %v", asked, tokens.Session, err)
	}
	if _, there := asked.Claims["email"]; there {
		t.Error("a claim that is hallpass's own came in with the old token")
	}
	gone := e.refreshToken(auth, time.Hour, `{"user_id":9}`)
	_, err = e.Refresh(t.Context(), gone)
	wantRefusal(t, err, hallpass.RefusalUnknownSubject)
	_, err = e.Refresh(t.Context(), gone)
	wantRefusal(t, err, hallpass.RefusalRevoked)

	before := e.refreshToken(auth, time.Hour, `{"user_id":10}`)
	if err := e.issuer.RevokeGroup(t.Context(), hallpass.Revocation{Subject: "10"}); err != nil {
		t.Fatal(err)
	}
	_, err = e.Refresh(t.Context(), before)
	wantRefusal(t, err, hallpass.RefusalRevoked)
	capped := newEngine(t, movedFrom(formOf(auth), func(c *login.Config) { c.RefreshIdle, c.RefreshLife = 24*time.Hour, 48*time.Hour }))
	_, err = capped.Refresh(t.Context(), capped.refreshToken(auth, 48*time.Hour, `{"user_id":7}`))
	wantRefusal(t, err, hallpass.RefusalExpired)
}

// chained are the claims of a token that Django rotates.
func chained(place int) string {
	return fmt.Sprintf(`{"user_id":7,"sub":"a0000000-0000-4000-8000-000000000001","jti":%d}`, place)
}

func TestOfAFormerChainOnlyTheCurrentTokenIsTaken(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, nil)
	form := formOf(auth)
	e := newEngine(t, movedFrom(form, nil))
	_, err := e.Refresh(t.Context(), e.refreshToken(auth, time.Hour, chained(2)))
	wantRefusal(t, err, hallpass.RefusalUnknownPass) // nobody says whether it was logged out

	form.Current = func(_ context.Context, c login.Claims) (bool, error) { return c["jti"] == json.Number("2"), nil }
	e = newEngine(t, movedFrom(form, nil))
	stale, current := e.refreshToken(auth, 2*time.Hour, chained(1)), e.refreshToken(auth, time.Hour, chained(2))
	_, err = e.Refresh(t.Context(), stale)
	wantRefusal(t, err, hallpass.RefusalRevoked)
	tokens, err := e.Refresh(t.Context(), current)
	if err != nil {
		t.Fatal(err)
	}
	// Now an old one of the chain means a copy, as anywhere.
	_, err = e.Refresh(t.Context(), stale)
	wantRefusal(t, err, hallpass.RefusalSpent)
	_, err = e.Refresh(t.Context(), tokens.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalRevoked)

	form.Current = func(context.Context, login.Claims) (bool, error) {
		return false, errors.New("the old database is away")
	}
	e = newEngine(t, movedFrom(form, nil))
	if _, err := e.Refresh(t.Context(), e.refreshToken(auth, time.Hour, chained(2))); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("%v, want unavailable", err)
	}
}

func TestTokensOfAForeignFormNeverStandInForEachOther(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, nil)
	other := djangoTokens(t, func(c *django.EmailAuthConfig) { c.SigningKey = djangoSecret + "!" })
	e := newEngine(t, keptForm(formOf(auth), nil))
	tokens := e.session("hugo@example.com")
	now := e.clock.Now()
	theirs, err := auth.Access(json.RawMessage(`{"user_id":7}`), now)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"our access token": tokens.Access.Reveal(), "their access token": theirs} {
		if _, err := e.Refresh(t.Context(), token); !errors.Is(err, hallpass.RefusalWrongType) {
			t.Errorf("%s as a refresh token: %v", name, err)
		}
		if err := e.Logout(t.Context(), token); !errors.Is(err, hallpass.RefusalWrongType) {
			t.Errorf("%s at the logout: %v", name, err)
		}
	}
	for name, token := range map[string]string{
		"our refresh token": tokens.Refresh.Reveal(), "their refresh token": e.refreshToken(auth, 0, `{"user_id":7}`),
	} {
		if _, err := e.OpenAccess(token); !errors.Is(err, hallpass.RefusalWrongType) {
			t.Errorf("%s as an access token: %v", name, err)
		}
	}
	_, err = e.Refresh(t.Context(), e.refreshToken(other, 0, `{"user_id":7}`))
	wantRefusal(t, err, hallpass.RefusalBadSignature)
	_, err = e.Refresh(t.Context(), e.refreshToken(auth, 15*24*time.Hour, `{"user_id":7}`))
	wantRefusal(t, err, hallpass.RefusalExpired)
	_, err = e.Refresh(t.Context(), e.refreshToken(auth, 0, `{"role":"reader"}`))
	wantRefusal(t, err, hallpass.RefusalMissingClaim) // it says no user
	_, err = e.Refresh(t.Context(), strings.Repeat("a", 1<<20)+".b.c")
	wantRefusal(t, err, hallpass.RefusalMalformed)
	plain := newEngine(t, nil)
	if _, err := plain.Refresh(t.Context(), tokens.Refresh.Reveal()); err == nil {
		t.Error("a login without the form took its token")
	}
}

func TestTokensOfAForeignFormRotateLikeOurs(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, func(c *django.EmailAuthConfig) { c.ExpectedClaims = []string{"user_id"} })
	e := newEngine(t, keptForm(formOf(auth), func(c *login.Config) { c.ExpectedClaims = []string{"user_id"} }))
	first := e.session("hugo@example.com")
	says := func(open func(string, time.Time) (json.RawMessage, error), token hallpass.Token) string {
		t.Helper()
		claims, err := open(token.Reveal(), e.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return string(claims)
	}
	if got, want := says(auth.OpenAccess, first.Access), `{"type":"access","exp":1772366700,"iat":1772366400,"user_id":7,"role":"reader"}`; got != want {
		t.Errorf("the access token says %s, want %s", got, want)
	}
	want := `{"type":"refresh","exp":1773576000,"iat":1772366400,"sub":"` + first.Session.ID + `","jti":1,"user_id":7,"role":"reader"}`
	if got := says(auth.OpenRefresh, first.Refresh); got != want {
		t.Errorf("the refresh token says %s, want %s", got, want)
	}
	e.clock.Pass(time.Minute)
	second, err := e.Refresh(t.Context(), first.Refresh.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	e.clock.Pass(5 * time.Second)
	loser, err := e.Refresh(t.Context(), first.Refresh.Reveal())
	if err != nil || loser.Refresh.Reveal() != second.Refresh.Reveal() {
		t.Errorf("the loser of a race gets another successor, or %v", err)
	}
	e.clock.Pass(6 * time.Second)
	_, err = e.Refresh(t.Context(), first.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalSpent)
	_, err = e.Refresh(t.Context(), second.Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalRevoked)
}

func TestASessionGoesOnWhenTheFormChanges(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, nil)
	store, c := memstore.New(), &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	// Among the old form's claims are some that are hallpass's own in another.
	kept := engineOver(t, store, c, keptForm(formOf(auth), func(c *login.Config) {
		c.Allow = func(context.Context, mail.Address) (login.Claims, error) {
			return login.Claims{"user_id": 7, "email": "other@example.com", "scope": "all"}, nil
		}
	}))
	moved := engineOver(t, store, c, movedFrom(formOf(auth), func(c *login.Config) { c.UpdatableClaims = []string{"team"} }))
	tokens := kept.session("hugo@example.com")
	first := tokens
	tokens, err := kept.Refresh(t.Context(), first.Refresh.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	loser, err := moved.Refresh(t.Context(), first.Refresh.Reveal()) // both run while the site is moved
	if err != nil {
		t.Fatal(err)
	}
	if a, err := moved.OpenAccess(loser.Access.Reveal()); err != nil || a.Address != "hugo@example.com" || len(a.Claims) != 1 {
		t.Errorf("the access token of a race says %+v, %v", a, err)
	}
	ours, err := moved.Update(t.Context(), tokens.Refresh.Reveal(), login.Claims{"team": "a"})
	if err != nil || !strings.HasPrefix(ours.Refresh.Reveal(), "hpr_") || ours.Session.ID != tokens.Session.ID {
		t.Fatalf("to our tokens: %+v, %v", ours.Session, err)
	}
	if a, err := moved.OpenAccess(ours.Access.Reveal()); err != nil || a.Address != "hugo@example.com" || len(a.Claims) != 2 {
		t.Errorf("our access token says %+v, %v", a, err)
	}
	if _, err := moved.OpenAccess(tokens.Access.Reveal()); err != nil {
		t.Errorf("an access token that was given out before: %v", err)
	}
	back, err := kept.Refresh(t.Context(), ours.Refresh.Reveal())
	if err != nil || back.Session.ID != tokens.Session.ID {
		t.Errorf("and back: %+v, %v", back.Session, err)
	}
}

func TestClaimsThatAreAnotherUsersAreNeverSigned(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, nil)
	e := newEngine(t, keptForm(formOf(auth), func(c *login.Config) { c.UpdatableClaims = []string{"user_id", "role"} }))
	tokens := e.session("hugo@example.com")
	_, err := e.Update(t.Context(), tokens.Refresh.Reveal(), login.Claims{"user_id": 1})
	if field := (*hallpass.FieldError)(nil); !errors.As(err, &field) || field.Field != "data" {
		t.Errorf("a session became another user's: %v", err)
	}
	if tokens, err = e.Update(t.Context(), tokens.Refresh.Reveal(), login.Claims{"role": "writer"}); err != nil || tokens.Session.Claims["role"] != "writer" {
		t.Errorf("%+v, %v", tokens.Session, err)
	}
	e = newEngine(t, keptForm(formOf(auth), func(c *login.Config) {
		c.StillAllowed = func(_ context.Context, s login.Session) (login.Claims, error) {
			claims := maps.Clone(s.Claims)
			claims["user_id"] = 1
			return claims, nil
		}
	}))
	_, err = e.Refresh(t.Context(), e.session("hugo@example.com").Refresh.Reveal())
	wantRefusal(t, err, hallpass.RefusalWrongSubject)
}

func TestATokenFormIsCompleteOrRefused(t *testing.T) {
	t.Parallel()
	auth := djangoTokens(t, nil)
	for field, change := range map[string]func(*login.Config){
		"tokens.codec":     func(c *login.Config) { c.Tokens = &login.TokenForm{Identify: login.IdentifyByClaim("user_id")} },
		"tokens.identify":  func(c *login.Config) { c.Tokens = &login.TokenForm{Codec: auth} },
		"former.identify":  func(c *login.Config) { c.Former = []login.TokenForm{formOf(auth), {Codec: auth}} },
		"updatable_claims": func(c *login.Config) { f := formOf(auth); c.Tokens, c.UpdatableClaims = &f, []string{"type"} },
	} {
		var got *hallpass.FieldError
		if err := newWith(t, change); !errors.As(err, &got) || got.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
