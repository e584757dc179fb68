package adminui_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

// TestATableSetsEveryField: each can be set for all lines, and by a column of any name,
// which goes before it; a cell that is wrong spoils its line alone.
func TestATableSetsEveryField(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleIssuer)
	form := b.get("/issue").body
	for _, field := range []string{"scope", "mode", "subject", "max_uses", "ttl", "not_before", "data", "grants", "recipient", "batch", "url", "format", "unrecorded"} {
		if !strings.Contains(form, `name="column_`+field+`"`) {
			t.Errorf("the form asks for no column for %s", field)
		}
	}
	later := time.Now().Add(time.Hour).UTC()
	got := b.upload("for,times,days,kind,from,paths,form,later\n"+
		"42,3,2d,request,"+later.Format(time.RFC3339)+",GET /a;POST =/b,signed,false\n"+
		"43,,,,,,,\n"+
		"44,many,,,,,,\n"+
		"45,,soon,,,,,\n"+
		"46,,,nobody,,,,\n"+
		"47,,,,tomorrow,,,\n"+
		"48,,,,,FETCH a,,\n"+
		"49,,,,,,long,\n"+
		"50,,,,,,,perhaps\n",
		"scope", "act", "mode", "request", "max_uses", "1", "ttl", "1h", "unrecorded", "true", "format", "compact",
		"column_subject", "for", "column_max_uses", "times", "column_ttl", "days", "column_mode", "kind", "column_not_before", "from",
		"column_grants", "paths", "column_format", "form", "column_unrecorded", "later")
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != 10 {
		t.Fatalf("%d: %v\n%s", got.status, err, got.body)
	}
	first := s.entryOf(t, rows[1][9])
	if first.MaxUses != 3 || first.ExpiresAt.Sub(first.IssuedAt).Round(time.Hour) != 48*time.Hour || first.NotBefore.Unix() != later.Unix() ||
		len(first.Grants) != 2 || !first.Recorded {
		t.Errorf("the columns are not what the pass has: %+v", first)
	}
	second := s.entryOf(t, rows[2][9])
	if second.MaxUses != 1 || second.ExpiresAt.Sub(second.IssuedAt).Round(time.Minute) != time.Hour || second.Recorded || strings.Count(rows[2][9], ".") == 2 {
		t.Errorf("the settings are not what the pass has: %+v", second)
	}
	for n, field := range []string{"max uses", "ttl", "mode", "not before", "grants", "format", "unrecorded"} {
		if row := rows[n+3]; row[8] != "" || !strings.HasPrefix(row[len(row)-1], field+" ") {
			t.Errorf("a wrong %s: %q", field, row)
		}
	}
}

func (s *site) entryOf(t *testing.T, token string) hallpass.Entry {
	t.Helper()
	entry, _, err := s.issuer.Check(t.Context(), hallpass.Presentation{Token: hallpass.NewToken(token)})
	if err != nil && entry.ID == "" {
		t.Fatal(err)
	}
	return entry
}

// TestATableThatIsNoneIsNotBegun: a quote that is missing makes all that follows one
// cell. Nothing is issued, and the page says where.
func TestATableThatIsNoneIsNotBegun(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleIssuer)
	long := strings.Repeat("x,y\n", 5<<20/4)
	for name, tt := range map[string]struct{ table, says string }{
		"a quote that is missing in line 3":    {"scope,subject\na,1\na,\"2\n" + long, "the row after the one in line 2 is longer than"},
		"a first line of five megabytes":       {strings.Repeat("x", 5<<20), "the names of the columns, is longer than"},
		"a first line with a missing quote":    {"\"scope\n" + long, "the names of the columns, is longer than"},
		"only the mark of a spreadsheet":       {"\ufeff", "it is empty"},
		"a column that stands there twice":     {"scope,scope\na,a\n", "is there twice"},
		"a column of the answer's own columns": {"scope,token\na,a\n", "is what the answer adds"},
	} {
		began := time.Now()
		got := b.upload(tt.table, "mode", "public")
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, "file cannot be issued: ") || !strings.Contains(got.body, tt.says) {
			t.Errorf("%s: %d, it says %q", name, got.status, between(got.body, `class="lead">`, "<"))
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
	page, err := s.issuer.Entries(t.Context(), hallpass.EntryFilter{Scope: "a", Limit: 1})
	if err != nil || len(page.Entries) != 0 {
		t.Errorf("passes were issued: %+v, %v", page.Entries, err)
	}
}
