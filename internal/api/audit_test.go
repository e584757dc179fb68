package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

func TestUsesAndEventsAreFiltered(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, subject := range []string{"ada", "bob"} {
		issued := s.issue(hallpass.Spec{Mode: hallpass.ModeRequest, Subject: subject, MaxUses: 1})
		if _, err := s.RedeemOnce(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: "report"}, 200); err != nil {
			t.Fatal(err)
		}
	}
	for _, actor := range []string{"op-1", "op-2"} {
		if err := s.RecordAction(t.Context(), hallpass.Event{Actor: actor, Action: "pass.revoke"}); err != nil {
			t.Fatal(err)
		}
	}
	past, future := url.QueryEscape(wire.Time(time.Now().Add(-time.Hour))), url.QueryEscape(wire.Time(time.Now().Add(time.Hour)))
	for query, want := range map[string]int{
		"uses?subject=ada": 1, "uses?state=settled": 2, "uses?state=refunded": 0, "uses?subject=ada&state=pending": 0,
		"uses?since=" + past: 2, "uses?since=" + future: 0, "uses?until=" + past: 0, "uses?until=" + future + "&subject=bob": 1,
		"events": 2, "events?kind=admin": 2, "events?kind=refused": 0, "events?actor=op-1": 1, "events?reason=spent": 0,
		"events?since=" + future: 0, "events?until=" + future: 2, "events?pass=none": 0, "events?limit=1": 1,
	} {
		var page struct{ Uses, Events []json.RawMessage }
		if err := json.Unmarshal([]byte(s.call("GET", "/v1/"+query, "").body), &page); err != nil {
			t.Fatal(err)
		}
		if got := len(page.Uses) + len(page.Events); got != want {
			t.Errorf("%s: %d rows, want %d", query, got, want)
		}
	}
	for _, query := range []string{
		"uses?state=nonsense", "uses?since=yesterday", "uses?until=x", "uses?after=x", "events?kind=use", "events?reason=x", "events?since=x", "events?after=x", "events?limit=0",
	} {
		if got := s.call("GET", "/v1/"+query, ""); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", query, got.StatusCode)
		}
	}
}
