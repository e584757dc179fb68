package guard

import (
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

// onlyLooks reports whether a request for a link comes from a machine that looks
// ahead, not from a reader: HEAD, OPTIONS, or a prefetch.
func onlyLooks(r *http.Request) bool {
	return r.Method == http.MethodHead || r.Method == http.MethodOptions || look.IsPrefetch(r)
}

// serveLook answers such a request without counting anything. A prefetch gets the
// page with the button, whatever the route says: a browser may show its reader what
// it fetched ahead, and then the button is the reader's own click.
func (rt *route) serveLook(w http.ResponseWriter, r *http.Request, found presented) {
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", "GET, HEAD, OPTIONS, POST")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Vary", "Sec-Purpose, Purpose, X-Purpose, X-Moz")
	entry, other, err := rt.inspect(r, found, http.MethodGet)
	rt.note(r, hallpass.EventScanned, entry.Pass, err)
	switch {
	case err != nil:
		rt.refuse(w, r, found.with(entry.Pass), err)
	case r.Method == http.MethodHead:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusOK)
	default:
		rt.showPage(w, r, found, entry, other, opened)
	}
}

// note tells the audit what became of a link that was not used. Only a pass that was
// proven has an id here; what anybody could have made up is not noted.
func (rt *route) note(r *http.Request, kind hallpass.EventKind, pass hallpass.Pass, err error) {
	reason, refused := hallpass.RefusalOf(err)
	if pass.ID == "" || err != nil && !refused {
		return
	}
	e := hallpass.EventOf(kind, pass, rt.presentation(r, presented{}))
	e.Reason = reason
	rt.guard.cfg.Issuer.Note(e)
}

// oneClickBody is the one body RFC 8058 section 3.2 defines.
const oneClickBody = "List-Unsubscribe=One-Click"

// isOneClick reports whether a POST is a mail program's unsubscribe: exactly that
// field, urlencoded or multipart, and no cookie.
func isOneClick(r *http.Request) bool {
	if len(r.Cookies()) > 0 {
		return false
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return false
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		body, err := peekBody(r, 1024)
		return err == nil && strings.TrimRight(string(body), "\r\n") == oneClickBody
	case "multipart/form-data":
		body, err := peekBody(r, 4096)
		if err != nil {
			return false
		}
		values, ok := multipartFields(body, params["boundary"])
		return ok && values.Encode() == oneClickBody
	}
	return false
}

// serveOneClick honours the pass for a mail program. Whoever asks learns nothing:
// a forged, spent or expired token gets the same 200, and so does none. Only what
// the program should try again is told: an outage, a failure, and a try of its own
// that has not come to an end.
func (rt *route) serveOneClick(w http.ResponseWriter, r *http.Request, found presented) {
	if rt.oneClick(r, found) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusOK)
		return
	}
	w.Header().Set("Retry-After", "60")
	http.Error(w, "try again later", http.StatusServiceUnavailable)
}

// oneClick reports whether there is nothing left to try. A repeat of a try that
// failed, or whose end nobody knows, runs the handler again under the same use:
// unsubscribing twice does no harm, and not at all does.
func (rt *route) oneClick(r *http.Request, found presented) bool {
	p := rt.presentation(r, found)
	p.Method, p.UseKey = http.MethodGet, "rfc8058"
	redemption, err := rt.guard.cfg.Issuer.Redeem(r.Context(), p)
	if _, refused := hallpass.RefusalOf(err); refused {
		return true
	}
	if err != nil {
		rt.guard.cfg.Logger.Error("a one-click unsubscribe could not be decided", "error", err)
		return false
	}
	if use := redemption.Use; redemption.Duplicate {
		switch {
		case use.State == hallpass.UseSettled && use.Status < http.StatusInternalServerError:
			return true
		case use.State == hallpass.UsePending && rt.guard.cfg.Issuer.Now().Sub(use.At) < time.Minute:
			return false
		}
	}
	quiet := &discard{header: http.Header{}}
	out, h := rt.deliver(r, found, redemption, true, rt.opts.DeliverPost)
	rt.run(quiet, out, h, redemption)
	return quiet.status < http.StatusInternalServerError
}

// discard is a ResponseWriter for an answer nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header { return d.header }

func (d *discard) WriteHeader(status int) {
	if d.status == 0 {
		d.status = status
	}
}

func (d *discard) Write(b []byte) (int, error) {
	d.WriteHeader(http.StatusOK)
	return len(b), nil
}
