package wire

import (
	"time"

	"github.com/hallpass-go/hallpass"
)

// Event is what happened besides uses.
type Event struct {
	ID        string             `json:"id"`
	At        string             `json:"at"`
	Kind      hallpass.EventKind `json:"kind"`
	Pass      string             `json:"pass,omitempty"`
	Scope     string             `json:"scope,omitempty"`
	Subject   string             `json:"subject,omitempty"`
	Batch     string             `json:"batch,omitempty"`
	Reason    hallpass.Refusal   `json:"reason,omitempty"`
	Actor     string             `json:"actor,omitempty"`
	Action    string             `json:"action,omitempty"`
	Detail    string             `json:"detail,omitempty"`
	ClientIP  string             `json:"client_ip,omitempty"`
	UserAgent string             `json:"user_agent,omitempty"`
	Method    string             `json:"method,omitempty"`
	Path      string             `json:"path,omitempty"`
}

// EventOf returns an event.
func EventOf(e hallpass.Event) Event {
	return Event{
		ID: e.ID, At: Time(e.At), Kind: e.Kind, Pass: e.Pass, Scope: string(e.Scope), Subject: e.Subject, Batch: e.Batch,
		Reason: e.Reason, Actor: e.Actor, Action: e.Action, Detail: e.Detail,
		ClientIP: e.ClientIP, UserAgent: e.UserAgent, Method: e.Method, Path: e.Path,
	}
}

// Events is a page of events.
type Events struct {
	Events []Event `json:"events"`
	Next   *string `json:"next"` // null means that there is no more
}

// EventPageOf returns a page.
func EventPageOf(page hallpass.EventPage) Events {
	out := Events{Events: make([]Event, 0, len(page.Events)), Next: cursor(page.Next)}
	for _, e := range page.Events {
		out.Events = append(out.Events, EventOf(e))
	}
	return out
}

// Seals is what verifying the seals of uses and events came to.
type Seals struct {
	Whole        bool        `json:"whole"`
	Sealed       bool        `json:"sealed"`
	Since        string      `json:"since,omitempty"`
	Until        string      `json:"until,omitempty"`
	UsesPruned   string      `json:"uses_pruned_before,omitempty"`
	EventsPruned string      `json:"events_pruned_before,omitempty"`
	Head         string      `json:"head,omitempty"`
	Seals        int64       `json:"seals"`
	Uses         int64       `json:"uses"`
	Events       int64       `json:"events"`
	UsesBefore   int64       `json:"uses_before"`
	EventsBefore int64       `json:"events_before"`
	FaultCount   int64       `json:"fault_count"`
	Faults       []SealFault `json:"faults"`
}

// SealFault is one thing that is not as it was sealed.
type SealFault struct {
	Kind   hallpass.SealFaultKind `json:"kind"`
	Minute string                 `json:"minute,omitempty"`
	Rows   string                 `json:"rows,omitempty"`
	Sealed int64                  `json:"sealed"`
	Found  int64                  `json:"found"`
}

// SealsOf returns a report.
func SealsOf(r hallpass.SealReport) Seals {
	out := Seals{
		Whole: r.Whole(), Sealed: r.Sealed, Since: Time(r.Since), Until: Time(r.Until),
		UsesPruned: Time(r.UsesPruned), EventsPruned: Time(r.EventsPruned), Head: r.Head,
		Seals: r.Seals, Uses: r.Uses, Events: r.Events, UsesBefore: r.UsesBefore, EventsBefore: r.EventsBefore, FaultCount: r.FaultCount, Faults: []SealFault{},
	}
	for _, f := range r.Faults {
		out.Faults = append(out.Faults, SealFault{Kind: f.Kind, Minute: Time(f.Minute), Rows: f.Rows, Sealed: f.Sealed, Found: f.Found})
	}
	return out
}

// ParseMoment reads a moment: a time as ParseTime does, or how long before now.
func ParseMoment(field, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := ParseDuration(field, text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return ParseTime(field, text)
}
