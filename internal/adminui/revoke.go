package adminui

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

type revokeView struct {
	frame
	Filters filters
	// Asked says that there is something to count.
	Asked bool
	Count revocable
	// Before is the moment that was counted for: what is issued later stays.
	Before time.Time
	// Everything says that nothing but the time narrows it, Operators that it reaches
	// all who are signed in to the admin, and Own that it reaches this operator.
	Everything, Operators, Own bool
}

// revocable is what a revocation would stop.
type revocable struct {
	// Stops counts the recorded passes that would stop working; Looked are those that
	// were looked at, and All says that these were all there are.
	Stops, Looked int
	All           bool
}

// A count looks at maxCount rows, for countTime: the page says how far it came.
const (
	maxCount  = 20_000
	countTime = 150 * time.Millisecond
)

func (u *UI) countRevocable(ctx context.Context, r hallpass.Revocation, now time.Time) (c revocable, err error) {
	f := hallpass.EntryFilter{Scope: r.Scope, Subject: r.Subject, Batch: r.Batch, Limit: hallpass.MaxPage}
	for began := time.Now(); c.Looked < maxCount && time.Since(began) < countTime; {
		page, err := u.issuer.Entries(ctx, f)
		if err != nil {
			return c, err
		}
		for _, e := range page.Entries {
			c.Looked++
			state := e.State(now)
			if e.IssuedAt.Before(r.Before) && (state == hallpass.StateActive || state == hallpass.StateNotYetValid) {
				c.Stops++
			}
		}
		if f.After = page.Next; f.After == "" {
			c.All = true
			break
		}
		if len(page.Entries) == 0 { // a stretch without any; the count says that it is not whole
			break
		}
	}
	return c, nil
}

var groupFilters = []string{"scope", "subject", "batch", "issued_before"}

func groupOf(f filters) (hallpass.Revocation, error) {
	r := hallpass.Revocation{Scope: hallpass.Scope(f["scope"]), Subject: f["subject"], Batch: f["batch"]}
	var err error
	r.Before, err = timeOf("issued_before", f["issued_before"])
	return r, err
}

// revokeForm counts first. It changes nothing.
func (u *UI) revokeForm(v *visit) error {
	f := read(v.URL.Query(), groupFilters...)
	r, err := groupOf(f)
	if err != nil {
		return err
	}
	view := revokeView{frame: u.frame(v, "passes"), Filters: f, Asked: r != (hallpass.Revocation{})}
	if view.Asked {
		if r.Before.IsZero() || r.Before.After(view.Now) {
			r.Before = view.Now
		}
		view.Before = r.Before
		view.Everything = r.Scope == "" && r.Subject == "" && r.Batch == ""
		view.Operators = view.Everything || r == hallpass.Revocation{Scope: Scope, Before: r.Before}
		view.Own = reaches(r, v.op.Pass)
		if view.Count, err = u.countRevocable(v.Context(), r, view.Now); err != nil {
			return err
		}
	}
	return u.show(v, http.StatusOK, "revoke", view)
}

// reaches reports whether a revocation is one of this pass too.
func reaches(r hallpass.Revocation, p hallpass.Pass) bool {
	return (r.Scope == "" || r.Scope == p.Scope) && (r.Subject == "" || r.Subject == p.Subject) &&
		(r.Batch == "" || r.Batch == p.Batch) && p.IssuedAt.Before(r.Before)
}

// revokeGroup does what was counted: the form names the moment, so that nothing
// that was issued meanwhile is reached.
func (u *UI) revokeGroup(v *visit) error {
	if err := v.ParseForm(); err != nil {
		return &hallpass.FieldError{Field: "body", Reason: "is no form"}
	}
	f := read(v.PostForm, groupFilters...)
	r, err := groupOf(f)
	switch {
	case err != nil:
		return err
	case r.Before.IsZero():
		return &hallpass.FieldError{Field: "issued_before", Reason: "is missing; count first, and take back from there"}
	case v.PostFormValue("sure") != "yes":
		return &hallpass.FieldError{Field: "sure", Reason: "must be ticked"}
	}
	var said []string
	for _, name := range groupFilters {
		if f[name] != "" {
			said = append(said, name+" "+f[name])
		}
	}
	err = u.act(v, hallpass.Event{
		Action: "passes.revoke", Scope: r.Scope, Subject: r.Subject, Batch: r.Batch, Detail: strings.Join(said, ", "),
	})
	if err != nil {
		return err
	}
	if err := u.issuer.RevokeGroup(v.Context(), r); err != nil {
		return err
	}
	delete(f, "issued_before")
	return u.redirect(v, "/passes?"+string(f.Query("done", "group")))
}
