// Command scs shows hallpass in front of an application that keeps its sessions
// with alexedwards/scs: a link signs its owner in, and another one acts for its
// owner without signing anybody in.
//
//	go run ./examples/scs
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/memstore"
)

// Sessions adapts an scs.SessionManager to the two hooks of a guard. Copy it: it
// is all there is to it.
type Sessions struct {
	Manager *scs.SessionManager
	// Key is where the user's id stands in the session.
	Key string
}

// SignedIn says who is signed in.
func (s Sessions) SignedIn(r *http.Request) (string, error) {
	return s.Manager.GetString(r.Context(), s.Key), nil
}

// Login starts a session. The new token is what stops session fixation: whatever
// session id the browser was given before is worth nothing afterwards.
func (s Sessions) Login(_ http.ResponseWriter, r *http.Request, pass hallpass.Pass) error {
	if err := s.Manager.RenewToken(r.Context()); err != nil {
		return err
	}
	s.Manager.Put(r.Context(), s.Key, pass.Subject)
	return nil
}

func main() {
	if err := run(context.Background(), "localhost:8081"); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string) error {
	handler, links, err := newSite(ctx, "http://"+addr)
	if err != nil {
		return err
	}
	for name, link := range links {
		fmt.Printf("%-12s %s\n", name, link)
	}
	server := &http.Server{Addr: addr, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// newSite returns the application and a link for each of its two doors.
func newSite(ctx context.Context, baseURL string) (http.Handler, map[string]string, error) {
	key, err := hallpass.GenerateKey(hallpass.HS256) // keep one in your secrets instead
	if err != nil {
		return nil, nil, err
	}
	keys, err := hallpass.NewKeyring(key)
	if err != nil {
		return nil, nil, err
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: keys, Store: memstore.New()})
	if err != nil {
		return nil, nil, err
	}
	sessions := Sessions{Manager: scs.New(), Key: "user"}
	g, err := guard.New(guard.Config{
		Issuer: issuer, BaseURL: baseURL, SignedIn: sessions.SignedIn, Login: sessions.Login,
	})
	if err != nil {
		return nil, nil, err
	}

	mux := http.NewServeMux()
	mux.Handle("/account", g.Require("login", &guard.Options{AllowSignedIn: true})(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			user, _ := sessions.SignedIn(r)
			fmt.Fprintf(w, "signed in as %s\n", user)
		})))
	mux.Handle("/rsvp", g.Require("rsvp", nil)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			guest, _ := guard.Subject(r.Context())
			fmt.Fprintf(w, "%s is coming\n", guest)
		})))

	links := map[string]string{}
	for page, spec := range map[string]hallpass.Spec{
		"/account": {Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo"},
		"/rsvp":    {Scope: "rsvp", Mode: hallpass.ModeRequest, Subject: "greta", MaxUses: 1},
	} {
		issued, err := issuer.Issue(ctx, spec)
		if err != nil {
			return nil, nil, err
		}
		if links[page], err = g.Link(page, issued.Token); err != nil {
			return nil, nil, err
		}
	}
	return sessions.Manager.LoadAndSave(mux), links, nil
}
