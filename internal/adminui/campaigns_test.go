package adminui_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

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
