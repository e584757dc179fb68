package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/hallpass-go/hallpass"
)

// call is one step on one hash slot.
type call struct {
	// script, or else word, is what to run.
	script *script
	word   string
	keys   []string
	args   []string
	// again is the place of the argument that says "1" when the call is sent again
	// because its answer was lost; 0 for none. Every call may be sent again: it
	// either changes nothing the second time, or knows itself by a mark or a nonce.
	again int
	// read says that the call writes nothing, so that its caller may leave.
	read bool
}

var (
	errOverloaded = errors.New("too many calls wait already")
	errBroken     = errors.New("the server failed just now; it is tried again in a moment")
	errClosed     = errors.New("the store is closed")
	errReplicas   = errors.New("too few replicas have the write")
)

// run runs a call and returns its answer as texts.
//
// A writing call that was sent is not given up with ctx: its true outcome is
// returned, or ErrUnavailable when the server does not say it in time. Then it may
// have happened, once.
func (s *Store) run(ctx context.Context, what string, c call) ([]string, error) {
	leave, err := s.admit(ctx, what)
	if err != nil {
		return nil, err
	}
	defer leave()
	work := ctx
	if !c.read {
		work = context.WithoutCancel(ctx)
	}
	work, cancel := context.WithTimeout(work, s.cfg.timeout)
	defer cancel()
	return s.ask(ctx, work, what, c, 0)
}

// admit waits for a place among the calls under way.
func (s *Store) admit(ctx context.Context, what string) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closing.Load() {
		return nil, unavailable(what, errClosed)
	}
	leave = func() { <-s.admitted }
	select {
	case s.admitted <- struct{}{}:
		return leave, nil
	default:
	}
	patience := time.NewTimer(s.cfg.timeout)
	defer patience.Stop()
	select {
	case s.admitted <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-patience.C:
		return nil, unavailable(what, errOverloaded)
	}
}

