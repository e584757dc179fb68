package guard

import (
	"bufio"
	"net"
	"net/http"
)

// heldBytes is how much of a failed answer waits until its use was given back.
const heldBytes = 64 << 10

// recorder watches an answer. An answer of 5xx is held back, up to heldBytes, so
// that the use can be given back before the client could try again.
type recorder struct {
	http.ResponseWriter
	status int
	left   bool // a byte of the answer has left
	held   []byte
}

func (rec *recorder) WriteHeader(status int) {
	if status < 200 { // informational: an answer follows
		rec.ResponseWriter.WriteHeader(status)
		return
	}
	if rec.status != 0 {
		return
	}
	rec.status = status
	if status < 500 {
		rec.send()
	}
}

func (rec *recorder) send() {
	if !rec.left {
		rec.left = true
		rec.ResponseWriter.WriteHeader(rec.status)
	}
}

func (rec *recorder) Write(b []byte) (int, error) {
	if rec.status == 0 {
		rec.WriteHeader(http.StatusOK)
	}
	if rec.left {
		return rec.ResponseWriter.Write(b)
	}
	if len(rec.held)+len(b) > heldBytes {
		rec.release()
		return rec.ResponseWriter.Write(b)
	}
	rec.held = append(rec.held, b...)
	return len(b), nil
}

// release sends what was held back.
func (rec *recorder) release() {
	if rec.left || rec.status < 500 {
		return
	}
	rec.send()
	if len(rec.held) > 0 {
		rec.ResponseWriter.Write(rec.held)
		rec.held = nil
	}
}

// FlushError is what http.ResponseController calls; a flushed answer has left.
func (rec *recorder) FlushError() error {
	if rec.status == 0 {
		rec.WriteHeader(http.StatusOK)
	}
	rec.release()
	return http.NewResponseController(rec.ResponseWriter).Flush()
}

// Flush is for handlers that know http.Flusher only.
func (rec *recorder) Flush() { _ = rec.FlushError() }

// Hijack hands the connection over, for WebSockets.
func (rec *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buf, err := http.NewResponseController(rec.ResponseWriter).Hijack()
	if err == nil {
		rec.left, rec.status = true, http.StatusSwitchingProtocols
	}
	return conn, buf, err
}

// Unwrap lets http.ResponseController reach deadlines and full duplex.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }
