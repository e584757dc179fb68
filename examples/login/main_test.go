package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/mail"
)

// letterbox is a mail.Sender that hands each message on.
type letterbox chan mail.Message

func (b letterbox) Send(ctx context.Context, m mail.Message) error {
	select {
	case b <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestTheMailedCodeOpensTheAccount(t *testing.T) {
	t.Parallel()
	letters := make(letterbox)
	var site http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	handler, err := newSite(t.Context(), server.URL, letters)
	if err != nil {
		t.Fatal(err)
	}
	site = handler

	begun, _ := send(t, "POST", server.URL+"/login/code", `{"email":"hugo@example.com"}`, nil)
	if begun.StatusCode != http.StatusNoContent {
		t.Fatalf("asking for a code: %s", begun.Status)
	}
	var letter mail.Message
	select {
	case letter = <-letters:
	case <-time.After(10 * time.Second):
		t.Fatal("no mail came")
	}
	body, err := json.Marshal(map[string]string{"email": "hugo@example.com", "code": letter.Data["code"]})
	if err != nil {
		t.Fatal(err)
	}
	_, answer := send(t, "POST", server.URL+"/login", string(body), http.Header{"Hallpass-Flow": begun.Header["Hallpass-Flow"]})
	var tokens struct{ Access string }
	if err := json.Unmarshal([]byte(answer), &tokens); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	if _, text := send(t, "GET", server.URL+"/account", "", http.Header{"Authorization": {"Bearer " + tokens.Access}}); text != "hugo@example.com, a reader\n" {
		t.Errorf("the account says %q", text)
	}
	if refused, _ := send(t, "GET", server.URL+"/account", "", nil); refused.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %s", refused.Status)
	}
	if _, keys := send(t, "GET", server.URL+"/.well-known/jwks.json", "", nil); !strings.Contains(keys, `"Ed25519"`) {
		t.Errorf("the published keys: %s", keys)
	}
}

func send(t *testing.T, method, target, body string, headers http.Header) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range headers {
		r.Header[name] = values
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}