// ask sends the call until it is answered or work ends. attempt is how often it
// was sent before.
func (s *Store) ask(ctx, work context.Context, what string, c call, attempt int) ([]string, error) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		if attempt > 0 && c.again > 0 {
			c.args[c.again-1] = "1"
		}
		cmd := s.command(c, false)
		b := s.breakerOf(cmd.Slot())
		if attempt == 0 && !b.allow() {
			return nil, unavailable(what, errBroken)
		}
		result, err := s.send(work, c, cmd)
		if err == nil {
			b.succeeded()
			return answerOf(result)
		}
		if !mayPass(err) {
			if _, answered := rueidis.IsRedisErr(err); answered {
				b.succeeded()
			}
			return nil, s.failure(ctx, what, err)
		}
		if c.read && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		b.failed()
		attempt++
		select {
		case <-work.Done():
			if c.read && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, unavailable(what, fmt.Errorf("no answer within %s: %v", s.cfg.timeout, err))
		case <-s.done:
			return nil, unavailable(what, errClosed)
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

// send sends the call once, with its text where the server does not know the
// script, and waits for the replicas where that is wanted.
func (s *Store) send(ctx context.Context, c call, cmd rueidis.Completed) (rueidis.RedisResult, error) {
	result, err := s.sendOne(ctx, c, cmd)
	if isNoScript(err) {
		return s.sendOne(ctx, c, s.command(c, true))
	}
	return result, err
}

func (s *Store) sendOne(ctx context.Context, c call, cmd rueidis.Completed) (rueidis.RedisResult, error) {
	if c.read || s.cfg.replicas == 0 {
		result := s.client.Do(ctx, cmd)
		return result, realError(result.Error())
	}
	patience := strconv.FormatInt(max(1, s.cfg.timeout.Milliseconds()/2), 10)
	// Blocking gives the two a connection of their own: WAIT waits for what its
	// connection wrote, and nobody waits behind it.
	wait := s.client.B().Arbitrary("WAIT").Args(strconv.Itoa(s.cfg.replicas), patience).Blocking()
	both := s.client.DoMulti(ctx, cmd, wait)
	if err := realError(both[0].Error()); err != nil {
		return both[0], err
	}
	have, err := both[1].AsInt64()
	if err == nil && have < int64(s.cfg.replicas) {
		err = errReplicas
	}
	return both[0], err
}

// command builds the call. It panics where keys are in several slots of a cluster.
func (s *Store) command(c call, whole bool) rueidis.Completed {
	n := int64(len(c.keys))
	switch {
	case c.script == nil:
		return s.client.B().Arbitrary(c.word).Keys(c.keys...).Args(c.args...).Build()
	case whole:
		return s.client.B().Eval().Script(c.script.body).Numkeys(n).Key(c.keys...).Arg(c.args...).Build()
	}
	return s.client.B().Evalsha().Sha1(c.script.sha).Numkeys(n).Key(c.keys...).Arg(c.args...).Build()
}

// together is how many calls travel in one pipeline.
const together = 200

// runAll runs independent calls in pipelines. Those that fail there are asked
// again one by one. The first error ends it.
func (s *Store) runAll(ctx context.Context, what string, calls []call) ([][]string, error) {
	answers := make([][]string, len(calls))
	if len(calls) == 0 {
		return answers, ctx.Err()
	}
	for from := 0; from < len(calls); from += together {
		if err := s.runSome(ctx, what, calls[from:min(from+together, len(calls))], answers[from:]); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func (s *Store) runSome(ctx context.Context, what string, calls []call, answers [][]string) error {
	if len(calls) == 1 || (s.cfg.replicas > 0 && !calls[0].read) {
		return s.runEach(ctx, what, calls, answers)
	}
	leave, err := s.admit(ctx, what)
	if err != nil {
		return err
	}
	defer leave()
	work := ctx
	if !calls[0].read {
		work = context.WithoutCancel(ctx)
	}
	work, cancel := context.WithTimeout(work, s.cfg.timeout)
	defer cancel()
	commands := make([]rueidis.Completed, len(calls))
	for i, c := range calls {
		commands[i] = s.command(c, false)
		if !s.breakerOf(commands[i].Slot()).allow() {
			return unavailable(what, errBroken)
		}
	}
	for i, result := range s.client.DoMulti(work, commands...) {
		err := realError(result.Error())
		switch {
		case err == nil:
			answers[i], err = answerOf(result)
		case mayPass(err), isNoScript(err):
			attempt := 1
			if isNoScript(err) {
				attempt = 0
			}
			answers[i], err = s.ask(ctx, work, what, calls[i], attempt)
		default:
			err = s.failure(ctx, what, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sideBySide is how many calls of one caller wait for the replicas at a time.
const sideBySide = 32

// runEach runs calls each on its own, because each has replicas to wait for.
func (s *Store) runEach(ctx context.Context, what string, calls []call, answers [][]string) error {
	errs := make([]error, len(calls))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(sideBySide, len(calls)) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(calls)); i = next.Add(1) - 1 {
				answers[i], errs[i] = s.run(ctx, what, calls[i])
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// answerOf is an answer as texts: none for nil, and "" for a nil in a list.
func answerOf(result rueidis.RedisResult) ([]string, error) {
	message, err := result.ToMessage()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable("read the answer", err)
	}
	switch {
	case message.IsArray():
		list, err := message.ToArray()
		if err != nil {
			return nil, unavailable("read the answer", err)
		}
		texts := make([]string, len(list))
		for i := range list {
			if list[i].IsNil() {
				continue
			}
			if texts[i], err = list[i].ToString(); err != nil {
				return nil, unavailable("read the answer", err)
			}
		}
		return texts, nil
	case message.IsInt64():
		n, err := message.ToInt64()
		return []string{strconv.FormatInt(n, 10)}, err
	}
	text, err := message.ToString()
	if err != nil {
		return nil, unavailable("read the answer", err)
	}
	return []string{text}, nil
}

func realError(err error) error {
	if rueidis.IsRedisNil(err) {
		return nil
	}
	return err
}

func isNoScript(err error) bool {
	answer, ok := rueidis.IsRedisErr(err)
	return ok && answer.IsNoScript()
}

// mayPass reports whether a failure may be over soon: the connection's, and those
// of a server that is starting or changing its part.
func mayPass(err error) bool {
	if answer, ok := rueidis.IsRedisErr(err); ok {
		text := answer.Error()
		for _, word := range []string{"LOADING", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "READONLY", "BUSY ", "MOVED", "ASK "} {
			if strings.HasPrefix(text, word) {
				return true
			}
		}
		return false
	}
	return !errors.Is(err, rueidis.ErrClosing) && !errors.Is(err, errReplicas)
}

// failure is what a caller gets for an error of the client.
func (s *Store) failure(ctx context.Context, what string, err error) error {
	switch {
	case s.closing.Load():
		return unavailable(what, errClosed)
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return ctx.Err()
	}
	return unavailable(what, err)
}

// unavailable wraps a failure. The cause is text alone: a deadline of ours must
// not look like the caller's, whose end would mean that nothing was written.
func unavailable(what string, cause error) error {
	return fmt.Errorf("%w: redis: %s: %v", hallpass.ErrUnavailable, what, cause)
}

func isUnavailable(err error) bool { return errors.Is(err, hallpass.ErrUnavailable) }
