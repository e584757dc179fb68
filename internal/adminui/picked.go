package adminui

import (
	"fmt"
	"net/http"

	"github.com/hallpass-go/hallpass"
)

// maxPicked bounds how many passes are taken back one by one.
const maxPicked = 200

// pickedView says what taking back the passes that were ticked would do.
type pickedView struct {
	frame
	// Entries can be taken back; those of Kept are beyond this operator.
	Entries, Kept []hallpass.Entry
	// Stops counts those that work until then, Over those that were taken back before,
	// and Gone those that the store does not know.
	Stops, Over, Gone int
	// Own says that the operator's own pass is among them.
	Own bool
}

// picked reads the passes that were ticked, as they are now.
func (u *UI) picked(v *visit, ids []string) (pickedView, error) {
	view := pickedView{frame: u.frame(v, "passes")}
	if len(ids) > maxPicked {
		return view, &hallpass.FieldError{Field: "id", Reason: fmt.Sprintf("is there more than %d times; take back a group instead", maxPicked)}
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		entry, err := u.issuer.Entry(v.Context(), id)
		switch {
		case isNotFound(err):
			view.Gone++
			continue
		case err != nil:
			return view, err
		case !u.mayRevoke(v.op, entry.Pass):
			view.Kept = append(view.Kept, entry)
			continue
		}
		switch entry.State(view.Now) {
		case hallpass.StateRevoked:
			view.Over++
			continue
		case hallpass.StateActive, hallpass.StateNotYetValid:
			view.Stops++
		}
		view.Own = view.Own || entry.ID == v.op.Pass.ID
		view.Entries = append(view.Entries, entry)
	}
	return view, nil
}

// pickedForm shows what was ticked, and counts. It changes nothing.
func (u *UI) pickedForm(v *visit) error {
	view, err := u.picked(v, v.URL.Query()["id"])
	if err != nil {
		return err
	}
	return u.show(v, http.StatusOK, "picked", view)
}

// revokePicked takes back one pass after the other, each as if it alone was, so that
// each one's time line says who did it. What is wrong with one ends it; those before
// stay taken back, and are in the log.
func (u *UI) revokePicked(v *visit) error {
	if err := v.ParseForm(); err != nil {
		return &hallpass.FieldError{Field: "body", Reason: "is no form"}
	}
	view, err := u.picked(v, v.PostForm["id"])
	switch {
	case err != nil:
		return err
	case v.PostFormValue("sure") != "yes":
		return &hallpass.FieldError{Field: "sure", Reason: "must be ticked"}
	case len(view.Kept) > 0:
		u.refuse(v, "role")
		return nil
	}
	// What ends the operator's own session comes last.
	own := -1
	for n, entry := range view.Entries {
		if entry.ID == v.op.Pass.ID {
			own = n
			continue
		}
		if err := u.takeBack(v, entry.Pass); err != nil {
			return err
		}
	}
	if own >= 0 {
		if err := u.takeBack(v, view.Entries[own].Pass); err != nil {
			return err
		}
	}
	return u.redirect(v, "/passes?done=picked")
}
