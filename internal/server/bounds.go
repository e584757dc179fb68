package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// bounds is how long a request's body and answer may take.
type bounds int

const (
	// small bodies must arrive within bodyTime and be answered within answerTime.
	small bounds = iota
	// streamed ones may take for ever, but each step of them only stepTime.
	streamed
)

const (
	bodyTime   = 20 * time.Second
	answerTime = 60 * time.Second
	stepTime   = 60 * time.Second
	// maxBody is the most a small body may be, whatever its handler allows.
	maxBody = 4 << 20
)

func (b bounds) serve(w *writer, r *http.Request, h http.Handler) {
	connection := http.NewResponseController(w.ResponseWriter)
	now := time.Now()
	if b == small {
		_ = connection.SetReadDeadline(now.Add(bodyTime))
		_ = connection.SetWriteDeadline(now.Add(answerTime))
		r.Body = http.MaxBytesReader(w.ResponseWriter, r.Body, maxBody)
		h.ServeHTTP(w, r)
		return
	}
	_ = connection.SetWriteDeadline(time.Time{}) // of an earlier request
	w.streamed = connection
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &patientBody{r.Body, connection}
	}
	h.ServeHTTP(w, r)
	if !w.hijacked {
		_ = connection.SetWriteDeadline(time.Now().Add(stepTime)) // for what is still buffered
	}
}

// patientBody gives each read its time. Between reads there is no deadline: its
// expiry would end the request's context.
type patientBody struct {
	io.ReadCloser
	connection *http.ResponseController
}

func (b *patientBody) Read(p []byte) (int, error) {
	_ = b.connection.SetReadDeadline(time.Now().Add(stepTime))
	n, err := b.ReadCloser.Read(p)
	_ = b.connection.SetReadDeadline(time.Time{})
	return n, err
}

// writer remembers what was answered, and gives each write of a streamed answer
// its time.
type writer struct {
	http.ResponseWriter
	status   int
	hijacked bool
	streamed *http.ResponseController
}

func (w *writer) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
		// An application behind us may have named the request too.
		if ids := w.Header()[requestIDHeader]; len(ids) > 1 {
			w.Header()[requestIDHeader] = ids[:1]
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.begin()
	defer w.end()
	return w.ResponseWriter.Write(p)
}

func (w *writer) begin() {
	if w.streamed != nil {
		_ = w.streamed.SetWriteDeadline(time.Now().Add(stepTime))
	}
}

func (w *writer) end() {
	if w.streamed != nil {
		_ = w.streamed.SetWriteDeadline(time.Time{})
	}
}

// FlushError implements what http.ResponseController looks for.
func (w *writer) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.begin()
	defer w.end()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (w *writer) Flush() { _ = w.FlushError() }

// Hijack implements http.Hijacker.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.hijacked = true
		if w.status == 0 {
			w.status = http.StatusSwitchingProtocols
		}
	}
	return conn, buffered, err
}

// Unwrap serves http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// statusClosed is what the log shows for a client that left before its answer.
const statusClosed = 499

func (w *writer) statusCode(r *http.Request) int {
	switch {
	case w.status != 0:
		return w.status
	case r.Context().Err() != nil:
		return statusClosed
	}
	return http.StatusOK
}
