package server

import (
	"net/http"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Around puts a handler where the server's own stand.
func (s *Server) Around(h http.Handler) http.Handler {
	return s.around([]mount{{path: "/", handler: h}})
}

// Timed is the store as the server uses it.
func Timed(store hallpass.Store, m *Metrics) hallpass.Store { return &timedStore{store, m} }

// Help is what our own metrics say of themselves, by name.
func (m *Metrics) Help() map[string]string { return m.help }

// Sessions is what the API lists.
func (s *Server) Sessions() Sessions { return s.sessions() }

// PruneEvery says how often the store of logins is pruned. Call it before Run.
func (s *Server) PruneEvery(d time.Duration) { s.pruneEvery = d }
