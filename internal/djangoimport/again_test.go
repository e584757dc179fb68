package djangoimport_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/djangoimport"
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
				if third.ProblemCount != 1 || third.Problems[0].Row != 62 {
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
	d.exec(t, fmt.Sprintf(setToken, "scope = 'other'", 45))
	d.exec(t, fmt.Sprintf(setToken, "user_id = 1", 57))
	d.exec(t, fmt.Sprintf(setToken, `data = '{"big": 9007199254740994}'`, 46))
	report := run(t, cfg)
	if report.ProblemCount != 3 || entry(t, store, 45).Scope == "other" {
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
		if _, known := wrong[p.Row]; !known && p.Table == "request_token_requesttoken" {
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
}

func TestWhatIsNoSuchDatabaseIsAFieldErrorWithoutItsPassword(t *testing.T) {
	t.Parallel()
	d := sqliteDatabase(t)
	d.exec(t, "DROP TABLE request_token_requesttokenlog")
	for _, dsn := range []string{"", "sqlite:", "sqlite:/no/such/file", "sqlite:/", "mysql://u:sesame@h/d", "postgres://u:sesame@h:port/d", "site.sqlite3", d.dsn} {
		_, err := djangoimport.Run(t.Context(), djangoimport.Config{From: dsn, Store: memstore.New()})
		var field *hallpass.FieldError
		if !errors.As(err, &field) || field.Field != "from" || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
	_, err := djangoimport.Run(t.Context(), djangoimport.Config{From: "postgres://u:sesame@127.0.0.1:1/d?connect_timeout=2", Store: memstore.New()})
	if !errors.Is(err, hallpass.ErrUnavailable) || strings.Contains(err.Error(), "sesame") {
		t.Errorf("nobody listens: %v", err)
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
	if e := entry(t, store, ends); !e.KeepUntil.Equal(time.Unix(1772366700, 0).Add(48 * time.Hour)) {
		t.Errorf("goes at %v", e.KeepUntil)
	}
	if e := entry(t, store, endless); !e.KeepUntil.IsZero() {
		t.Errorf("goes at %v", e.KeepUntil)
	}
	d.exec(t, fmt.Sprintf(setToken, "expiration_time = '2026-04-01 00:00:00'", ends))
	d.exec(t, fmt.Sprintf(setToken, "expiration_time = NULL", 58))
	run(t, cfg)
	end := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	if e := entry(t, store, ends); !e.ExpiresAt.Equal(end) || !e.KeepUntil.Equal(end.Add(48*time.Hour)) {
		t.Errorf("extended: ends %v, goes %v", e.ExpiresAt, e.KeepUntil)
	}
	if e := entry(t, store, 58); !e.KeepUntil.IsZero() {
		t.Errorf("without end: goes at %v", e.KeepUntil)
	}
}

// TestAQuotaThatCannotBeLoweredInOneRunIsReported: what is too much is used up, a
// million a run unless told otherwise.
func TestAQuotaThatCannotBeLoweredInOneRunIsReported(t *testing.T) {
	t.Parallel()
	m, d, store := readMigration(t), sqliteDatabase(t), memstore.New()
	cfg := djangoimport.Config{From: d.dsn, Store: store, Now: m.now, MaxCounts: 1000}
	d.exec(t, fmt.Sprintf(setToken, "max_uses = 1100", 63)) // 107 were used
	run(t, cfg)
	d.exec(t, fmt.Sprintf(setToken, "max_uses = 50", 63))
	first := run(t, cfg)
	if left, _ := entry(t, store, 63).UsesLeft(); left != 0 || first.ProblemCount != 0 {
		t.Errorf("%d left, %s", left, jsonOf(first))
	}
	d.exec(t, fmt.Sprintf(setToken, "max_uses = 110", 63))
	run(t, cfg)
	if left, _ := entry(t, store, 63).UsesLeft(); left != 3 {
		t.Errorf("raised again, %d are left, want 3", left)
	}

	d.exec(t, fmt.Sprintf(setToken, "max_uses = 20", 41)) // of 2147483647, of which 12 were used
	second := run(t, cfg)
	if second.ProblemCount != 1 || second.Problems[0].Row != 41 || second.UsesAdded != 1000 {
		t.Errorf("%s", jsonOf(second))
	}
}
