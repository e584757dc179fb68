package django_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/memstore"
)

// verifierOf is an issuer that takes the tokens of one foreign key, whose secret is
// fuzzSecret.
func verifierOf(t *testing.T, form hallpass.ForeignFormat, rows ...hallpass.Pass) *hallpass.Issuer {
	t.Helper()
	ring, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	err = ring.AddForeign(hallpass.ForeignKey{ID: "site", Key: fuzzSecret, Form: form, Scopes: []hallpass.Scope{"foo"}, Modes: allModes})
	if err != nil {
		t.Fatal(err)
	}
	store := memstore.New()
	for _, row := range rows {
		if err := store.Record(t.Context(), []hallpass.Entry{{Pass: row}}); err != nil {
			t.Fatal(err)
		}
	}
	now := func() time.Time { return time.Unix(1772366401, 0) }
	issuer, err := hallpass.New(hallpass.Config{Keys: ring, Store: store, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

func TestALinkOfAnotherSiteIsRefusedWhereTheSiteIsSaid(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, site, payload string
		want                error
	}{
		{"the site itself", "example.org", `{"jti":1,"iss":"example.org"}`, nil},
		{"another", "example.org", `{"jti":1,"iss":"example.net"}`, hallpass.RefusalWrongAudience},
		{"one below it", "example.org", `{"jti":1,"iss":"a.example.org"}`, hallpass.RefusalWrongAudience},
		{"an empty one", "example.org", `{"jti":1,"iss":""}`, hallpass.RefusalWrongAudience},
		{"none", "example.org", `{"jti":1}`, hallpass.RefusalMissingClaim},
		{"any, where none is said", "", `{"jti":1,"iss":"example.net"}`, nil},
	} {
		link := hallpass.Pass{ID: django.ExpiringLinkID("site", 1), Scope: "foo", Mode: hallpass.ModePublic, MaxUses: 5, Recorded: true, Key: "site"}
		issuer := verifierOf(t, django.ExpiringLinks{Site: row.site}, link)
		_, _, err := issuer.Check(t.Context(), hallpass.Presentation{Token: hallpass.NewToken(signJWT(row.payload)), Scope: "foo"})
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

// The package refuses the whole token; leaving the bad endpoint out would honour what
// it does not.
func TestOneEndpointThatIsNoPathRefusesTheToken(t *testing.T) {
	t.Parallel()
	issuer := verifierOf(t, django.ScopedToken{})
	for endpoints, good := range map[string]bool{
		`{"GET":["/a"]}`:              true,
		`{"GET":["/a","/b"]}`:         true,
		`{"GET":["/a","b"]}`:          false,
		`{"GET":["b","/a"]}`:          false,
		`{"GET":["/a",""]}`:           false,
		`{"GET":["/a",5]}`:            false,
		`{"GET":["/a"],"POST":["b"]}`: false,
		`{"GET":["/a"],"POST":"/b"}`:  false,
		`{"GET":["/a"],"TRACE":[]}`:   false,
	} {
		token := signValue(t, `{"user":17,"max_age":600,"endpoints":`+endpoints+`}`, false)
		_, err := issuer.Verify(hallpass.Presentation{Token: hallpass.NewToken(token)})
		if _, refused := hallpass.RefusalOf(err); refused == good {
			t.Errorf("%s: %v", endpoints, err)
		}
	}
}
