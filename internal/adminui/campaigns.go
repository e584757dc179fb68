package adminui

import (
	"html/template"
	"net/http"
	"time"

	"github.com/hallpass-go/hallpass"
)

type campaignsView struct {
	frame
	hallpass.BatchPage
	// First says that this is the first page.
	First bool
}

// batches is how many campaigns a page has.
const batches = 50

func (u *UI) campaigns(v *visit) error {
	after := v.URL.Query().Get("after")
	page, err := u.issuer.Batches(v.Context(), after, batches)
	if err != nil {
		return err
	}
	return u.show(v, http.StatusOK, "campaigns", campaignsView{u.frame(v, "campaigns"), page, after == ""})
}

// stateCount counts the passes of a batch that the store knows.
type stateCount struct {
	State hallpass.State
	Count int
}

type campaignView struct {
	frame
	Stat   hallpass.BatchStat
	States []stateCount
	Looked int
	All    bool
	Group  template.URL
}

// Expired counts the passes that ended before they were used up, among those that were
// looked at.
func (v campaignView) Expired() int {
	for _, c := range v.States {
		if c.State == hallpass.StateExpired {
			return c.Count
		}
	}
	return 0
}

// Whole reports whether every pass of the campaign was looked at: unrecorded ones that
// nobody used, and those that were removed, are not in the store.
func (v campaignView) Whole() bool { return v.All && int64(v.Looked) >= v.Stat.Issued }

func (u *UI) campaign(v *visit) error {
	batch := v.URL.Query().Get("batch")
	if batch == "" {
		return u.redirect(v, "/campaigns")
	}
	view := campaignView{frame: u.frame(v, "campaigns"), Group: filters{"batch": batch}.Query()}
	var err error
	if view.Stat, err = u.issuer.BatchStat(v.Context(), batch); err != nil {
		return err
	}
	counts := map[hallpass.State]int{}
	f := hallpass.EntryFilter{Batch: batch, Limit: hallpass.MaxPage}
	for began := time.Now(); view.Looked < maxCount && !view.All && time.Since(began) < countTime; {
		page, err := u.issuer.Entries(v.Context(), f)
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			view.Looked++
			counts[e.State(view.Now)]++
		}
		f.After = page.Next
		view.All = page.Next == ""
	}
	for _, state := range states {
		view.States = append(view.States, stateCount{state, counts[state]})
	}
	return u.show(v, http.StatusOK, "campaign", view)
}
