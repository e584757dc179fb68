// Command login is an application whose users log in by e-mail. Mails are files in
// the folder mails.
//
//	go run ./examples/login
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

func main() {
	if err := run(context.Background(), "localhost:8082"); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string) error {
	sender, closeMail, err := mail.Open("dir:mails", nil)
	if err != nil {
		return err
	}
	defer closeMail()
	handler, err := newSite(ctx, "http://"+addr, sender)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/account, for *@example.com; mails are in the folder mails\n", addr)
	server := &http.Server{Addr: addr, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// newSite returns the application. What runs beside its requests ends with ctx.
func newSite(ctx context.Context, baseURL string, sender mail.Sender) (http.Handler, error) {
	store := memstore.New() // use one that outlives the process instead
	keys, _, err := keystore.Bootstrap(ctx, store, nil)
	if err != nil {
		return nil, err
	}
	if _, err := keys.Ensure(ctx, hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
		return nil, err
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: keys.Keyring(), Store: store, Instance: keys.Instance()})
	if err != nil {
		return nil, err
	}
	l, err := login.New(login.Config{
		Issuer: issuer, AccessKeys: keys.KeyringFor(hallpass.PurposeAccess), Cells: store, Sender: sender,
		BaseURL: baseURL, Allow: allow, Site: "Example",
	})
	if err != nil {
		return nil, err
	}
	go issuer.Run(ctx)    // writes what waits, hears of revocations
	go keys.Run(ctx, nil) // hears of new keys
	go l.Run(ctx)         // sends the mails

	mux := http.NewServeMux()
	mux.Handle("/login", l.Handler())
	mux.Handle("/login/", l.Handler())
	mux.Handle("/.well-known/jwks.json", l.JWKS())
	mux.Handle("/account", l.RequireLogin(http.HandlerFunc(account)))
	return mux, nil
}

// allow stands for a look into the user table.
func allow(_ context.Context, address mail.Address) (login.Claims, error) {
	if !strings.HasSuffix(string(address), "@example.com") {
		return nil, hallpass.RefusalUnknownSubject
	}
	return login.Claims{"role": "reader"}, nil
}

func account(w http.ResponseWriter, r *http.Request) {
	who, _ := login.FromContext(r.Context())
	fmt.Fprintf(w, "%s, a %s\n", who.Address, who.Claims["role"])
}
