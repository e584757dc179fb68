package adminui_test

import (
	"encoding/csv"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

// rowsOf reads the table that came back.
func (s *site) rowsOf(got page) [][]string {
	s.t.Helper()
	if got.status != http.StatusOK {
		s.t.Fatalf("%d: %s", got.status, between(got.body, `role="alert">`, "</p>"))
	}
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

// passOf is the pass that the token of a row is.
func (s *site) passOf(token string) hallpass.Entry {
	s.t.Helper()
	found, _ := hallpass.FindToken(token, "")
	entry, _, err := s.issuer.Check(s.t.Context(), hallpass.Presentation{Token: found})
	if err != nil {
		s.t.Fatalf("%q: %v", token, err)
	}
	return entry
}

// what is wrong with an answer's form: the text at each field.
func blamed(got page) map[string]string {
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)id="[iu]-wrong-([a-z_]+)">.*?<span>(.*?)</span>`).FindAllStringSubmatch(got.body, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

func TestAnyColumnOfATableIsAnyFieldAndBeatsTheForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleIssuer)
	fields := map[string]string{
		"scope": "What", "mode": "How", "subject": "Who", "max_uses": "Times", "ttl": "Life", "not_before": "From", "data": "Extra",
		"grants": "May", "recipient": "Mail", "batch": "Group", "url": "Page", "format": "Form", "unrecorded": "Later",
	}
	shown := b.get("/issue").body
	var form []string
	for field, column := range fields {
		if !strings.Contains(shown, `name="column_`+field+`"`) {
			t.Errorf("the form has no field for the column of %s", field)
		}
		form = append(form, "column_"+field, column)
	}
	form = append(form, "scope", "form", "mode", "public", "max_uses", "9", "ttl", "7300d", "format", "short", "batch", "of the form",
		"url", "https://app.example.com/form", "grants", "GET /form", "not_before", "2040-01-01T00:00:00Z", "data", `{"of":"the form"}`)
	head := "What,How,Who,Times,Life,From,Extra,May,Mail,Group,Page,Form,Later\n"
	rows := s.rowsOf(b.upload(head+
		`row,request,42,0,2h,2026-01-01T00:00:00Z,"{""of"":""the row""}",GET /row; POST =/row,hugo@example.com,of the row,https://app.example.com/row,signed,true`+"\n"+
		strings.Repeat(",", 12)+"\n", form...))
	if len(rows) != 3 || rows[1][16] != "" || rows[2][16] != "" {
		t.Fatalf("%q", rows)
	}
	e := s.passOf(rows[1][14])
	if e.Scope != "row" || e.Mode != hallpass.ModeRequest || e.Subject != "42" || e.MaxUses != 0 || e.Batch != "of the row" ||
		string(e.Data) != `{"of":"the row"}` || len(e.Grants) != 2 || e.Recipient != "" && e.Recipient != "hugo@example.com" || e.Recorded ||
		e.ExpiresAt.Sub(s.issuer.Now()) > 3*3600e9 || !strings.HasPrefix(rows[1][15], "https://app.example.com/row?") {
		t.Errorf("what the row says does not hold: %+v, %s", e.Pass, rows[1][15])
	}
	e, err := s.issuer.Entry(t.Context(), rows[2][13])
	if err != nil || e.Scope != "form" || e.Mode != hallpass.ModePublic || e.MaxUses != 9 || e.Batch != "of the form" ||
		string(e.Data) != `{"of":"the form"}` || len(e.Grants) != 1 || !e.Recorded || e.NotBefore.Year() != 2040 || len(rows[2][14]) != 22 {
		t.Errorf("what the form says does not hold for a row that says nothing: %+v, %v", e.Pass, err)
	}
	rows = s.rowsOf(b.upload("subject,unrecorded,format\n1,,\n2,false,short\n", "scope", "act", "mode", "request", "unrecorded", "true", "format", "signed"))
	if s.passOf(rows[1][4]).Recorded || !s.passOf(rows[2][4]).Recorded {
		t.Error("the form's tick is not the default, or a row does not take it back")
	}
}

