package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/rights"
	"github.com/hallpass-go/hallpass/internal/strictjson"
)

func forbidden(format string, args ...any) error {
	return &failure{
		status: http.StatusForbidden, code: string(hallpass.RefusalNotGranted), cause: hallpass.RefusalNotGranted,
		detail: "the bearer token may not issue this: " + fmt.Sprintf(format, args...),
	}
}

// mayIssue decides whether the caller may bring a pass into the world, or give one
// more life.
func mayIssue(caller hallpass.Entry, p hallpass.Pass) error {
	own, err := rights.Of(caller.Data)
	if err != nil {
		return forbidden("its own data cannot be read")
	}
	switch {
	case rights.IsReserved(p.Scope):
		return mayDelegate(caller, own, p)
	case !slices.Contains(own.Modes, p.Mode):
		return forbidden("its modes do not hold %s", p.Mode)
	case !own.AnyScope && !slices.Contains(own.Scopes, string(p.Scope)):
		return forbidden("its scopes do not hold %q", string(p.Scope))
	}
	return nil
}

// mayAmend decides whether the caller may give a pass more than it has. One for
// hallpass itself must have come of the caller, so that it ends with it.
func mayAmend(caller hallpass.Entry, after hallpass.Pass) error {
	if err := mayIssue(caller, after); err != nil || !rights.IsReserved(after.Scope) {
		return err
	}
	if parents, ok := after.Parents(); !ok || len(parents) == 0 || parents[0] != caller.ID {
		return forbidden("the pass did not come of it")
	}
	return nil
}

// withParents is the data of a pass that comes of the caller's.
func withParents(caller hallpass.Entry, data json.RawMessage) (json.RawMessage, error) {
	text := string(data)
	if text == "" {
		text = "{}"
	}
	err := strictjson.Members(text, func(name string, _ strictjson.Value) error {
		if name == hallpass.ParentsMember {
			return invalid("data", `must not have "`+hallpass.ParentsMember+`", which hallpass sets itself`)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	above, _ := caller.Parents()
	list, err := json.Marshal(append([]string{caller.ID}, above...))
	if err != nil {
		return nil, err
	}
	text = strings.TrimSuffix(text, "}")
	if text != "{" {
		text += ","
	}
	return json.RawMessage(text + `"` + hallpass.ParentsMember + `":` + string(list) + "}"), nil
}

// mayDelegate decides about a pass for hallpass itself: nobody gives away more
// than a part of what he has.
func mayDelegate(caller hallpass.Entry, own rights.Rights, p hallpass.Pass) error {
	given, err := rights.Of(p.Data)
	if err != nil {
		return err
	}
	parents, readable := caller.Parents()
	switch {
	case p.Scope != caller.Scope:
		return forbidden("its scope is %s, not %s", caller.Scope, p.Scope)
	case !caller.Recorded || caller.MaxUses > 0:
		return forbidden("only a recorded pass without a limit on its uses may have others come of it")
	case !readable || len(parents) >= hallpass.MaxParents:
		return forbidden("it has %d passes before it, and no more may come after", hallpass.MaxParents)
	case !p.Recorded:
		return forbidden("unrecorded: the new one must be recorded")
	case p.Subject != caller.Subject:
		return forbidden("subject: the new one must have that of its own")
	case p.Batch != caller.Batch:
		return forbidden("batch: the new one must have that of its own")
	case !slices.Contains(own.Modes, p.Mode):
		return forbidden("its modes do not hold %s", p.Mode)
	case caller.Target != "" && p.Target != caller.Target:
		return forbidden("it is bound to one URL")
	case !own.AnyScope && (given.AnyScope || !rights.Within(given.Scopes, own.Scopes)):
		return forbidden("the new one would issue scopes that it cannot")
	case !rights.Within(given.Modes, own.Modes):
		return forbidden("the new one would issue modes that it cannot")
	case !grantsWithin(p.Grants, caller.Grants):
		return forbidden("the new one would reach further than its grants")
	case !caller.ExpiresAt.IsZero() && (p.ExpiresAt.IsZero() || p.ExpiresAt.After(caller.ExpiresAt)):
		return forbidden("the new one would outlive it")
	}
	smaller := own.AnyScope != given.AnyScope || !rights.Within(own.Scopes, given.Scopes) || !rights.Within(own.Modes, given.Modes) ||
		!grantsWithin(caller.Grants, p.Grants) || p.MaxUses > 0 || !p.ExpiresAt.Equal(caller.ExpiresAt)
	if !smaller {
		return forbidden("the new one must be able to do less than it: name scopes, modes, grants, or an earlier end")
	}
	return nil
}

// grantsWithin reports whether part permits nothing that whole does not. No
// grants permit everything.
func grantsWithin(part, whole []hallpass.Grant) bool {
	if len(whole) == 0 {
		return true
	}
	if len(part) == 0 {
		return false
	}
	for _, g := range part {
		if !slices.ContainsFunc(whole, func(w hallpass.Grant) bool { return grantWithin(g, w) }) {
			return false
		}
	}
	return true
}

func grantWithin(g, w hallpass.Grant) bool {
	if g.Method != w.Method && (w.Method != "GET" || g.Method != "HEAD") {
		return false
	}
	if g.Path == w.Path {
		return g.Exact || !w.Exact
	}
	return !w.Exact && strings.HasPrefix(g.Path, w.Path) && (strings.HasSuffix(w.Path, "/") || g.Path[len(w.Path)] == '/')
}
