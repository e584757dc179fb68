package demo

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
)

// report is what the API serves.
type report struct {
	Week    string `json:"week"`
	Readers int    `json:"readers"`
	Opened  int    `json:"opened"`
}

var reports = []report{{"2026-45", 1204, 811}, {"2026-46", 1219, 842}, {"2026-47", 1233, 857}}

// tokenSpec is a token for a script: one method, one part of the API, an hour.
func tokenSpec(subject string) hallpass.Spec {
	return hallpass.Spec{
		Scope: scopeAPI, Mode: hallpass.ModeRequest, Subject: subject, Recipient: "reporting script",
		Grants: []hallpass.Grant{{Method: "GET", Path: "/api/reports"}}, TTL: time.Hour,
	}
}

func (s *Site) api(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	switch r.URL.Path {
	case "/api/reports":
		subject, _ := guard.Subject(r.Context())
		_ = enc.Encode(map[string]any{"for": subject, "reports": reports})
		return
	case "/api/reports/latest":
		_ = enc.Encode(reports[len(reports)-1])
		return
	}
	w.WriteHeader(http.StatusNotFound)
	_ = enc.Encode(map[string]string{"error": "there is no such report"})
}

type developersView struct {
	frame
	BaseURL string
	Token   string
}

func (s *Site) developers(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "developers", developersView{frame: s.frame(r), BaseURL: s.cfg.BaseURL})
}

func (s *Site) makeToken(w http.ResponseWriter, r *http.Request) {
	issued, err := s.issuer.Issue(r.Context(), tokenSpec("greta@example.com"))
	if err != nil {
		s.problem(w, err)
		return
	}
	s.show(w, r, http.StatusOK, "developers", developersView{s.frame(r), s.cfg.BaseURL, issued.Token.Reveal()})
}
