package djangoimport_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/djangoimport"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/memstore"
)

const (
	setToken = "UPDATE request_token_requesttoken SET %s WHERE id = %d"
	addLog   = "INSERT INTO request_token_requesttokenlog (id, user_agent, timestamp, token_id, status_code) VALUES (%d, 'late', '2026-03-02 10:00:0%d', %d, 200)"
)

// useInDjango is what Django does with a token: it counts and writes a log row.
func useInDjango(t *testing.T, d database, logID, token int64) {
	t.Helper()
	d.exec(t, fmt.Sprintf(setToken, "used_to_date = used_to_date + 1", token))
	d.exec(t, fmt.Sprintf(addLog, logID, logID%10, token))
}

func useHere(t *testing.T, m migration, store hallpass.Store, row int64, times int) {
	t.Helper()
	issuer := m.issuer(t, store)
	for _, token := range m.Tokens {
		for n := 0; token.ID == row && n < times; n++ {
			_, err := issuer.RedeemOnce(t.Context(), hallpass.Presentation{
				Token: hallpass.NewToken(token.JWT), Scope: hallpass.Scope(token.Scope), Confirmed: true,
			}, 200)
			if err != nil {
				t.Fatalf("%d: %v", row, err)
			}
		}
	}
}

// TestOnlyWhatDjangoAddedIsAdded changes everything that can change between two
// imports, while hallpass honours too.
func TestOnlyWhatDjangoAddedIsAdded(t *testing.T) {
	t.Parallel()
	for from, open := range map[string]func(*testing.T) database{"sqlite": sqliteDatabase, "postgres": postgresDatabase} {
		for into, store := range stores {
			t.Run("from "+from+" into "+into, func(t *testing.T) {
				t.Parallel()
				m, d, store := readMigration(t), open(t), store(t)
				cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
				run(t, cfg)

				useHere(t, m, store, 45, 2) // of 10, none used in Django
				useInDjango(t, d, 301, 45)
				useInDjango(t, d, 302, 45)
				useInDjango(t, d, 303, 45)
				d.exec(t, fmt.Sprintf(setToken, "used_to_date = used_to_date + 2", 46)) // without log rows
				useHere(t, m, store, 47, 9)                                             // of 10
				useInDjango(t, d, 304, 47)
				useInDjango(t, d, 305, 47)                               // one too many
				d.exec(t, fmt.Sprintf(setToken, "used_to_date = 0", 56)) // 2 were used: never lowered
				d.exec(t, fmt.Sprintf(setToken, "max_uses = 15", 44))    // 2 of 10
				d.exec(t, fmt.Sprintf(setToken, "max_uses = 5", 50))     // 3 of 10
				d.exec(t, fmt.Sprintf(setToken, "max_uses = 0", 52))     // 3 of 6
				d.exec(t, fmt.Sprintf(setToken, "max_uses = 4", 39))     // 0 of 0
				d.exec(t, fmt.Sprintf(setToken, "max_uses = 8", 53))     // 4 of 3
				d.exec(t, "INSERT INTO request_token_requesttoken (id, issued_at, max_uses, used_to_date, scope, login_mode, data) VALUES (70, '2026-03-02 00:00:00', 3, 1, 'rsvp', 'None', '{}')")
				d.exec(t, fmt.Sprintf(addLog, 306, 6, 70))
				d.exec(t, "DELETE FROM request_token_requesttoken WHERE id IN (61, 62)")

				left := map[int64]int64{45: 5, 46: 8, 47: 0, 56: 8, 44: 13, 50: 2, 52: 0, 39: 4, 53: 4, 70: 2, 63: 893}
				judge := func(again string) {
					t.Helper()
					for row, want := range left {
						if got, _ := entry(t, store, row).UsesLeft(); got != want {
							t.Errorf("%s: %d has %d uses left, want %d", again, row, got, want)
						}
					}
					for _, row := range []int64{61, 62} {
						if entry(t, store, row).RevokedAt.IsZero() {
							t.Errorf("%s: the deleted token %d was not revoked", again, row)
						}
					}
					if uses := usesOf(t, store, entry(t, store, 45).ID); len(uses) != 5 {
						t.Errorf("%s: %d uses of 45, want 5", again, len(uses))
					}
				}
				report := run(t, cfg)
				judge("at first")
				if report.Imported != 1 || report.Deleted != 2 || report.QuotaRaised != 3 || report.QuotaLowered != 2 || report.AlreadyThere != 61 {
					t.Errorf("report %s", jsonOf(report))
				}
				if e := entry(t, store, 44); e.MaxUses != 15 || e.Used != 2 {
					t.Errorf("44 has %d of %d, want 2 of 15", e.Used, e.MaxUses)
				}
				second := run(t, cfg)
				judge("again")
				if second.UsesAdded != 0 || second.Deleted != 0 || second.QuotaRaised != 0 || second.QuotaLowered != 0 {
					t.Errorf("the second time %s", jsonOf(second))
				}

				// What two sides honoured together is made up for by a raise.
				d.exec(t, fmt.Sprintf(setToken, "max_uses = 14", 47)) // 2 in Django, 9 here
				// A number that comes back is another token.
				d.exec(t, "INSERT INTO request_token_requesttoken (id, issued_at, max_uses, used_to_date, scope, login_mode, data) VALUES (62, '2026-03-02 00:00:00', 3, 0, 'rsvp', 'None', '{}')")
				left[47] = 3
				third := run(t, cfg)
				judge("the third time")
				if third.ProblemCount != 1 || *third.Problems[0].Row != 62 {
					t.Errorf("the third time %s", jsonOf(third))
				}
			})
		}
	}
}

