package api

import (
	"context"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type usesIn struct {
	Pass    string `query:"pass" doc:"Uses of this pass alone."`
	Subject string `query:"subject" doc:"Uses of this user's passes. A page may be short, or empty, and still have a next."`
	State   string `query:"state" enum:"pending,settled,refunded,forwarded,unknown" doc:"How they ended."`
	Since   string `query:"since" format:"date-time" doc:"From this time on."`
	Until   string `query:"until" format:"date-time" doc:"Before this time."`
	After   string `query:"after" doc:"The next of the page before."`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" doc:"How many at most; 50 unless given."`
}

func (a *API) uses(ctx context.Context, in *usesIn) (wire.Uses, error) {
	states := []hallpass.UseState{
		"", hallpass.UsePending, hallpass.UseSettled, hallpass.UseRefunded, hallpass.UseForwarded, hallpass.UseUnknown,
	}
	q := hallpass.UseQuery{Pass: in.Pass, Subject: in.Subject, State: hallpass.UseState(in.State), After: in.After, Limit: in.Limit}
	if !slices.Contains(states, q.State) {
		return wire.Uses{}, invalid("state", "must be pending, settled, refunded, forwarded or unknown")
	}
	var err error
	if q.Since, q.Until, err = between(in.Since, in.Until); err != nil {
		return wire.Uses{}, err
	}
	return a.listUses(ctx, q)
}

func (a *API) listUses(ctx context.Context, q hallpass.UseQuery) (wire.Uses, error) {
	page, err := a.issuer.Uses(ctx, q)
	return wire.UsePageOf(page), err
}

type eventsIn struct {
	Kind   string `query:"kind" enum:"refused,scanned,opened,login,admin" doc:"Events of this kind alone."`
	Pass   string `query:"pass" doc:"Events of this pass alone."`
	Reason string `query:"reason" doc:"Refusals for this reason alone."`
	Actor  string `query:"actor" doc:"What this operator did."`
	Since  string `query:"since" format:"date-time" doc:"From this time on."`
	Until  string `query:"until" format:"date-time" doc:"Before this time."`
	After  string `query:"after" doc:"The next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" doc:"How many at most; 50 unless given."`
}

func (a *API) events(ctx context.Context, in *eventsIn) (wire.Events, error) {
	f := hallpass.EventFilter{
		Kind: hallpass.EventKind(in.Kind), Pass: in.Pass, Reason: hallpass.Refusal(in.Reason), Actor: in.Actor,
		After: in.After, Limit: in.Limit,
	}
	switch {
	case f.Kind != "" && !slices.Contains(hallpass.EventKinds(), f.Kind):
		return wire.Events{}, invalid("kind", "must be refused, scanned, opened, login or admin")
	case f.Reason != "" && !slices.Contains(hallpass.Refusals(), f.Reason):
		return wire.Events{}, invalid("reason", "is none of the refusals")
	}
	var err error
	if f.Since, f.Until, err = between(in.Since, in.Until); err != nil {
		return wire.Events{}, err
	}
	page, err := a.issuer.Events(ctx, f)
	return wire.EventPageOf(page), err
}

// between reads the bounds of a range, both of which may be absent.
func between(since, until string) (from, to time.Time, err error) {
	if since != "" {
		if from, err = wire.ParseTime("since", since); err != nil {
			return from, to, err
		}
	}
	if until != "" {
		to, err = wire.ParseTime("until", until)
	}
	return from, to, err
}
