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
	logins := s.probeLogins(ctx)
	if s.draining.Load() {
		fail("serving", "draining")
	}
	if _, err := s.cfg.Store.Cell(ctx, "readyz", "probe", s.issuer.Now()); err != nil && !errors.Is(err, hallpass.ErrNotFound) {
		fail("store", "does not answer")
	}
	if s.cfg.CheckSchema != nil {
		if err := s.cfg.CheckSchema(ctx); err != nil {
			// With Redis these are also the settings of the server that writes depend on.
			fail("schema", "the store's schema or settings are not what this program needs, or cannot be read; the log says more")
			s.cfg.Logger.WarnContext(ctx, "the store's schema or settings are not what this program needs", "error", err)
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
	if logins != nil {
		checks["login_store"] = check{OK: true}
		if <-logins != nil {
			fail("login_store", "does not answer, or its schema is not the one of this program")
		}
	}
	ready := true
	for _, c := range checks {
		ready = ready && c.OK
	}
	return readiness{ready, checks}
}

// probeLogins asks the store of logins, where it is one of its own, while the other
// is asked: what one takes must not make the other look dead. Nil: there is none.
func (s *Server) probeLogins(ctx context.Context) <-chan error {
	if s.cfg.Login == nil || s.cfg.Login.LoginStore == nil {
		return nil
	}
	told := make(chan error, 1)
	go func() {
		_, err := s.cfg.Login.LoginStore.Cell(ctx, "readyz", "probe", s.issuer.Now())
		if errors.Is(err, hallpass.ErrNotFound) {
			err = nil
		}
		if err == nil && s.cfg.Login.CheckLoginSchema != nil {
			err = s.cfg.Login.CheckLoginSchema(ctx)
		}
		told <- err
	}()
	return told
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