func TestWhatTheRowCannotFollowIsReported(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
	run(t, cfg)
	d.exec(t, fmt.Sprintf(setToken, `data = '{"big": 9007199254740994}'`, 46))
	report := run(t, cfg)
	if report.ProblemCount != 1 || entry(t, store, 46).RevokedAt.After(time.Time{}) {
		t.Errorf("%s", jsonOf(report))
	}
}

func TestRowsThatAreWrongStopNothing(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	wrong := map[int64]string{
		45: "scope = ''", 46: "scope = 'hallpass:api'", 47: "login_mode = 'Magic'", 54: "max_uses = 'many'",
		55: "expiration_time = 'soon'", 57: "user_id = NULL", 62: "used_to_date = 1.5", 50: "scope = replace(hex(zeroblob(51)), '00', 'ab')",
	}
	for row, change := range wrong {
		d.exec(t, fmt.Sprintf(setToken, change, row))
	}
	d.exec(t, "UPDATE request_token_requesttokenlog SET timestamp = 'then' WHERE id = 1")
	var told []djangoimport.Problem
	report := run(t, djangoimport.Config{From: d.dsn, Store: store, Now: m.now, Problem: func(p djangoimport.Problem) { told = append(told, p) }})
	if report.ProblemCount != int64(len(wrong)+1) || len(told) != len(wrong)+1 || report.Imported != 63-int64(len(wrong)) {
		t.Errorf("%s", jsonOf(report))
	}
	for _, p := range told {
		if _, known := wrong[*p.Row]; !known && p.Table == "request_token_requesttoken" {
			t.Errorf("%+v", p)
		}
	}
	for row := range wrong {
		if _, err := store.Entry(t.Context(), "drt-django-"+jsonOf(row)); !errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("the wrong row %d: %v", row, err)
		}
	}
}

