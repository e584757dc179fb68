package api

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

const (
	// bulkChunk is how many lines are held in memory, and issued in one transaction.
	bulkChunk = 1000
	// bulkPause is how long a client may take to send or take the next lines.
	bulkPause = time.Minute
	bulkType  = "application/x-ndjson"
)

// bulkIn and bulkLine describe the request and a line of the answer.
type bulkIn struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"The same key and lines again, within 24 hours, give the same passes."`
}

// bulkBad is a line that could not be had.
type bulkBad struct {
	Line  int          `json:"line"`
	Error wire.Problem `json:"error"`
}

// addBulk makes the endpoint that streams both ways.
func (a *API) addBulk(doc *document, rt route) {
	describeLines[bulkIn, issueBody, wire.Issued](doc, rt)
	a.mux.HandleFunc(rt.method+" "+a.cfg.Prefix+rt.path, func(w http.ResponseWriter, r *http.Request) {
		caller, err := a.authenticate(r)
		if err != nil {
			a.refuseCaller(w, r, err)
			return
		}
		var in bulkIn
		if err := bindFields(r, &in); err != nil {
			a.fail(w, r, err)
			return
		}
		if err := checkType(r, bulkType); err != nil {
			a.fail(w, r, err)
			return
		}
		ctx := withCaller(r.Context(), caller)
		b := &bulk{api: a, request: r, in: bufio.NewReaderSize(r.Body, 64<<10), w: w, control: http.NewResponseController(w)}
		b.out = bufio.NewWriterSize(w, 64<<10)
		if in.IdempotencyKey != "" {
			if b.series, err = a.issuer.Series(ctx, caller.ID, in.IdempotencyKey); err != nil {
				a.fail(w, r, err)
				return
			}
		}
		if end := caller.ExpiresAt; !end.IsZero() {
			// A caller that has ended is not waited for. What is read is judged anyway.
			stop := time.AfterFunc(end.Sub(a.issuer.Now()), func() { _ = b.control.SetReadDeadline(time.Now()) })
			defer stop.Stop()
		}
		if err := b.run(ctx); err != nil && !b.begun {
			a.fail(w, r, err)
		} else if err != nil {
			a.cfg.Logger.WarnContext(ctx, "a bulk issue broke off", "lines", b.number, "error", err)
		}
	})
}

// bulk is one such request.
type bulk struct {
	api     *API
	request *http.Request
	series  *hallpass.Series
	in      *bufio.Reader
	out     *bufio.Writer
	w       http.ResponseWriter
	control *http.ResponseController
	number  int
	begun   bool // the status has been sent
	// refused is why the caller may not go on, since refusedAt. The lines that are
	// left are answered with it, for as long as a pause.
	refused   error
	refusedAt time.Time
}

// bulkLine is a line that asks for a pass, or why it gets none.
type bulkLine struct {
	number  int
	request wire.Request
	err     error
}

func (b *bulk) run(ctx context.Context) error {
	// Answers go out while lines come in; HTTP/1 servers must be told. Whoever
	// wraps the writer without a way to its inside has HTTP/1 half duplex.
	_ = b.control.EnableFullDuplex()
	for {
		_ = b.control.SetReadDeadline(b.patience())
		chunk, readErr := b.read(ctx)
		if len(chunk) == 0 && readErr == io.EOF {
			return b.atEnd()
		}
		undecided := b.judgeCaller()
		if len(chunk) > 0 {
			_ = b.control.SetWriteDeadline(time.Now().Add(bulkPause))
			if err := b.issue(ctx, b.spoiled(chunk, undecided)); err != nil {
				return err
			}
		}
		switch {
		case undecided != nil:
			return undecided
		case readErr == io.EOF:
			return nil
		case b.refused != nil && (readErr != nil || time.Since(b.refusedAt) > bulkPause):
			return b.leave()
		case readErr != nil:
			return bodyError(readErr)
		}
	}
}

// patience is until when lines are waited for.
func (b *bulk) patience() time.Time {
	if b.refused != nil {
		return b.refusedAt.Add(bulkPause)
	}
	return time.Now().Add(bulkPause)
}

func (b *bulk) atEnd() error {
	if !b.begun {
		return invalid("body", "is empty; it holds a pass a line, as JSON")
	}
	return nil
}

// leave ends the answer before the request has, and says why in place of the next
// line.
func (b *bulk) leave() error {
	if !b.begun {
		return b.refused
	}
	if err := wire.Write(b.out, bulkBad{b.number + 1, problemOf(b.refused)}); err != nil {
		return err
	}
	return b.out.Flush()
}

// judgeCaller looks whether the caller is still good, for a request may outlive a
// revocation. Its error means that nobody knows.
func (b *bulk) judgeCaller() (undecided error) {
	if b.refused != nil {
		return nil
	}
	err := b.api.recheck(b.request)
	refusal, refused := hallpass.RefusalOf(err)
	if !refused {
		return err
	}
	b.refusedAt = time.Now()
	b.refused = &failure{
		status: http.StatusUnauthorized, code: string(refusal.Public()), cause: refusal,
		detail: "the bearer token is not good any more: " + string(refusal.Public()),
	}
	return nil
}

// spoiled gives every line the reason why none of them is issued, if there is one.
func (b *bulk) spoiled(chunk []bulkLine, undecided error) []bulkLine {
	reason := cmp.Or(b.refused, undecided)
	for n := range chunk {
		if reason != nil {
			chunk[n].err = reason
		}
	}
	return chunk
}

// read returns the lines that are there, at least one and at most a chunk.
func (b *bulk) read(ctx context.Context) (chunk []bulkLine, err error) {
	for len(chunk) < bulkChunk && (len(chunk) == 0 || b.in.Buffered() > 0) {
		text, err := b.readLine()
		if err != nil && (err != io.EOF || text == "") && !errors.Is(err, errLongLine) {
			return chunk, err
		}
		b.number++
		line := bulkLine{number: b.number}
		switch {
		case errors.Is(err, errLongLine):
			line.err = errTooLarge
		case strings.TrimSpace(text) == "":
			continue
		default:
			var body issueBody
			line.err = decodeJSON(text, &body)
			if line.request = body.request; line.err == nil {
				line.err = b.api.judgeSpec(ctx, &line.request.Spec)
			}
		}
		chunk = append(chunk, line)
	}
	return chunk, nil
}

var errLongLine = errors.New("api: a line is too long")

// readLine returns a line; one that is too long is skipped.
func (b *bulk) readLine() (string, error) {
	var line []byte
	long := false
	for {
		part, err := b.in.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxBody; !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case long && (err == nil || err == io.EOF):
			return "", errLongLine
		default:
			return string(line), err
		}
	}
}

// issue issues a chunk and answers every line of it, in order.
func (b *bulk) issue(ctx context.Context, chunk []bulkLine) (failed error) {
	if !b.begun {
		b.begun = true
		b.w.Header().Set("Content-Type", bulkType)
		b.w.WriteHeader(http.StatusOK)
	}
	next := 0
	upTo := func() error { // the lines that were wrong from the start
		for ; next < len(chunk) && chunk[next].err != nil; next++ {
			if err := b.write(chunk[next], hallpass.Issued{}, chunk[next].err); err != nil {
				return err
			}
		}
		return nil
	}
	for issued, err := range b.issueAll(ctx, chunk) {
		if err := upTo(); err != nil {
			return err
		}
		if errors.Is(err, hallpass.ErrUnavailable) {
			failed = err
		}
		if err := b.write(chunk[next], issued, err); err != nil {
			return err
		}
		next++
	}
	if err := upTo(); err != nil {
		return err
	}
	if err := b.out.Flush(); err != nil {
		return err
	}
	_ = b.control.Flush()
	return failed
}

func (b *bulk) issueAll(ctx context.Context, chunk []bulkLine) iter.Seq2[hallpass.Issued, error] {
	lines := func(yield func(int, hallpass.Spec) bool) {
		for _, line := range chunk {
			if line.err == nil && !yield(line.number, line.request.Spec) {
				return
			}
		}
	}
	if b.series != nil {
		return b.series.IssueAll(ctx, lines)
	}
	return b.api.issuer.IssueAll(ctx, func(yield func(hallpass.Spec) bool) {
		lines(func(_ int, spec hallpass.Spec) bool { return yield(spec) })
	})
}

func (b *bulk) write(line bulkLine, issued hallpass.Issued, err error) error {
	var out wire.Issued
	if err == nil {
		out, err = line.request.Answer(b.api.issuer, issued)
	}
	if err != nil {
		return wire.Write(b.out, bulkBad{line.number, problemOf(err)})
	}
	return wire.Write(b.out, out)
}
