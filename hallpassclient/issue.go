package hallpassclient

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"sync"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// Issued is a new pass, its token, and the link where a URL was given.
type Issued struct {
	hallpass.Issued
	URL string
}

// IssueOptions are for Issue; nil means none.
type IssueOptions struct {
	// URL becomes the link.
	URL string
	// IdempotencyKey makes the same call, in another process or after a crash, give
	// the same pass for 24 hours. Empty protects only this call's own retries.
	IdempotencyKey string
}

// specJSON is a Spec as the API takes it.
type specJSON struct {
	Scope      string          `json:"scope"`
	Mode       string          `json:"mode,omitempty"`
	Subject    string          `json:"subject,omitempty"`
	MaxUses    *int64          `json:"max_uses,omitempty"`
	TTL        string          `json:"ttl,omitempty"`
	NotBefore  string          `json:"not_before,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Grants     []string        `json:"grants,omitempty"`
	Recipient  string          `json:"recipient,omitempty"`
	Batch      string          `json:"batch,omitempty"`
	URL        string          `json:"url,omitempty"`
	Format     string          `json:"format,omitempty"`
	Unrecorded bool            `json:"unrecorded,omitempty"`
}

func specOf(s hallpass.Spec, rawURL string) (specJSON, error) {
	out := specJSON{
		Scope: string(s.Scope), Mode: string(s.Mode), Subject: s.Subject, NotBefore: wire.Time(s.NotBefore), Data: s.Data,
		Recipient: s.Recipient, Batch: s.Batch, URL: rawURL, Format: string(s.Format), Unrecorded: s.Unrecorded,
	}
	for _, f := range []struct {
		name  string
		given bool
	}{{"expires_at", !s.ExpiresAt.IsZero()}, {"target", s.Target != ""}, {"browser", s.Browser != ""}} {
		if f.given {
			return out, &hallpass.FieldError{Field: f.name, Reason: "cannot be asked for over HTTP"}
		}
	}
	if len(s.Data) > 0 && !json.Valid(s.Data) {
		return out, &hallpass.FieldError{Field: "data", Reason: "must be JSON"}
	}
	switch {
	case s.MaxUses == hallpass.Unlimited:
		out.MaxUses = new(int64)
	case s.MaxUses != 0:
		out.MaxUses = &s.MaxUses
	}
	switch {
	case s.TTL == hallpass.NoExpiry:
		out.TTL = "never"
	case s.TTL != 0:
		out.TTL = s.TTL.String()
	}
	for _, g := range s.Grants {
		out.Grants = append(out.Grants, g.String())
	}
	return out, nil
}

func issuedOf(i wire.Issued) (Issued, error) {
	entry, err := entryOf(i.Pass)
	return Issued{hallpass.Issued{Entry: entry, Token: hallpass.NewToken(i.Token)}, i.URL}, err
}

// Issue makes a pass, once even when an answer is lost on its way. A Spec's
// ExpiresAt, Target and Browser cannot be asked for over HTTP.
func (c *Client) Issue(ctx context.Context, s hallpass.Spec, opts *IssueOptions) (Issued, error) {
	if opts == nil {
		opts = &IssueOptions{}
	}
	body, err := specOf(s, opts.URL)
	if err != nil {
		return Issued{}, err
	}
	var out wire.Issued
	err = c.do(ctx, call{
		method: http.MethodPost, path: "/v1/passes", body: body, out: &out, repeatable: true, header: idempotent(opts.IdempotencyKey),
	})
	if err != nil {
		return Issued{}, err
	}
	return issuedOf(out)
}

func idempotent(key string) http.Header {
	if key == "" {
		key = rand.Text()
	}
	return http.Header{"Idempotency-Key": {key}}
}

// Order is one pass of many: what to issue, and the URL that becomes the link.
type Order struct {
	Spec hallpass.Spec
	URL  string
}

// IssueAll makes a pass for each order and yields them in the same order, while
// later orders are still being sent. A wrong one yields its error and the rest
// goes on. When the stream breaks, the last thing yielded is an ErrUnavailable:
// call again with the same orders and the same key, and those that were made come
// back as they were. An empty key lets nothing be repeated. orders runs in a
// goroutine of its own.
func (c *Client) IssueAll(ctx context.Context, orders iter.Seq[Order], key string) iter.Seq2[Issued, error] {
	return func(yield func(Issued, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		in, out := io.Pipe()
		defer in.Close()
		sent := make(chan int64, 1)
		var wrong sync.Map // of orders that the server is not asked for: their errors, by number
		go func() {
			n, err := sendOrders(out, orders, &wrong)
			out.CloseWithError(err)
			sent <- n
		}()
		header := http.Header{"Content-Type": {"application/x-ndjson"}}
		if key != "" {
			header.Set("Idempotency-Key", key)
		}
		r, err := c.request(ctx, call{method: http.MethodPost, path: "/v1/passes/bulk", header: header}, in)
		if err != nil {
			yield(Issued{}, err)
			return
		}
		response, err := c.http.Do(r)
		if err != nil {
			yield(Issued{}, unreachable(err))
			return
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
			yield(Issued{}, errorOf(response, text))
			return
		}
		got, err := receive(response.Body, &wrong, yield)
		switch {
		case errors.Is(err, errStopped):
		case err != nil:
			yield(Issued{}, unreachable(err))
		default:
			in.Close() // the server takes no more
			if n := <-sent; n != got {
				yield(Issued{}, fmt.Errorf("%w: %d of %d orders were answered", hallpass.ErrUnavailable, got, n))
			}
		}
	}
}

// sendOrders writes a line an order. An order that cannot be asked for goes as one
// that the server refuses, so that the lines stay in step.
func sendOrders(out io.Writer, orders iter.Seq[Order], wrong *sync.Map) (n int64, err error) {
	w := bufio.NewWriter(out)
	for o := range orders {
		spec, err := specOf(o.Spec, o.URL)
		if err != nil {
			wrong.Store(n, err)
			spec = specJSON{}
		}
		if err := errors.Join(wire.Write(w, spec), w.Flush()); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

var errStopped = errors.New("hallpassclient: the caller wants no more")

func receive(body io.Reader, wrong *sync.Map, yield func(Issued, error) bool) (n int64, err error) {
	lines := json.NewDecoder(body)
	for {
		var line struct {
			wire.Issued
			Error *wire.Problem `json:"error"`
		}
		if err := lines.Decode(&line); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		var made Issued
		var lineErr error
		if own, ok := wrong.Load(n); ok {
			lineErr, _ = own.(error)
		} else if line.Error != nil {
			lineErr = errorOfProblem(*line.Error)
		} else {
			made, lineErr = issuedOf(line.Issued)
		}
		n++
		if !yield(made, lineErr) {
			return n, errStopped
		}
	}
}

// Amend gives a pass more uses or a later end, as Issuer.Amend does. It is not
// tried again by itself, because uses that were added twice are two uses too many.
func (c *Client) Amend(ctx context.Context, id string, change hallpass.Change) (hallpass.Issued, error) {
	call := call{method: http.MethodPatch, path: passPath(id), header: http.Header{}}
	if change.From != nil {
		entry, etag, err := c.pass(ctx, id)
		if err != nil {
			return hallpass.Issued{}, err
		}
		if entry.MaxUses != change.From.MaxUses || !entry.ExpiresAt.Equal(change.From.ExpiresAt) {
			return hallpass.Issued{}, fmt.Errorf("%w: the pass was amended meanwhile", hallpass.ErrConflict)
		}
		call.header.Set("If-Match", etag)
	}
	body := struct {
		AddUses   int64  `json:"add_uses,omitempty"`
		TTL       string `json:"ttl,omitempty"`
		ExpiresAt string `json:"expires_at,omitempty"`
	}{change.AddUses, "", ""}
	if change.TTL != 0 {
		body.TTL = change.TTL.String()
	}
	if !change.ExpiresAt.IsZero() {
		body.ExpiresAt = change.ExpiresAt.UTC().Format(time.RFC3339Nano)
	}
	var out wire.Issued
	call.body, call.out = body, &out
	if err := c.do(ctx, call); err != nil {
		return hallpass.Issued{}, err
	}
	issued, err := issuedOf(out)
	return issued.Issued, err
}