func TestExpiredRowsAreKeptOrRevokedAsWished(t *testing.T) {
	t.Parallel()
	m, d := readMigration(t), sqliteDatabase(t)
	ended := d.number(t, "SELECT count(*) FROM request_token_requesttoken WHERE expiration_time <= '2026-03-01 12:00:00'")
	first, later := memstore.New(), memstore.New()
	kept := run(t, djangoimport.Config{From: d.dsn, Store: later, Now: m.now})
	if kept.ExpiredKept != ended || kept.ExpiredRevoked != 0 {
		t.Errorf("kept: %s", jsonOf(kept))
	}
	for name, store := range map[string]hallpass.Store{"at first": first, "later": later} {
		report := run(t, djangoimport.Config{From: d.dsn, Store: store, Now: m.now, ExpiredRows: djangoimport.RevokeExpired})
		if report.ExpiredRevoked != ended || report.ExpiredKept != 0 {
			t.Errorf("%s: %s", name, jsonOf(report))
		}
		issuer := m.issuer(t, store)
		for _, token := range m.Tokens {
			_, _, err := issuer.Check(t.Context(), hallpass.Presentation{Token: hallpass.NewToken(token.JWT)})
			if expired := token.ID == 48 || token.ID == 49; expired != errors.Is(err, hallpass.RefusalRevoked) {
				t.Errorf("%s: %d %s: %v", name, token.ID, token.Label, err)
			}
		}
	}
}

func TestAnEmptyDatabaseIsNotTakenForOneInWhichAllWasDeleted(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
	run(t, cfg)
	d.exec(t, "DELETE FROM request_token_requesttoken")
	_, err := djangoimport.Run(t.Context(), cfg)
	var field *hallpass.FieldError
	if !errors.As(err, &field) || field.Field != "from" || !entry(t, store, 63).RevokedAt.IsZero() {
		t.Errorf("%v", err)
	}
	cfg.RevokeMissing = true
	if report := run(t, cfg); report.Deleted != m.Totals.Tokens || entry(t, store, 63).RevokedAt.IsZero() {
		t.Errorf("as told to: %s", jsonOf(report))
	}
}

