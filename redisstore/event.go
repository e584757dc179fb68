package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/hallpass-go/hallpass"
)

var (
	_ hallpass.EventStore   = (*Store)(nil)
	_ hallpass.IndexedStore = (*Store)(nil)
)

// maxEvents is how many events there may be. Redis has them in memory, and a server
// whose memory is full refuses redemptions, so strangers must not be able to fill
// it. What operators do is written beyond.
const maxEvents = 1_000_000

var errFull = errors.New("there are a million events, which is all that is kept here; prune them")

// Events are few beside uses, so all are in one slot: then a call writes all of its
// events or none, in a cluster too.
const (
	eventTag         = "{events}"
	allEventsIndex   = "a"
	kindEventIndex   = "k:"
	passEventIndex   = "p:"
	reasonEventIndex = "r:"
	actorEventIndex  = "o:"
)

func (k keys) events() string                       { return k.prefix + eventTag }
func (k keys) eventIndex(kind, value string) string { return k.prefix + eventTag + kind + value }

// eventIndexes are the index sets that an event is in, the one of all first.
func (k keys) eventIndexes(e *hallpass.Event) []string {
	all := []string{k.eventIndex(allEventsIndex, ""), k.eventIndex(kindEventIndex, string(e.Kind))}
	for _, x := range []struct{ kind, value string }{
		{passEventIndex, e.Pass}, {reasonEventIndex, string(e.Reason)}, {actorEventIndex, e.Actor},
	} {
		if x.value != "" {
			all = append(all, k.eventIndex(x.kind, x.value))
		}
	}
	return all
}

// eventForm is the form of an event's text.
const eventForm = "1"

func eventText(e *hallpass.Event) string {
	var b encoder
	for _, s := range []string{
		eventForm, stamp(micro(e.At)), string(e.Kind), e.Pass, string(e.Scope), e.Subject, e.Batch, string(e.Reason), e.Actor,
		e.Action, e.Detail, e.ClientIP, e.UserAgent, e.Method, e.Path,
	} {
		b.text(s)
	}
	return string(b)
}

func eventOf(id, text string) (hallpass.Event, error) {
	d := decoder{rest: text}
	if form := d.text(); form != eventForm {
		return hallpass.Event{}, fmt.Errorf("%w: form %q", errDamaged, form)
	}
	e := hallpass.Event{
		ID: id, At: d.time(), Kind: hallpass.EventKind(d.text()), Pass: d.text(), Scope: hallpass.Scope(d.text()),
		Subject: d.text(), Batch: d.text(), Reason: hallpass.Refusal(d.text()), Actor: d.text(), Action: d.text(),
		Detail: d.text(), ClientIP: d.text(), UserAgent: d.text(), Method: d.text(), Path: d.text(),
	}
	return e, d.err
}

// keyList are the keys of a script, each once.
type keyList struct {
	keys   []string
	places map[string]int
}

// place is where a key stands, as scripts count.
func (l *keyList) place(key string) string {
	at, there := l.places[key]
	if !there {
		if l.places == nil {
			l.places = make(map[string]int)
		}
		l.keys = append(l.keys, key)
		at = len(l.keys)
		l.places[key] = at
	}
	return strconv.Itoa(at)
}

// RecordEvents implements hallpass.EventStore. It is one script, for up to 20,000
// events; more of them are a *hallpass.FieldError. Once there are a million, events
// that no operator caused are refused with an error that wraps
// hallpass.ErrUnavailable until older ones were pruned.
func (s *Store) RecordEvents(ctx context.Context, events []hallpass.Event) error {
	if err := ctx.Err(); err != nil || len(events) == 0 {
		return err
	}
	if len(events) > maxRecord {
		return &hallpass.FieldError{Field: "events", Reason: fmt.Sprintf("are more than %d; record them in several calls", maxRecord)}
	}
	limit := s.maxEvents
	if slices.ContainsFunc(events, func(e hallpass.Event) bool { return e.Kind == hallpass.EventAdmin }) {
		limit = 0
	}
	var list keyList
	list.place(s.keys.events())
	args := []string{strconv.Itoa(limit)}
	for i := range events {
		in := s.keys.eventIndexes(&events[i])
		args = append(args, events[i].ID, eventText(&events[i]), strconv.Itoa(len(in)))
		for _, key := range in {
			args = append(args, list.place(key))
		}
	}
	answer, err := s.run(ctx, "record events", call{script: eventsScript, keys: list.keys, args: args})
	if err == nil && len(answer) == 1 && answer[0] == "full" {
		err = unavailable("record events", errFull)
	}
	return err
}

