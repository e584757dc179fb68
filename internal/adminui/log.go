package adminui

import (
	"net/http"
	"strings"

	"github.com/hallpass-go/hallpass"
)

type usesView struct {
	frame
	Filters filters
	States  []hallpass.UseState
	Uses    []hallpass.Use
	Next    string
}

var (
	useFilters   = []string{"pass", "subject", "state", "since", "until"}
	eventFilters = []string{"kind", "reason", "pass", "actor", "since", "until"}
)

func useQuery(f filters) (q hallpass.UseQuery, err error) {
	q = hallpass.UseQuery{Pass: f["pass"], Subject: f["subject"]}
	if q.State, err = oneOf("state", f["state"], useStates...); err != nil {
		return q, err
	}
	if q.Since, err = timeOf("since", f["since"]); err != nil {
		return q, err
	}
	q.Until, err = timeOf("until", f["until"])
	return q, err
}

func (u *UI) uses(v *visit) error {
	f := read(v.URL.Query(), useFilters...)
	q, err := useQuery(f)
	if err != nil {
		return err
	}
	q.After, q.Limit = v.URL.Query().Get("after"), listed
	page, err := u.issuer.Uses(v.Context(), q)
	if err != nil {
		return err
	}
	return u.show(v, http.StatusOK, "uses", usesView{u.frame(v, "uses"), f, useStates, page.Uses, page.Next})
}

type eventsView struct {
	frame
	Filters filters
	Kinds   []hallpass.EventKind
	Reasons []hallpass.Refusal
	Events  []hallpass.Event
	Next    string
	Dropped int64
}

// Words says an event, State which stamp it has.
func (eventsView) Words(e hallpass.Event) string         { return eventWords(e) }
func (eventsView) StateOf(e hallpass.Event) string       { return eventState(e.Kind) }
func (eventsView) ReasonWords(r hallpass.Refusal) string { return refusalWords[r] }

// eventFor is whom or what an event was about, and the page of it.
type eventFor struct{ Name, URL string }

// For is the subject, or where there is none the campaign.
func (v eventsView) For(e hallpass.Event) eventFor {
	switch {
	case e.Subject != "" && e.Pass != "":
		return eventFor{e.Subject, v.PassURL(e.Pass)}
	case e.Subject != "":
		return eventFor{e.Subject, ""}
	case e.Batch != "":
		return eventFor{e.Batch, v.CampaignURL(e.Batch)}
	}
	return eventFor{}
}

func eventFilter(f filters) (out hallpass.EventFilter, err error) {
	out = hallpass.EventFilter{Pass: f["pass"], Actor: f["actor"]}
	if out.Kind, err = oneOf("kind", f["kind"], hallpass.EventKinds()...); err != nil {
		return out, err
	}
	if out.Reason, err = oneOf("reason", f["reason"], hallpass.Refusals()...); err != nil {
		return out, err
	}
	if out.Since, err = timeOf("since", f["since"]); err != nil {
		return out, err
	}
	out.Until, err = timeOf("until", f["until"])
	return out, err
}

func (u *UI) events(v *visit) error {
	f := read(v.URL.Query(), eventFilters...)
	filter, err := eventFilter(f)
	if err != nil {
		return err
	}
	filter.After, filter.Limit = v.URL.Query().Get("after"), listed
	page, err := u.issuer.Events(v.Context(), filter)
	if err != nil {
		return err
	}
	return u.show(v, http.StatusOK, "events", eventsView{
		u.frame(v, "events"), f, hallpass.EventKinds(), hallpass.Refusals(), page.Events, page.Next, u.issuer.DroppedEvents(),
	})
}

var kindWords = map[hallpass.EventKind]string{
	hallpass.EventRefused: "Refused",
	hallpass.EventScanned: "A machine looked",
	hallpass.EventOpened:  "Opened",
	hallpass.EventLogin:   "Signed in",
	hallpass.EventAdmin:   "Operator",
}

var actionWords = map[string]string{
	"admin.link": "Made a link into the admin", "admin.sign_in": "Signed in to the admin", "admin.sign_out": "Signed out of the admin",
	"pass.issue": "Issued a pass", "passes.issue": "Issued passes from a table", "passes.issued": "Finished a table",
	"pass.revoke": "Took a pass back", "passes.revoke": "Took a group back", "pass.link": "Had a link shown",
	"session.end": "Ended a session", "block.lift": "Lifted a block",
	"key.rotate": "Rotated the key", "key.retire": "Retired a key",
	"passes.export": "Exported passes", "uses.export": "Exported uses", "events.export": "Exported events",
}

func eventWords(e hallpass.Event) string {
	if done, failed := strings.CutSuffix(e.Action, failedSuffix); failed && e.Kind == hallpass.EventAdmin {
		e.Action = done
		return eventWords(e) + ", which failed"
	}
	if words := actionWords[e.Action]; e.Kind == hallpass.EventAdmin && words != "" {
		return words
	}
	if e.Kind == hallpass.EventAdmin && e.Action != "" {
		return e.Action
	}
	if words := kindWords[e.Kind]; words != "" {
		return words
	}
	return string(e.Kind)
}

// eventState is the stamp of a kind.
func eventState(kind hallpass.EventKind) string {
	switch kind {
	case hallpass.EventRefused:
		return "refused"
	case hallpass.EventLogin, hallpass.EventAdmin:
		return "done"
	}
	return ""
}