func TestWhatIsNoSuchDatabaseIsAFieldErrorWithoutItsPassword(t *testing.T) {
	t.Parallel()
	d := sqliteDatabase(t)
	d.exec(t, "DROP TABLE request_token_requesttokenlog")
	odd := sqliteDatabase(t)
	odd.exec(t, "ALTER TABLE request_token_requesttoken DROP COLUMN used_to_date")
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, []byte("this is no database of any kind"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dsn := range []string{"", "sqlite:", "sqlite:/no/such/file", "sqlite:/", "mysql://u:sesame@h/d", "postgres://u:sesame@h:port/d", "site.sqlite3", d.dsn,
		"postgres:u:sesame", "postgresql:sesame", "postgres://u:sesame@h/d?sslmode=sesame", "sqlite:" + garbage, odd.dsn} {
		_, err := djangoimport.Run(t.Context(), djangoimport.Config{From: dsn, Store: memstore.New()})
		for _, err := range []error{err, djangoimport.Check(t.Context(), djangoimport.Config{From: dsn})} {
			var field *hallpass.FieldError
			if !errors.As(err, &field) || field.Field != "from" || strings.Contains(err.Error(), "sesame") {
				t.Errorf("%q: %v", dsn, err)
			}
		}
	}
	_, err := djangoimport.Run(t.Context(), djangoimport.Config{From: "postgres://u:sesame@127.0.0.1:1/d?connect_timeout=2", Store: memstore.New()})
	if !errors.Is(err, hallpass.ErrUnavailable) || strings.Contains(err.Error(), "sesame") {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestADatabaseThatTheServerDoesNotHaveIsAFieldError: it was exit 3, as if waiting
// would help.
func TestADatabaseThatTheServerDoesNotHaveIsAFieldError(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(needs.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/nowhere"
	err = djangoimport.Check(t.Context(), djangoimport.Config{From: address.String()})
	var field *hallpass.FieldError
	if !errors.As(err, &field) || field.Field != "from" {
		t.Errorf("%v", err)
	}
}

// Ids need be neither dense nor positive, nor small.
func TestIDsMayLieAnywhere(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	for _, id := range []int64{-9223372036854775808, -1001, -1000, -1, 0, 999, 1000, 1999, 2147483647, 9223372036854775807} {
		d.exec(t, "INSERT INTO request_token_requesttoken (id, issued_at, max_uses, used_to_date, scope, login_mode, data) VALUES (?, '2026-03-02 00:00:00', 3, 1, 'rsvp', 'None', '{}')", id)
	}
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
	if report := run(t, cfg); report.Imported != 73 {
		t.Errorf("%s", jsonOf(report))
	}
	d.exec(t, "DELETE FROM request_token_requesttoken WHERE id < 0 OR id > 100")
	if report := run(t, cfg); report.Deleted != 9 || report.AlreadyThere != 64 {
		t.Errorf("%s", jsonOf(report))
	}
	if report := run(t, cfg); report.Deleted != 0 {
		t.Errorf("%s", jsonOf(report))
	}
}

func TestTwoImportsOfOneKeyDoNotRunAtOnce(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	// Somebody who lives renews his lease.
	ctx := t.Context()
	cell := hallpass.Cell{Group: "import:django:django", Key: "lease", ExpiresAt: time.Now().Add(time.Hour)}
	cell, err := store.Swap(ctx, cell, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := djangoimport.Run(ctx, djangoimport.Config{From: d.dsn, Store: store})
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if !errors.Is(err, hallpass.ErrConflict) {
				t.Errorf("%v, want a conflict", err)
			}
			// One who was killed does not.
			cell.ExpiresAt = time.Now().Add(500 * time.Millisecond)
			if _, err := store.Swap(ctx, cell, time.Now()); err != nil {
				t.Fatal(err)
			}
			run(t, djangoimport.Config{From: d.dsn, Store: store})
			check(t, m, store, true)
			return
		case <-time.After(50 * time.Millisecond):
			if cell, err = store.Swap(ctx, cell, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestALogRowThatWasCommittedLateIsNotMissed(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
	d.exec(t, fmt.Sprintf(setToken, "used_to_date = used_to_date + 1", 63))
	d.exec(t, fmt.Sprintf(addLog, 302, 2, 63))
	run(t, cfg)
	useInDjango(t, d, 301, 63) // its id was drawn before
	run(t, cfg)
	if e := entry(t, store, 63); e.Used != 109 || len(usesOf(t, store, e.ID)) != 109 {
		t.Errorf("used %d times, %d uses; want 109", e.Used, len(usesOf(t, store, e.ID)))
	}
	// Truncating the log, which Django has a command for, takes nothing away here.
	d.exec(t, "DELETE FROM request_token_requesttokenlog")
	run(t, cfg)
	if e := entry(t, store, 63); e.Used != 109 || len(usesOf(t, store, e.ID)) != 109 {
		t.Errorf("after truncation: used %d times, %d uses; want 109", e.Used, len(usesOf(t, store, e.ID)))
	}
}

// TestPruningTheLogHereChangesNoCount between two imports.
func TestPruningTheLogHereChangesNoCount(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
	run(t, cfg)
	useInDjango(t, d, 301, 63)
	run(t, cfg)
	if _, err := store.Prune(t.Context(), hallpass.PruneRule{Now: m.now(), KeepUses: 0}); err != nil {
		t.Fatal(err)
	}
	useInDjango(t, d, 302, 63)
	run(t, cfg)
	if e := entry(t, store, 63); e.Used != 109 || len(usesOf(t, store, e.ID)) != 1 {
		t.Errorf("used %d times, %d uses; want 109 and the newest", e.Used, len(usesOf(t, store, e.ID)))
	}
}

func TestARowLivesAsLongAsItsToken(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
	run(t, cfg)
	const ended, ends, endless = 49, 60, 63
	if e := entry(t, store, ended); !e.KeepUntil.IsZero() {
		t.Errorf("a row that has expired, whose JWT may live, goes at %v", e.KeepUntil)
	}
	// It was pruned two days after its row's end, also where that had been moved to
	// before the JWT's.
	if e := entry(t, store, ends); !e.ExpiresAt.Equal(time.Unix(1772366700, 0)) || !e.KeepUntil.IsZero() {
		t.Errorf("ends %v, goes at %v", e.ExpiresAt, e.KeepUntil)
	}
	if e := entry(t, store, endless); !e.KeepUntil.IsZero() {
		t.Errorf("goes at %v", e.KeepUntil)
	}
	d.exec(t, fmt.Sprintf(setToken, "expiration_time = '2026-04-01 00:00:00'", ends))
	d.exec(t, fmt.Sprintf(setToken, "expiration_time = NULL", 58))
	run(t, cfg)
	end := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	if e := entry(t, store, ends); !e.ExpiresAt.Equal(end) || !e.KeepUntil.IsZero() {
		t.Errorf("extended: ends %v, goes %v", e.ExpiresAt, e.KeepUntil)
	}
	if e := entry(t, store, 58); !e.KeepUntil.IsZero() {
		t.Errorf("without end: goes at %v", e.KeepUntil)
	}
}

// TestALoweredQuotaIsInForceAtOnce: of a quota that was lowered by two thousand
// million, a million were counted as used, and the rest went on working.
func TestALoweredQuotaIsInForceAtOnce(t *testing.T) {
	t.Parallel()
	for into, open := range stores {
		if into == "no history" {
			continue
		}
		t.Run(into, func(t *testing.T) {
			t.Parallel()
			m, d, store := readMigration(t), sqliteDatabase(t), open(t)
			cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
			run(t, cfg)
			left := func(when string, want map[int64]int64) {
				t.Helper()
				for row, n := range want {
					e := entry(t, store, row)
					if got, limited := e.UsesLeft(); got != n || !limited || !e.RevokedAt.IsZero() {
						t.Errorf("%s: %d was used %d of %d, %d are left, want %d", when, row, e.Used, e.MaxUses, got, n)
					}
				}
			}
			const million, unused, some, honoured = 41, 45, 63, 47
			useHere(t, m, store, honoured, 2)
			d.exec(t, fmt.Sprintf(setToken, "max_uses = 20", million)) // of 2147483647, of which 12 were used
			d.exec(t, fmt.Sprintf(setToken, "max_uses = 0", unused))   // of 10
			d.exec(t, fmt.Sprintf(setToken, "max_uses = -5", some))    // of 1000, of which 107 were used
			d.exec(t, fmt.Sprintf(setToken, "max_uses = 0", honoured)) // of 10, of which 2 were used here
			report := run(t, cfg)
			left("lowered", map[int64]int64{million: 8, unused: 0, some: 0, honoured: 0})
			if report.QuotaLowered != 4 || report.UsesAdded > 1 || report.ProblemCount != 0 {
				t.Errorf("%s", jsonOf(report))
			}
			if e := entry(t, store, million); e.Used != 12 || e.MaxUses != 20 {
				t.Errorf("uses were invented: %d of %d, want 12 of 20", e.Used, e.MaxUses)
			}
			if again := run(t, cfg); again.QuotaLowered != 0 || again.UsesAdded != 0 {
				t.Errorf("again: %s", jsonOf(again))
			}
			for row, n := range map[int64]int{million: 30, unused: 4, some: 110, honoured: 10} {
				d.exec(t, fmt.Sprintf(setToken, fmt.Sprintf("max_uses = %d", n), row))
			}
			run(t, cfg)
			left("raised", map[int64]int64{million: 18, unused: 4, some: 3, honoured: 8})
		})
	}
}

// TestUsesWithoutALogAreNotCountedForEver: a count that was set to its end, which
// switches a token off in Django, was carried over at a million a run.
func TestUsesWithoutALogAreNotCountedForEver(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
	run(t, cfg)
	d.exec(t, fmt.Sprintf(setToken, "used_to_date = max_uses", 41))
	d.exec(t, fmt.Sprintf(setToken, "used_to_date = used_to_date + 5000", 63)) // of 1000
	report := run(t, cfg)
	for _, row := range []int64{41, 63} {
		e := entry(t, store, row)
		if left, _ := e.UsesLeft(); left != 0 || e.Used > 12+1000 {
			t.Errorf("%d: used %d of %d", row, e.Used, e.MaxUses)
		}
	}
	if report.ProblemCount != 0 {
		t.Errorf("%s", jsonOf(report))
	}
	if again := run(t, cfg); again.UsesAdded != 0 {
		t.Errorf("again: %s", jsonOf(again))
	}
}

// TestWhereNoQuotaCanFallThePassIsTakenBack rather than left open.
func TestWhereNoQuotaCanFallThePassIsTakenBack(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), plainStore{memstore.New()}
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now, MaxCounts: 100}
	run(t, cfg)
	d.exec(t, fmt.Sprintf(setToken, "max_uses = 20", 41))
	d.exec(t, fmt.Sprintf(setToken, "max_uses = 5", 50)) // 3 of 10
	d.exec(t, fmt.Sprintf(setToken, "used_to_date = used_to_date + 500", 63))
	report := run(t, cfg)
	for row, revoked := range map[int64]bool{41: true, 63: true, 50: false} {
		if e := entry(t, store, row); e.RevokedAt.IsZero() == revoked {
			t.Errorf("%d: %+v", row, e)
		}
	}
	if left, _ := entry(t, store, 50).UsesLeft(); left != 2 || report.Revoked != 2 || report.ProblemCount != 2 {
		t.Errorf("%d left of 50, %s", left, jsonOf(report))
	}
}

// TestAnotherDatabaseIsRefused: importing a second site under the key of the first
// revoked every pass of the first, and said that all was well.
func TestAnotherDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
	run(t, cfg)
	sameIDs, otherIDs, backup := sqliteDatabase(t), sqliteDatabase(t), sqliteDatabase(t)
	sameIDs.exec(t, "UPDATE request_token_requesttoken SET issued_at = '2025-01-02 03:04:05.678'")
	otherIDs.exec(t, "UPDATE request_token_requesttoken SET id = id + 500")
	backup.exec(t, "DELETE FROM request_token_requesttoken WHERE id > 20")
	for name, other := range map[string]database{"the same ids": sameIDs, "other ids": otherIDs, "an old backup": backup} {
		for _, dry := range []bool{true, false} {
			c := cfg
			c.From, c.DryRun = other.dsn, dry
			report, err := djangoimport.Run(t.Context(), c)
			var field *hallpass.FieldError
			if !errors.As(err, &field) || field.Field != "from" || !strings.Contains(err.Error(), "--revoke-missing") || report.Deleted != 0 {
				t.Errorf("%s: %v, %s", name, err, jsonOf(report))
			}
		}
	}
	for _, token := range m.Tokens {
		if e := entry(t, store, token.ID); !e.RevokedAt.IsZero() {
			t.Errorf("%d was revoked", token.ID)
		}
	}
	if again := run(t, cfg); again.AlreadyThere != m.Totals.Tokens || again.ProblemCount != 0 {
		t.Errorf("the right one is not taken any more: %s", jsonOf(again))
	}
	cfg.From, cfg.RevokeMissing = backup.dsn, true
	if report := run(t, cfg); report.Deleted != m.Totals.Tokens-report.AlreadyThere || report.Deleted == 0 {
		t.Errorf("as told to: %s", jsonOf(report))
	}
}

// TestARowThatIsAnotherTokenTakesTheOldOneBack: a reused id, or a row that permits
// something else, left the old pass as it was.
func TestARowThatIsAnotherTokenTakesTheOldOneBack(t *testing.T) {
	t.Parallel()
	for into, open := range stores {
		t.Run(into, func(t *testing.T) {
			t.Parallel()
			m, d, store := readMigration(t), sqliteDatabase(t), open(t)
			cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
			run(t, cfg)
			changes := map[int64]string{
				44: "issued_at = '2026-03-02 00:00:00'", 45: "scope = 'other'", 46: "login_mode = 'Request', user_id = 1", 57: "user_id = 1",
				// Rows that cannot be read, in what decides.
				50: "max_uses = 'many'", 52: "used_to_date = -3", 53: "used_to_date = 9223372036854775807", 54: "scope = ''", 47: "issued_at = 'then'",
			}
			for row, change := range changes {
				d.exec(t, fmt.Sprintf(setToken, change, row))
			}
			d.exec(t, "PRAGMA foreign_keys = OFF")
			d.exec(t, fmt.Sprintf(setToken, "user_id = 4711", 58))
			changes[58] = "a user who is gone"
			// One that is wrong in what does not decide goes on counting.
			d.exec(t, fmt.Sprintf(setToken, "expiration_time = 'soon', max_uses = 7, used_to_date = 6", 55))
			dry := cfg
			dry.DryRun = true
			would := run(t, dry)
			report := run(t, cfg)
			for row, change := range changes {
				if entry(t, store, row).RevokedAt.IsZero() {
					t.Errorf("%d works, though %s", row, change)
				}
			}
			if left, _ := entry(t, store, 55).UsesLeft(); left != 1 {
				t.Errorf("%d uses of a row without a readable end are left, want 1", left)
			}
			if n := int64(len(changes)); report.Revoked != n || report.ProblemCount != n+1 || would.Revoked != n || would.ProblemCount != n+1 {
				t.Errorf("%s\nforetold %s", jsonOf(report), jsonOf(would))
			}
			d.exec(t, fmt.Sprintf(setToken, "scope = 'newsletter'", 45))
			again := run(t, cfg)
			if entry(t, store, 45).RevokedAt.IsZero() || again.Revoked != 0 || again.ProblemCount != int64(len(changes)+1) {
				t.Errorf("again: %s", jsonOf(again))
			}
		})
	}
}

// TestATokenWhoseUserIsGoneIsNotImported: Django refuses it, and it was honoured.
func TestATokenWhoseUserIsGoneIsNotImported(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	d.exec(t, "PRAGMA foreign_keys = OFF")
	d.exec(t, fmt.Sprintf(setToken, "user_id = 4711", 57))
	report := run(t, djangoimport.Config{From: d.dsn, Store: store, Now: m.now})
	_, err := store.Entry(t.Context(), "drt-django-57")
	if !errors.Is(err, hallpass.ErrNotFound) || report.ProblemCount != 1 || *report.Problems[0].Row != 57 {
		t.Errorf("%v, %s", err, jsonOf(report))
	}
}

// TestNobodyCanUseTheKeyOfAnImportedUse: whoever redeemed with use_id django:1 kept
// the first use that Django counted from being counted.
func TestNobodyCanUseTheKeyOfAnImportedUse(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
	run(t, cfg)
	issuer := m.issuer(t, store)
	for _, token := range m.Tokens {
		if token.ID != 45 {
			continue
		}
		for _, key := range []string{"django:1", "import:1", "1"} {
			_, err := issuer.RedeemOnce(t.Context(), hallpass.Presentation{
				Token: hallpass.NewToken(token.JWT), Scope: hallpass.Scope(token.Scope), UseKey: key,
			}, 200)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	useInDjango(t, d, 301, 45)
	run(t, cfg)
	if e := entry(t, store, 45); e.Used != 4 {
		t.Errorf("3 uses here and 1 in Django are %d", e.Used)
	}
}

// TestADryRunForetellsWhatItsLogWillSay: unreadable log rows were no problem of it.
func TestADryRunForetellsWhatItsLogWillSay(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	d.exec(t, "UPDATE request_token_requesttokenlog SET timestamp = 'then' WHERE id IN (1, 2)")
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now, DryRun: true}
	would := run(t, cfg)
	cfg.DryRun = false
	report := run(t, cfg)
	if would.DryRun = false; !cmp.Equal(would, report) || report.ProblemCount != 2 {
		t.Errorf("%s", cmp.Diff(would, report))
	}
}
