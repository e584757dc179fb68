package django_test

import (
	"fmt"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
)

const siteKey = "the SECRET_KEY of a Django site, fifty characters.."

// A link that Django mailed goes on working here: its installation's key is marked
// for that format, and may carry one scope in one mode.
func ExampleScopedToken() {
	own, _ := hallpass.GenerateKey(hallpass.HS256)
	keys, _ := hallpass.NewKeyring(own)
	err := keys.AddForeign(hallpass.ForeignKey{
		ID: "site", Key: siteKey, Form: django.ScopedToken{},
		Scopes: []hallpass.Scope{"api"}, Modes: []hallpass.Mode{hallpass.ModeRequest},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	issuer, _ := hallpass.New(hallpass.Config{Keys: keys})

	// What the site's TokenManager made.
	key, _ := django.ParseKey(siteKey)
	token, _ := django.EncodeScopedToken(key, django.ScopedTokenSpec{
		User: "17", MaxAge: time.Hour, Endpoints: []django.Endpoint{{Method: "GET", Paths: []string{"/reports"}}},
	}, time.Now(), nil)

	for _, path := range []string{"/reports/7", "/reportsX"} {
		v, err := issuer.Verify(hallpass.Presentation{Token: hallpass.NewToken(token), Scope: "api", Method: "GET", Path: path})
		fmt.Println(path, v.Pass.Subject, v.Pass.Scope, err)
	}
	// Output:
	// /reports/7 17 api <nil>
	// /reportsX 17 api not_granted
}
