package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

// child has a pass for the API made by another, and returns its id and token.
func (s *site) child(parent, body string) (id, token string) {
	s.t.Helper()
	got := s.call("POST", "/v1/passes", body, as(parent))
	if got.StatusCode != 201 {
		s.t.Fatalf("%d %s", got.StatusCode, got.body)
	}
	return got.text("id"), got.text("token")
}

// A pass made by a caller went on working when the caller was taken back.
func TestARevokedPassTakesWhatCameOfItAlong(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		child  string
		revoke func(s *site, parent hallpass.Issued) error
	}{
		{"alone", `{"scope":"hallpass:api","ttl":"2h"}`, func(s *site, parent hallpass.Issued) error {
			_, err := s.RevokePass(s.t.Context(), parent.Pass)
			return err
		}},
		{"with a group of its subject", `{"scope":"hallpass:api","ttl":"2h","format":"short"}`, func(s *site, parent hallpass.Issued) error {
			return s.RevokeGroup(s.t.Context(), hallpass.Revocation{Subject: "ada", Before: parent.IssuedAt.Add(time.Microsecond)})
		}},
		{"with a group of its batch", `{"scope":"hallpass:api","ttl":"2h","max_uses":100}`, func(s *site, parent hallpass.Issued) error {
			return s.RevokeGroup(s.t.Context(), hallpass.Revocation{Batch: "b", Before: parent.IssuedAt.Add(time.Microsecond)})
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			parent := s.issue(hallpass.Spec{Scope: hallpass.ScopeAPI, Subject: "ada", Batch: "b", TTL: 3 * time.Hour})
			time.Sleep(2 * time.Microsecond)
			id, token := s.child(parent.Token.Reveal(), row.child)
			_, grandchild := "", token
			if !strings.Contains(row.child, "max_uses") {
				_, grandchild = s.child(token, `{"scope":"hallpass:api","ttl":"1h","data":{"issue":{"scopes":["a"]}}}`)
			}
			shown := s.call("GET", "/v1/passes/"+id, "")
			if shown.text("subject") != "ada" || shown.text("batch") != "b" || !strings.Contains(shown.body, `"parents":["`+parent.ID+`"]`) {
				t.Errorf("subject, batch and parent are not those of the caller: %s", shown.body)
			}
			for _, token := range []string{token, grandchild} {
				if got := s.call("GET", "/v1/passes", "", as(token)); got.StatusCode != 200 {
					t.Fatalf("before: %d %s", got.StatusCode, got.body)
				}
			}
			if err := row.revoke(s, parent); err != nil {
				t.Fatal(err)
			}
			for _, token := range []string{token, grandchild} {
				if got := s.call("GET", "/v1/passes", "", as(token)); got.StatusCode != 401 || got.text("code") != "revoked" {
					t.Errorf("after: %d %s", got.StatusCode, got.body)
				}
				if got := s.call("POST", "/v1/verify", `{"token":"`+token+`"}`); got.text("reason") != "revoked" {
					t.Errorf("verify: %s", got.body)
				}
			}
			if shown := s.call("GET", "/v1/passes/"+id, ""); shown.text("state") != "revoked" {
				t.Errorf("shown: %s", shown.body)
			}
		})
	}
}

func TestPassesComeOfOneAnotherForFourGenerationsOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.token
	for _, ttl := range []string{"4h", "3h", "2h"} {
		_, token = s.child(token, `{"scope":"hallpass:api","ttl":"`+ttl+`"}`)
	}
	if got := s.call("POST", "/v1/passes", `{"scope":"hallpass:api","ttl":"1h"}`, as(token)); got.StatusCode != 403 {
		t.Errorf("a fifth generation: %d %s", got.StatusCode, got.body)
	}
	if got := s.call("POST", "/v1/passes", `{"scope":"a"}`, as(token)); got.StatusCode != 201 {
		t.Errorf("the fourth generation cannot issue: %d %s", got.StatusCode, got.body)
	}
}

// Extending somebody else's pass would be a way to outlive one's own revocation.
func TestNobodyExtendsAPassThatDidNotComeOfHis(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := s.issue(hallpass.Spec{Scope: hallpass.ScopeAPI, TTL: time.Hour})
	if got := s.call("PATCH", "/v1/passes/"+other.ID, `{"ttl":"2h"}`); got.StatusCode != 403 {
		t.Errorf("another's: %d %s", got.StatusCode, got.body)
	}
	id, _ := s.child(s.token, `{"scope":"hallpass:api","ttl":"1h"}`)
	got := s.call("PATCH", "/v1/passes/"+id, `{"ttl":"2h"}`)
	if got.StatusCode != 200 {
		t.Fatalf("his own: %d %s", got.StatusCode, got.body)
	}
	if got := s.call("GET", "/v1/passes", "", as(got.text("token"))); got.StatusCode != http.StatusOK {
		t.Errorf("the extended pass: %d %s", got.StatusCode, got.body)
	}
}
