package gate

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/internal/sessions"
)

const (
	ticketGroup = "gate-tickets"
	// ticketLife is how long a browser may take from the redirect to the page.
	ticketLife = 30 * time.Second
)

// ticketCell is a use that was counted and waits for its request: the browser's
// next one for this very page.
type ticketCell struct {
	Host     string           `json:"host"`
	Page     string           `json:"page"`
	PassID   string           `json:"pass"`
	Mode     hallpass.Mode    `json:"mode"`
	Scope    hallpass.Scope   `json:"scope"`
	Subject  string           `json:"subject"`
	Batch    string           `json:"batch,omitempty"`
	Data     json.RawMessage  `json:"data,omitempty"`
	Grants   []hallpass.Grant `json:"grants,omitempty"`
	IssuedAt int64            `json:"issued_at"`
	Recorded bool             `json:"recorded"`
	// Taken is set when the ticket was used, TakenBy to the proxy's name for the
	// request that did: a proxy may ask twice about one request.
	Taken   bool   `json:"taken,omitempty"`
	TakenBy string `json:"taken_by,omitempty"`
}

func (c ticketCell) pass() hallpass.Pass {
	p := hallpass.Pass{
		ID: c.PassID, Mode: c.Mode, Scope: c.Scope, Subject: c.Subject, Batch: c.Batch, Data: c.Data, Grants: c.Grants, Recorded: c.Recorded,
	}
	if c.IssuedAt != 0 {
		p.IssuedAt = time.UnixMicro(c.IssuedAt).UTC()
	}
	return p
}

// giveTicket exchanges a honoured link for a ticket and sends the browser to the
// page without the token.
func (g *Gate) giveTicket(w http.ResponseWriter, r *http.Request, v *visit, h *guard.Honoured) {
	page, now := r.URL.RequestURI(), g.cfg.Issuer.Now()
	c := ticketCell{
		Host: v.host, Page: page, PassID: h.Pass.ID, Mode: h.Pass.Mode, Scope: h.Pass.Scope, Subject: h.Pass.Subject,
		Batch: h.Pass.Batch, Data: h.Pass.Data, Grants: h.Pass.Grants, Recorded: h.Pass.Recorded,
	}
	if !h.Pass.IssuedAt.IsZero() {
		c.IssuedAt = h.Pass.IssuedAt.UnixMicro()
	}
	secret := rand.Text()
	value, err := json.Marshal(c)
	if err == nil {
		_, err = g.cfg.Cells.Swap(r.Context(), hallpass.Cell{
			Group: ticketGroup, Key: sessions.HashSecret(secret), Value: value, ExpiresAt: now.Add(ticketLife),
		}, now)
	}
	if err != nil {
		g.guard.Refuse(w, r, unavailable(err)) // 503 before a byte left: the use is given back
		return
	}
	g.cookies.Set(w, "ticket", secret, ticketLife)
	w.Header().Set("Location", page)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
}

// takeTicket lets a request in by its ticket, once. A ticket for another page, or
// a used one, is as good as none.
func (g *Gate) takeTicket(r *http.Request, v *visit) (*identity, error) {
	secret := g.cookies.Of(r, "ticket")
	if secret == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil, nil
	}
	ctx, now := r.Context(), g.cfg.Issuer.Now()
	cell, err := g.cfg.Cells.Cell(ctx, ticketGroup, sessions.HashSecret(secret), now)
	if errors.Is(err, hallpass.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	var c ticketCell
	if err := json.Unmarshal(cell.Value, &c); err != nil {
		return nil, unavailable(err)
	}
	pass := c.pass()
	if c.Host != v.host || c.Page != r.URL.RequestURI() || !v.route.takes(pass) || !pass.Covers(r.Method, r.URL.EscapedPath()) {
		return nil, nil
	}
	if c.Taken {
		if v.requestID == "" || c.TakenBy != requestKey(r, v) {
			return nil, nil
		}
	} else {
		if revoked, err := g.cfg.Issuer.Revoked(ctx, pass); err != nil || revoked {
			return nil, err
		}
		c.Taken, c.TakenBy = true, requestKey(r, v)
		if cell.Value, err = json.Marshal(c); err != nil {
			return nil, unavailable(err)
		}
		if _, err := g.cfg.Cells.Swap(ctx, cell, now); errors.Is(err, hallpass.ErrConflict) {
			return g.takeTicket(r, v) // somebody else took it first: was it the same request?
		} else if err != nil {
			return nil, unavailable(err)
		}
	}
	who := identityOf(pass)
	return &who, nil
}
