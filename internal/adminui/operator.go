package adminui

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/rights"
)

// Role is what an operator may do. Each role may do what those before it may.
type Role string

const (
	// RoleViewer looks, searches and exports.
	RoleViewer Role = "viewer"
	// RoleIssuer also issues passes, shows their links again, and takes single passes
	// back: those that its own pass lets it issue.
	RoleIssuer Role = "issuer"
	// RoleAdmin also takes back groups, ends sessions, and changes keys.
	RoleAdmin Role = "admin"
)

// Roles lists the roles, the least first.
func Roles() []Role { return []Role{RoleViewer, RoleIssuer, RoleAdmin} }

// includes reports whether whoever has this role may do what that one may.
func (r Role) includes(other Role) bool {
	return slices.Index(Roles(), r) >= slices.Index(Roles(), other) && slices.Contains(Roles(), r)
}

// Operator is who asks.
type Operator struct {
	Subject string
	Role    Role
	// Pass is what it rests on.
	Pass   hallpass.Pass
	rights rights.Rights
}

var errNoRole = errors.New("adminui: the pass names no role")

// operatorOf reads {"role":"viewer"} and what the pass may issue. A pass without a
// role that is known opens nothing.
func operatorOf(pass hallpass.Pass) (Operator, error) {
	var data struct {
		Role  Role            `json:"role"`
		Issue json.RawMessage `json:"issue"`
	}
	if json.Unmarshal(pass.Data, &data) != nil || !slices.Contains(Roles(), data.Role) || pass.Scope != Scope || pass.Subject == "" {
		return Operator{}, errNoRole
	}
	op := Operator{Subject: pass.Subject, Role: data.Role, Pass: pass}
	var err error
	if op.rights, err = rights.Of(pass.Data); err != nil {
		return Operator{}, errNoRole
	}
	if data.Role == RoleAdmin && data.Issue == nil {
		op.rights.Modes = append(op.rights.Modes, hallpass.ModeSession)
	}
	return op, nil
}

// MayIssue reports whether the operator may bring such a pass into the world, see
// its link again, or take it back.
func (o Operator) MayIssue(p hallpass.Pass) bool {
	return o.Role.includes(RoleIssuer) && o.rights.May(p.Scope, p.Mode)
}

// MayShow reports whether the operator may have the link of such a pass shown again.
// Whoever has a session pass is its subject, so those are for admins alone, whatever
// else an operator may issue.
func (o Operator) MayShow(p hallpass.Pass) bool {
	return o.MayIssue(p) && (p.Mode != hallpass.ModeSession || o.Role == RoleAdmin)
}

// act is record for a visit, which remembers it, so that a failure is written down
// as well.
func (u *UI) act(v *visit, e hallpass.Event) error {
	err := u.record(v.Request, v.op, e)
	if err == nil {
		v.acted = e
	}
	return err
}

// failed writes down that what an operator was about to do was not done, or not all.
func (u *UI) failed(v *visit, why error) {
	if v.acted.Action == "" {
		return
	}
	v.acted.Action += failedSuffix
	v.acted.Detail = sentence(why)
	if err := u.record(v.Request, v.op, v.acted); err != nil {
		u.cfg.Logger.ErrorContext(v.Context(), "that an action failed was not written down", "action", v.acted.Action, "error", err)
	}
}

const failedSuffix = ".failed"

// record writes down what the operator is about to do. What cannot be written down
// is not done.
func (u *UI) record(r *http.Request, op Operator, e hallpass.Event) error {
	e.Actor = op.Subject
	e.UserAgent, e.Method, e.Path = r.UserAgent(), r.Method, r.URL.Path
	if addr := u.clients.Of(r); addr.IsValid() {
		e.ClientIP = addr.String()
	}
	return u.issuer.RecordAction(r.Context(), e)
}
