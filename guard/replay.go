package guard

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Bounds of what is remembered to answer a double click.
const (
	replayLife  = 60 * time.Second
	replayBytes = 64 << 10
	replayCount = 1024
)

// replays remembers the answers to confirmations on this node, by nonce. A second
// press waits for the first and gets its answer.
type replays struct {
	mu      sync.Mutex
	byNonce map[string]*replay
}

type replay struct {
	done   chan struct{} // closed when the answer is there
	kept   bool
	status int
	header http.Header
	body   []byte
}

// answer repeats an earlier answer and reports whether there was one. Otherwise
// the caller is the first, and must call finish. It is an error when the request
// ends while another one with its nonce is under way.
func (rs *replays) answer(w http.ResponseWriter, r *http.Request, nonce string) (bool, error) {
	for {
		rs.mu.Lock()
		old := rs.byNonce[nonce]
		if old == nil {
			if rs.byNonce == nil {
				rs.byNonce = map[string]*replay{}
			}
			rs.byNonce[nonce] = &replay{done: make(chan struct{})}
			rs.mu.Unlock()
			return false, nil
		}
		rs.mu.Unlock()
		select {
		case <-old.done:
		case <-r.Context().Done():
			return false, r.Context().Err()
		}
		if old.kept {
			old.write(w)
			return true, nil
		}
		// The first press was refused or given back, or its answer is too long to
		// keep: finish has forgotten it, and the store decides about this one.
	}
}

// finish publishes the first press's answer for replayLife. What was not kept is
// forgotten, and so is what comes when replayCount answers are remembered: those
// double clicks get the page "already done".
func (rs *replays) finish(nonce string, c *capture, kept bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	this := rs.byNonce[nonce]
	if kept && !c.tooLong && c.status != 0 && len(rs.byNonce) < replayCount {
		this.kept, this.status, this.header, this.body = true, c.status, c.header, c.body
		time.AfterFunc(replayLife, func() {
			rs.mu.Lock()
			defer rs.mu.Unlock()
			delete(rs.byNonce, nonce)
		})
	} else {
		delete(rs.byNonce, nonce)
	}
	close(this.done)
}

func (p *replay) write(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.WriteHeader(p.status)
	w.Write(p.body)
}

// capture passes an answer on and keeps a copy.
type capture struct {
	http.ResponseWriter
	status  int
	header  http.Header
	body    []byte
	tooLong bool
}

func (c *capture) WriteHeader(status int) {
	first := c.status == 0 && status >= 200
	if first {
		c.status, c.header = status, c.Header().Clone()
	}
	c.ResponseWriter.WriteHeader(status)
	// Session middleware sets its cookie while the header is written. Of what it
	// adds only cookies are kept: an encoding, say, is of its answer alone.
	if cookies := c.Header()["Set-Cookie"]; first && len(cookies) > 0 {
		c.header["Set-Cookie"] = slices.Clone(cookies)
	}
}

func (c *capture) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	if c.tooLong = c.tooLong || len(c.body)+len(b) > replayBytes; c.tooLong {
		c.body = nil
	} else {
		c.body = append(c.body, b...)
	}
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (c *capture) Unwrap() http.ResponseWriter { return c.ResponseWriter }
