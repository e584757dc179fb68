package adminui

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// listed is how many rows a page has.
const listed = 50

type passesView struct {
	frame
	Filters filters
	Modes   []hallpass.Mode
	States  []hallpass.State
	Sorts   []sortOrder
	Entries []hallpass.Entry
	Next    string
	// Group is the filters as a revocation understands them; empty when it cannot.
	Group template.URL
}

// Pick says that rows can be ticked.
func (v passesView) Pick() bool { return v.Can(RoleIssuer) }

// Pick: those that were ticked are not ticked again.
func (pickedView) Pick() bool { return false }

// sortOrder orders the rows of a page. The store has one order, by time of issue:
// it alone is quick among ten million rows.
type sortOrder struct {
	Name, Label string
	compare     func(a, b hallpass.Entry) int
}

var sortOrders = []sortOrder{
	{"", "newest first", nil},
	{"ends", "this page by end", func(a, b hallpass.Entry) int { return endOf(a).Compare(endOf(b)) }},
	{"used", "this page by uses", func(a, b hallpass.Entry) int { return cmp.Compare(b.Used, a.Used) }},
	{"subject", "this page by subject", func(a, b hallpass.Entry) int { return strings.Compare(a.Subject, b.Subject) }},
	{"scope", "this page by scope", func(a, b hallpass.Entry) int { return strings.Compare(string(a.Scope), string(b.Scope)) }},
}

func endOf(e hallpass.Entry) time.Time {
	if e.ExpiresAt.IsZero() {
		return time.Unix(1<<40, 0) // behind all that end
	}
	return e.ExpiresAt
}

func entryFilter(f filters) (hallpass.EntryFilter, error) {
	out := hallpass.EntryFilter{
		Scope: hallpass.Scope(f["scope"]), Subject: f["subject"], Recipient: f["recipient"], Batch: f["batch"], Query: f["q"],
	}
	var err error
	if out.Mode, err = oneOf("mode", f["mode"], modes...); err != nil {
		return out, err
	}
	out.State, err = oneOf("state", f["state"], states...)
	return out, err
}

var passFilters = []string{"q", "scope", "subject", "recipient", "batch", "mode", "state", "sort"}

func (u *UI) passes(v *visit) error {
	f := read(v.URL.Query(), passFilters...)
	filter, err := entryFilter(f)
	if err != nil {
		return err
	}
	filter.After, filter.Limit = v.URL.Query().Get("after"), listed
	page, err := u.issuer.Entries(v.Context(), filter)
	if err != nil {
		return err
	}
	for _, order := range sortOrders {
		if order.Name == f["sort"] && order.compare != nil {
			slices.SortStableFunc(page.Entries, order.compare)
		}
	}
	view := passesView{
		frame: u.frame(v, "passes"), Filters: f, Modes: modes, States: states, Sorts: sortOrders, Entries: page.Entries, Next: page.Next,
	}
	group := filters{}
	for _, name := range []string{"scope", "subject", "batch"} {
		if f[name] != "" {
			group[name] = f[name]
		}
	}
	// A group is taken back whole: what else the list is narrowed to would not hold.
	narrower := f["q"] != "" || f["recipient"] != "" || f["mode"] != "" || f["state"] != ""
	if len(group) > 0 && !narrower {
		view.Group = group.Query()
	}
	return u.show(v, http.StatusOK, "passes", view)
}