// Events implements hallpass.EventStore. It reads the index that is likely the
// shortest, and sorts out by the other filters.
func (s *Store) Events(ctx context.Context, q hallpass.EventQuery) ([]hallpass.Event, error) {
	index, filters := s.keys.eventIndex(allEventsIndex, ""), 0
	for _, x := range []struct{ kind, value string }{
		{kindEventIndex, string(q.Kind)}, {reasonEventIndex, string(q.Reason)}, {actorEventIndex, q.Actor}, {passEventIndex, q.Pass},
	} {
		if x.value != "" {
			index = s.keys.eventIndex(x.kind, x.value)
			filters++
		}
	}
	bound, from, chunk := "+", "-", q.Limit
	if q.After != "" {
		bound = "(" + q.After
	}
	if q.From != "" {
		from = "[" + q.From
	}
	if filters > 1 {
		chunk = max(chunk, 1000)
	}
	var found []hallpass.Event
	for {
		events, last, err := s.eventList(ctx, index, "ZREVRANGEBYLEX", bound, from, chunk)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			if q.Kind != "" && e.Kind != q.Kind || q.Pass != "" && e.Pass != q.Pass ||
				q.Reason != "" && e.Reason != q.Reason || q.Actor != "" && e.Actor != q.Actor {
				continue
			}
			if found = append(found, e); len(found) == q.Limit {
				return found, nil
			}
		}
		if last == "" {
			return found, nil
		}
		bound = "(" + last
	}
}

// eventList reads a piece of an index. last is where to go on, empty at the end.
func (s *Store) eventList(ctx context.Context, index, order, from, to string, limit int) (found []hallpass.Event, last string, err error) {
	answer, err := s.run(ctx, "list events", call{
		script: eventListScript, keys: []string{s.keys.events(), index}, args: []string{order, from, to, strconv.Itoa(limit)}, read: true,
	})
	if err != nil {
		return nil, "", err
	}
	for pair := range slices.Chunk(answer, 2) {
		if len(pair) < 2 {
			return nil, "", unavailable("list events", errDamaged)
		}
		e, err := eventOf(pair[0], pair[1])
		if err != nil {
			return nil, "", unavailable("list events", err)
		}
		found = append(found, e)
	}
	if len(found) == limit {
		last = found[limit-1].ID
	}
	return found, last, nil
}

// pruneEvents removes what a rule says, oldest first.
func (s *Store) pruneEvents(ctx context.Context, p hallpass.PruneRule, done *hallpass.Pruned) error {
	all := s.keys.eventIndex(allEventsIndex, "")
	for p.EventsBefore != "" {
		n, err := s.removeEvents(ctx, all, "("+p.EventsBefore, pruneChunk, done)
		if err != nil {
			return err
		}
		if n < pruneChunk {
			break
		}
	}
	if p.KeepEvents <= 0 {
		return nil
	}
	answer, err := s.run(ctx, "prune", call{word: "ZCARD", keys: []string{all}, read: true})
	if err != nil || len(answer) != 1 {
		return err
	}
	there, _ := strconv.ParseInt(answer[0], 10, 64)
	for excess := there - p.KeepEvents; excess > 0; {
		n, err := s.removeEvents(ctx, all, "+", int(min(excess, pruneChunk)), done)
		if err != nil || n == 0 {
			return err
		}
		excess -= int64(n)
	}
	return nil
}

// removeEvents removes up to limit of the oldest below a bound, and returns how many
// it found.
func (s *Store) removeEvents(ctx context.Context, all, bound string, limit int, done *hallpass.Pruned) (int, error) {
	events, _, err := s.eventList(ctx, all, "ZRANGEBYLEX", "-", bound, limit)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	var list keyList
	list.place(s.keys.events())
	var args []string
	for i := range events {
		in := s.keys.eventIndexes(&events[i])
		args = append(args, events[i].ID, strconv.Itoa(len(in)))
		for _, key := range in {
			args = append(args, list.place(key))
		}
	}
	answer, err := s.run(ctx, "prune", call{script: pruneEventsScript, keys: list.keys, args: args})
	if err != nil {
		return 0, err
	}
	if len(answer) == 1 {
		gone, _ := strconv.ParseInt(answer[0], 10, 64)
		done.Events += gone
	}
	return len(events), nil
}

// Indexes implements hallpass.IndexedStore: passes have an index by subject here.
func (s *Store) Indexes(ctx context.Context) ([]string, error) { return []string{"subject"}, ctx.Err() }