func TestABadCellNamesItsColumnAndTheOtherLinesGoOn(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleIssuer)
	rows := s.rowsOf(b.upload("who,times,ttl,from,may,kind,form,later,extra\n"+
		"1,many,,,,,,,\n"+ // 1
		"2,,soon,,,,,,\n"+
		"3,,,tomorrow,,,,,\n"+
		"4,,,,FETCH /x,,,,\n"+
		"5,,,,,Private,,,\n"+
		"6,,,,,,long,,\n"+
		"7,,,,,,,perhaps,\n"+
		"8,,,,,,,,{\n"+
		",,,,,request,,,\n"+ // 9
		"10,3,1h,2026-01-01T00:00:00Z,GET /x,request,compact,no,1\n"+
		"11,3,1h,2026-01-01T00:00:00Z,GET /x,request,compact,false,1\n",
		"scope", "act", "column_subject", "who", "column_max_uses", "times", "column_not_before", "from", "column_grants", "may",
		"column_mode", "kind", "column_format", "form", "column_unrecorded", "later", "column_data", "extra"))
	for n, want := range map[int]string{
		1: `column "times": max uses must be a whole number; 0 means unlimited`, 2: `column "ttl": ttl must be a duration such as 90s, 1h30m or 7d`,
		3: `column "from": not before must be a time such as 2026-01-31T18:00:00Z`, 4: `column "may": grants unknown method "FETCH"; use one of GET`,
		5: `column "kind": mode must be public, request or session`, 6: `column "form": format must be signed, short or compact`,
		7: `column "later": unrecorded must be true or false`, 8: `column "extra": data must be JSON`, 9: `column "who": subject is required in request mode`,
		10: `column "later": unrecorded must be true or false`,
	} {
		if got := rows[n][len(rows[n])-1]; !strings.HasPrefix(got, want) {
			t.Errorf("line %d: %q, want %q", n, got, want)
		}
		if rows[n][9] != "" {
			t.Errorf("line %d: a pass was issued", n)
		}
	}
	if rows[11][9] == "" || rows[11][12] != "" {
		t.Errorf("a good line after bad ones: %q", rows[11])
	}
}

func TestATableThatCannotBeReadSaysWhyBesideItsFieldAndKeepsTheForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleIssuer)
	for name, tt := range map[string]struct {
		table, field, says string
		form               []string
	}{
		"no file":             {"", "file", "The file is missing or empty", nil},
		"a misspelt column":   {"scope,max_use\na,1\n", "file", `The column "max_use" is no field; did you mean "max_uses"?`, nil},
		"a column twice":      {"a,a\n1,2\n", "file", `The column "a" is there twice`, nil},
		"a column of answers": {"id\n1\n", "file", `The column "id" is what the answer adds`, nil},
		"no such column":      {"who\n1\n", "column_subject", `There is no column "user"; the first line has "who"`, []string{"column_subject", "user"}},
		"one column as two":   {"who\n1\n", "column_recipient", `The column "who" cannot be both`, []string{"column_subject", "who", "column_recipient", "who"}},
		"a wrong default":     {"who\n1\n", "ttl", "Ttl must be a duration", []string{"ttl", "soon"}},
		"a wrong address":     {"who\n1\n", "url", "Url must be http or https", []string{"url", "javascript:alert(1)"}},
	} {
		got := b.upload(tt.table, append(tt.form, "batch", "kept-november")...)
		wrong := blamed(got)
		if got.status != http.StatusUnprocessableEntity || !strings.HasPrefix(wrong[tt.field], tt.says) || len(wrong) != 1 {
			t.Errorf("%s: %d, %q", name, got.status, wrong)
		}
		if !strings.Contains(got.body, `value="kept-november"`) || strings.Count(got.body, " autofocus") != 1 {
			t.Errorf("%s: the form is not kept, or the focus is nowhere", name)
		}
	}
	if page, err := s.issuer.Entries(t.Context(), hallpass.EntryFilter{Batch: "kept-november"}); err != nil || len(page.Entries) != 0 {
		t.Errorf("%d passes were issued, %v", len(page.Entries), err)
	}
}

// TestATableThatIsNoneIsNotBegun: a quote that is missing makes all that follows one
// cell. Nothing is issued, and the page says where.
func TestATableThatIsNoneIsNotBegun(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleIssuer)
	long := strings.Repeat("x,y\n", 5<<20/4)
	for name, tt := range map[string]struct{ table, says string }{
		"a quote that is missing in line 3":    {"scope,subject\na,1\na,\"2\n" + long, "The row after the one in line 2 is longer than"},
		"a first line of five megabytes":       {strings.Repeat("x", 5<<20), "the names of the columns, is longer than"},
		"a first line with a missing quote":    {"\"scope\n" + long, "the names of the columns, is longer than"},
		"only the mark of a spreadsheet":       {"\ufeff", "It is empty"},
		"a column that stands there twice":     {"scope,scope\na,a\n", "is there twice"},
		"a column of the answer's own columns": {"scope,token\na,a\n", "is what the answer adds"},
	} {
		began := time.Now()
		got := b.upload(tt.table, "mode", "public")
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, tt.says) {
			t.Errorf("%s: %d, it says %q", name, got.status, between(got.body, `role="alert">`, "</p>"))
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
