package hallpass

import (
	"context"
	"fmt"
	"time"
)

// EventKind says what an Event tells of.
type EventKind string

const (
	// EventRefused: an authentic token was not honoured; Reason says why.
	EventRefused EventKind = "refused"
	// EventScanned: a machine looked at a link ahead of its reader: HEAD, a prefetch.
	EventScanned EventKind = "scanned"
	// EventOpened: the page that asks before a link is used was shown.
	EventOpened EventKind = "opened"
	// EventLogin: somebody was signed in.
	EventLogin EventKind = "login"
	// EventAdmin: an operator did something; Actor says who and Action what.
	EventAdmin EventKind = "admin"
)

// EventKinds lists every kind.
func EventKinds() []EventKind {
	return []EventKind{EventRefused, EventScanned, EventOpened, EventLogin, EventAdmin}
}

// Event is what happened besides uses. It never holds a token. Whatever stands in
// a text may have come from a stranger.
type Event struct {
	// ID is a UUIDv7 of ours, given when the event is written down.
	ID string
	// At is when it happened, in microseconds. The Issuer sets it where it is zero.
	At   time.Time
	Kind EventKind
	// Pass, Scope, Subject and Batch are those of the pass, as far as there is one.
	Pass    string
	Scope   Scope
	Subject string
	Batch   string
	// Reason is that of a refusal.
	Reason Refusal
	// Actor is who did it, where that is not the pass's subject: an operator.
	Actor string
	// Action names what an operator did, such as "pass.revoke".
	Action string
	// Detail says more, for people, in at most 1024 bytes.
	Detail string
	// ClientIP, UserAgent, Method and Path are those of a Use.
	ClientIP  string
	UserAgent string
	Method    string
	Path      string
}

// EventOf returns an event about a pass as it was presented.
func EventOf(kind EventKind, pass Pass, p Presentation) Event {
	return Event{
		Kind: kind, Pass: pass.ID, Scope: pass.Scope, Subject: pass.Subject, Batch: pass.Batch,
		ClientIP: p.ClientIP, UserAgent: p.UserAgent, Method: p.Method, Path: p.Path,
	}
}

// EventStore is what a Store can be besides: one that keeps events. Package
// storetest tests it where it is there. A store that wraps another one has
// Unwrap() Store instead.
type EventStore interface {
	// RecordEvents writes new events, all or none, durably. An ID that is already
	// there keeps its event, so repeating a call is a no-op.
	RecordEvents(ctx context.Context, events []Event) error

	// Events returns events newest first (by ID, falling), strictly after the
	// cursor, at most Limit.
	Events(ctx context.Context, q EventQuery) ([]Event, error)
}

// EventQuery selects events. Empty fields select all.
type EventQuery struct {
	Kind   EventKind
	Pass   string
	Reason Refusal
	Actor  string
	// From is the lowest ID that is wanted.
	From string
	// After is the ID of the last event already seen, or any other: what is returned
	// is lower. Empty is the start.
	After string
	// Limit is at least 1.
	Limit int
}

// EventFilter selects events. Empty fields select all.
type EventFilter struct {
	Kind   EventKind
	Pass   string
	Reason Refusal
	Actor  string
	// Since is the first moment and Until the first one that is too late; zero means
	// no bound. Events stand under the moment at which they were written down, some
	// seconds after At.
	Since, Until time.Time
	// After is the Next of the page before; empty starts at the newest.
	After string
	// Limit is the page's size, up to MaxPage. Defaults to 50.
	Limit int
}

// EventPage is a page of events, newest first.
type EventPage struct {
	Events []Event
	// Next continues behind this page; empty means that there is no more.
	Next string
}

// Events returns events newest first. A store that keeps none is ErrUnavailable.
func (i *Issuer) Events(ctx context.Context, f EventFilter) (EventPage, error) {
	limit, err := pageSize(f.Limit)
	if err != nil {
		return EventPage{}, err
	}
	after, err := pageStart(f.After, f.Until)
	if err != nil {
		return EventPage{}, err
	}
	events, err := i.eventStore()
	if err != nil {
		return EventPage{}, err
	}
	found, err := events.Events(ctx, EventQuery{
		Kind: f.Kind, Pass: f.Pass, Reason: f.Reason, Actor: f.Actor,
		From: firstID(f.Since), After: after, Limit: limit + 1,
	})
	if err != nil {
		return EventPage{}, storeError(ctx, "the events could not be listed", err)
	}
	page := EventPage{Events: found}
	if len(found) > limit {
		page.Events, page.Next = found[:limit], found[limit-1].ID
	}
	return page, nil
}

// RecordAction writes down what an operator did, durably, before it returns: an
// action that cannot be written down should not be done. Actor and Action are
// required; Kind is EventAdmin.
func (i *Issuer) RecordAction(ctx context.Context, e Event) error {
	switch {
	case e.Actor == "":
		return fieldErrorf("actor", "is required: who did it")
	case e.Action == "":
		return fieldErrorf("action", "is required: what was done")
	}
	events, err := i.eventStore()
	if err != nil {
		return err
	}
	e.Kind = EventAdmin
	e = i.eventToWrite(e)
	if err := events.RecordEvents(ctx, []Event{e}); err != nil {
		return storeError(ctx, "the action was not written down", err)
	}
	return nil
}

// eventToWrite gives the event its place.
func (i *Issuer) eventToWrite(e Event) Event {
	now := i.Now()
	if e.At.IsZero() {
		e.At = now
	}
	e.ID = newUUID(now)
	return cutEvent(e)
}

// cutEvent cuts what strangers may have sent.
func cutEvent(e Event) Event {
	e.At = atMicro(e.At)
	for _, text := range []struct {
		text  *string
		limit int
	}{
		{&e.Pass, 256}, {(*string)(&e.Scope), 512}, {&e.Subject, 512}, {&e.Batch, 512},
		{&e.Actor, 512}, {&e.Action, 128}, {&e.Detail, 1024},
		{&e.ClientIP, 64}, {&e.UserAgent, 512}, {&e.Method, 16}, {&e.Path, 1024},
	} {
		*text.text = cutText(*text.text, text.limit)
	}
	return e
}

// eventStore finds the EventStore in the store, or under what wraps it.
func (i *Issuer) eventStore() (EventStore, error) {
	store, err := i.store()
	if err != nil {
		return nil, err
	}
	if events, ok := asStore[EventStore](store); ok {
		return events, nil
	}
	return nil, fmt.Errorf("%w: this store keeps no events", ErrUnavailable)
}

// asStore looks for an optional interface in a store, or under what wraps it.
func asStore[T any](store Store) (found T, ok bool) {
	for store != nil {
		if found, ok = store.(T); ok {
			return found, true
		}
		wrapper, wraps := store.(interface{ Unwrap() Store })
		if !wraps {
			break
		}
		store = wrapper.Unwrap()
	}
	return found, false
}
