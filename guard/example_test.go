package guard_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// The program of the README: keys and passes in one SQLite file that the command
// line shares, a guarded route, and a token for it.
func ExampleGuard_Require() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "hallpass")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	store, err := sqlitestore.Open(ctx, filepath.Join(folder, "hallpass.db"), &sqlitestore.Options{Create: true})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	keys, _, err := keystore.Bootstrap(ctx, store, nil)
	if err != nil {
		panic(err)
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: keys.Keyring(), Instance: keys.Instance(), Store: store})
	if err != nil {
		panic(err)
	}
	g, err := guard.New(guard.Config{Issuer: issuer, BaseURL: "https://example.com"})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/report", g.Require("report", nil)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		subject, _ := guard.Subject(r.Context())
		fmt.Fprintf(w, "the report for %s", subject)
	})))
	server := httptest.NewServer(mux)
	defer server.Close()

	issued, err := issuer.Issue(ctx, hallpass.Spec{Scope: "report", Mode: hallpass.ModeRequest, Subject: "hugo", MaxUses: 1})
	if err != nil {
		panic(err)
	}
	for range 2 {
		req, err := http.NewRequest(http.MethodGet, server.URL+"/report", nil)
		if err != nil {
			panic(err)
		}
		req.Header.Set("Authorization", "Bearer "+issued.Token.Reveal())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			panic(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			panic(err)
		}
		if resp.StatusCode == http.StatusOK {
			fmt.Println(resp.StatusCode, string(body))
		} else {
			fmt.Println(resp.StatusCode, resp.Header.Get("WWW-Authenticate"))
		}
	}
	// Output:
	// 200 the report for hugo
	// 401 Bearer realm="hallpass", error="invalid_token", error_description="spent"
}

// A newsletter's mail, with the link for its reader and the headers by which mail
// programs unsubscribe with one click.
func ExampleListUnsubscribe() {
	for _, name := range []string{"List-Unsubscribe", "List-Unsubscribe-Post"} {
		fmt.Printf("%s: %s\n", name, guard.ListUnsubscribe("https://example.com/unsubscribe?rt=TOKEN")[name])
	}
	// Output:
	// List-Unsubscribe: <https://example.com/unsubscribe?rt=TOKEN>
	// List-Unsubscribe-Post: List-Unsubscribe=One-Click
}
