package djangoimport_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/internal/djangoimport"
	"github.com/hallpass-go/hallpass/memstore"
)

// withoutKey is the SQLite database with a table of tokens that has no primary key, and
// a row 0.
func withoutKey(t *testing.T) database {
	t.Helper()
	d := sqliteDatabase(t)
	d.exec(t, "CREATE TABLE copied AS SELECT * FROM request_token_requesttoken")
	d.exec(t, "PRAGMA foreign_keys = OFF; DROP TABLE request_token_requesttoken")
	d.exec(t, "ALTER TABLE copied RENAME TO request_token_requesttoken")
	d.addToken(t, int64(0))
	return d
}

func (d database) addToken(t *testing.T, id any) {
	t.Helper()
	d.exec(t, `INSERT INTO request_token_requesttoken (id, issued_at, max_uses, used_to_date, scope, login_mode, data)
		VALUES (?, '2026-03-02 00:00:00', 3, 1, 'rsvp', 'None', '{}')`, id)
}

// A text as an id ended the import with the driver's words; NULL and 1.5 were read as
// row 0, and the second run revoked the pass of the real one.
func TestARowWithoutAWholeIDIsReportedAndTouchesNothing(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]any{
		"a text": "seven", "a text of digits and more": "7x", "nothing": nil, "a fraction": 41.5, "less than one": 0.5,
		"too large": 9.3e18, "bytes": []byte{0xff}, "a long text": strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, d, store := readMigration(t), withoutKey(t), memstore.New()
			d.addToken(t, id)
			cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
			for earlier, want := range []int64{64, 0} {
				report := run(t, cfg)
				if report.Imported != want || report.ProblemCount != 1 || report.Problems[0].Row != nil || report.Revoked+report.Deleted != 0 ||
					len(report.Problems[0].Problem) > 200 {
					t.Errorf("run %d: %s", earlier+1, jsonOf(report))
				}
			}
			if e := entry(t, store, 0); !e.RevokedAt.IsZero() || e.MaxUses != 3 {
				t.Errorf("row 0: %+v", e)
			}
		})
	}
}

// Django finds no one row by such an id, and refuses the token.
func TestAnIDThatSeveralRowsHaveIsNobodys(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), withoutKey(t), memstore.New()
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
	run(t, cfg)
	for _, id := range []int64{0, 1_000_000, 1_000_000} {
		d.addToken(t, id)
	}
	report := run(t, cfg)
	if report.ProblemCount != 2 || report.Imported != 0 || report.Revoked != 1 || entry(t, store, 0).RevokedAt.IsZero() {
		t.Errorf("%s", jsonOf(report))
	}
	if _, err := store.Entry(t.Context(), django.RequestTokenID("django", 1_000_000)); !errors.Is(err, hallpass.ErrNotFound) {
		t.Errorf("one of two rows was imported: %v", err)
	}
}

// In PostgreSQL the column has a type, which says it of all rows at once.
func TestIDsOfAnotherTypeAreAFieldError(t *testing.T) {
	t.Parallel()
	d := postgresDatabase(t)
	for _, change := range []string{
		"ALTER TABLE request_token_requesttokenlog DROP CONSTRAINT IF EXISTS %s",
		"ALTER TABLE request_token_requesttoken ALTER COLUMN id DROP IDENTITY IF EXISTS",
		"ALTER TABLE request_token_requesttoken ALTER COLUMN id DROP DEFAULT",
		"ALTER TABLE request_token_requesttoken ALTER COLUMN id TYPE text",
	} {
		if strings.Contains(change, "%s") {
			var foreign string
			err := d.db.QueryRowContext(t.Context(), `SELECT quote_ident(conname) FROM pg_constraint
				WHERE contype = 'f' AND confrelid = 'request_token_requesttoken'::regclass`).Scan(&foreign)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			change = fmt.Sprintf(change, foreign)
		}
		d.exec(t, change)
	}
	err := djangoimport.Check(t.Context(), djangoimport.Config{From: d.dsn})
	var field *hallpass.FieldError
	if !errors.As(err, &field) || field.Field != "from" || !strings.Contains(field.Reason, "type text") {
		t.Errorf("%v", err)
	}
}

// Data of 5 MB and {"a":1,"a":2} came over, which no pass of hallpass's own may hold.
func TestDataThatNoPassMayHoldAreReported(t *testing.T) {
	t.Parallel()
	fits := `{"a":"` + strings.Repeat("ü", (64<<10-8)/2) + `"}`
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	wrong := map[int64]string{
		45: `{"a":"` + strings.Repeat("x", 5<<20) + `"}`, 46: `{"a":1,"a":2}`, 47: `"\ud800"`, 50: strings.Repeat("[", 40) + strings.Repeat("]", 40),
		54: `{"a":"` + strings.Repeat("x", 64<<10-7) + `"}`, 62: `{"a":"` + strings.Repeat("ü", 64<<10-8) + `"}`,
	}
	for row, data := range wrong {
		d.exec(t, "UPDATE request_token_requesttoken SET data = ? WHERE id = ?", data, row)
	}
	d.exec(t, "UPDATE request_token_requesttoken SET data = ? WHERE id = 57", fits)
	report := run(t, djangoimport.Config{From: d.dsn, Store: store, Now: m.now})
	var told []int64
	for _, p := range report.Problems {
		told = append(told, *p.Row)
	}
	slices.Sort(told)
	if want := []int64{45, 46, 47, 50, 54, 62}; !slices.Equal(told, want) {
		t.Errorf("%v, want %v: %s", told, want, jsonOf(report))
	}
	for row := range wrong {
		if _, err := store.Entry(t.Context(), django.RequestTokenID("django", row)); !errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("row %d: %v", row, err)
		}
	}
	if got := entry(t, store, 57).Data; string(got) != fits {
		t.Errorf("%d bytes of data", len(got))
	}
}
