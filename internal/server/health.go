package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// maxRulesAge is how old the revocations may be before a server is called unready.
// A request does not wait that long: it reads them itself after a second.
const maxRulesAge = 5 * time.Second

// probeTime bounds what /readyz may take.
const probeTime = 2 * time.Second

// check is one line of /readyz. Its detail is for anybody: it names no file, no
// address and no driver.
type check struct {
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready  bool             `json:"ready"`
	Checks map[string]check `json:"checks"`
}

// healthz says that the process lives, whatever it can do.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	s.healthJSON(w, r, http.StatusOK, map[string]bool{"ok": true})
}

// readyz says whether requests should be sent here.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTime)
	defer cancel()
	ready := s.readiness(ctx)
	status := http.StatusOK
	if !ready.Ready {
		status = http.StatusServiceUnavailable
	}
	s.healthJSON(w, r, status, ready)
}

func (s *Server) readiness(ctx context.Context) readiness {
	checks := map[string]check{"serving": {OK: true}, "store": {OK: true}, "schema": {OK: true}, "keys": {OK: true}, "revocations": {OK: true}}
	fail := func(name, detail string) { checks[name] = check{Detail: detail} }
	if s.draining.Load() {
		fail("serving", "draining")
	}
	if _, err := s.cfg.Store.Cell(ctx, "readyz", "probe", s.issuer.Now()); err != nil && !errors.Is(err, hallpass.ErrNotFound) {
		fail("store", "does not answer")
	}
	if s.cfg.CheckSchema != nil {
		if err := s.cfg.CheckSchema(ctx); err != nil {
			fail("schema", "is not the one of this program, or cannot be read")
		}
	}
	if _, ok := s.keys.live.Active(); !ok {
		fail("keys", "none is active")
	}
	if s.issuer.RulesAge() > maxRulesAge {
		// Just after the start nobody has read them yet: read them as a request would.
		if _, err := s.issuer.Revoked(ctx, hallpass.Pass{}); err != nil {
			fail("revocations", "could not be read for a while")
		}
	}
	ready := true
	for _, c := range checks {
		ready = ready && c.OK
	}
	return readiness{ready, checks}
}

func (s *Server) healthJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		s.problem(w, r, http.StatusMethodNotAllowed, wire.CodeInvalid, "Only to be read", "use GET or HEAD")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method == http.MethodGet {
		_ = wire.Write(w, v)
	}
}
