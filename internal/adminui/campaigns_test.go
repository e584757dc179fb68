package adminui_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

func TestCampaignsAreListedPageByPageAndLookedUp(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleViewer)
	if got := b.get("/campaigns"); strings.Contains(got.body, `id="f-batch"`) || !strings.Contains(got.body, "No campaign yet") {
		t.Errorf("without any: %s", got.body)
	}
	for n := range 120 {
		s.issue(hallpass.Spec{Scope: "act", Batch: fmt.Sprintf("campaign %d", n)})
	}
	if err := s.issuer.FlushStats(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	seen := map[string]bool{}
	for path := "/campaigns"; path != ""; {
		got := b.get(path)
		if got.status != http.StatusOK || len(sizes) > 5 {
			t.Fatalf("%s: status %d", path, got.status)
		}
		rows := strings.Split(got.body, `class="row-link" href="`)[1:]
		sizes = append(sizes, len(rows))
		for _, row := range rows {
			seen[row[:strings.IndexByte(row, '"')]] = true
		}
		path = ""
		if next := between(got.body, `rel="next" href="`, `"`); next != "" {
			path = strings.TrimPrefix(next, "/admin")
		}
	}
	if !slices.Equal(sizes, []int{50, 50, 20}) || len(seen) != 120 {
		t.Errorf("pages of %v, %d campaigns in all", sizes, len(seen))
	}
	if got := b.get("/campaigns?after=1"); !strings.Contains(got.body, "No more campaigns") {
		t.Errorf("behind the last: %s", got.body)
	}
	if got := b.get("/campaigns?after=x!"); got.status != http.StatusBadRequest {
		t.Errorf("a cursor that is none: status %d", got.status)
	}
}

func TestACampaignSaysHowManyExpiredAsFarAsItIsKnown(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleViewer)
	var ends time.Time
	for _, spec := range []hallpass.Spec{
		{Batch: "whole", TTL: time.Second}, {Batch: "whole", TTL: time.Second}, {Batch: "whole"},
		{Batch: "none"},
		{Batch: "some", TTL: time.Second}, {Batch: "some", TTL: time.Second, Unrecorded: true},
		{Batch: "unrecorded", TTL: time.Second, Unrecorded: true},
	} {
		spec.Scope = "act"
		if issued := s.issue(spec); issued.ExpiresAt.After(ends) {
			ends = issued.ExpiresAt
		}
	}
	time.Sleep(time.Until(ends) + 10*time.Millisecond)
	for batch, want := range map[string]string{
		"whole": "2", "none": "0", "some": "<small>at least</small> 1", "unrecorded": "<small>not known</small>",
	} {
		got := ""
		for deadline := time.Now().Add(20 * time.Second); got != want && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			got = between(b.get("/campaign?batch="+batch).body, "<dt>Expired</dt><dd>", "</dd>") // counters are written down some seconds later
		}
		if got != want {
			t.Errorf("%s: %s expired, want %s", batch, strings.TrimSpace(got), want)
		}
	}
}
