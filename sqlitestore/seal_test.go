package sqlitestore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

const sealSecret = "the shared secret of these tests, 32 bytes and more"

// sealBase is where the clocks of these tests begin.
var sealBase = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type sealSite struct {
	*hallpass.Issuer
	clock atomic.Int64
	path  string
}

func sealIssuer(store hallpass.Store, now func() time.Time) (*hallpass.Issuer, error) {
	key, err := hallpass.ParseKey(sealSecret, "k1")
	if err != nil {
		return nil, err
	}
	ring, err := hallpass.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	return hallpass.New(hallpass.Config{Keys: ring, Store: store, Now: now, Logger: slog.New(slog.DiscardHandler)})
}

// newSealSite has four uses and two actions in each of five minutes, all sealed.
func newSealSite(t *testing.T) *sealSite {
	t.Helper()
	s := &sealSite{path: fresh(t)}
	s.clock.Store(sealBase.UnixMicro())
	var err error
	if s.Issuer, err = sealIssuer(open(t, s.path), func() time.Time { return time.UnixMicro(s.clock.Load()) }); err != nil {
		t.Fatal(err)
	}
	s.seal(t)
	issued, err := s.Issue(t.Context(), hallpass.Spec{Scope: "report", MaxUses: hallpass.Unlimited})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		for n := range 4 {
			p := hallpass.Presentation{Token: issued.Token, Scope: "report", ClientIP: fmt.Sprint("203.0.113.", n), Path: "/r", Method: "GET"}
			if _, err := s.RedeemOnce(t.Context(), p, 200); err != nil {
				t.Fatal(err)
			}
			s.clock.Add(1_000_000)
		}
		for range 2 {
			if err := s.RecordAction(t.Context(), hallpass.Event{Actor: "op", Action: "pass.revoke"}); err != nil {
				t.Fatal(err)
			}
		}
		s.clock.Add(56_000_000)
	}
	s.clock.Add((2 * time.Minute).Microseconds())
	s.seal(t)
	if report := s.verify(t); !report.Whole() || report.Uses != 20 || report.Events != 10 || report.Seals != 5 {
		t.Fatalf("%+v", report)
	}
	return s
}

func (s *sealSite) seal(t *testing.T) {
	t.Helper()
	if _, err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (s *sealSite) verify(t *testing.T) hallpass.SealReport {
	t.Helper()
	report, err := s.VerifySeals(t.Context(), hallpass.SealCheck{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// tamper runs a statement on the file as any other program would.
func (s *sealSite) tamper(t *testing.T, statement string, args ...any) {
	t.Helper()
	if n, err := s.exec(t, statement, args...).RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s changed nothing: %v", statement, err)
	}
}

func (s *sealSite) exec(t *testing.T, statement string, args ...any) sql.Result {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestTamperingWithTheFileShows(t *testing.T) {
	t.Parallel()
	// Ids begin with their milliseconds: the third minute, and the moment after its last row.
	third := func(offset time.Duration) string {
		milli := sealBase.Add(2*time.Minute + offset).UnixMilli()
		return fmt.Sprintf("%08x-%04x-7", milli>>16, milli&0xffff)
	}
	from, until := third(0), third(time.Minute)
	minute := sealBase.Add(2 * time.Minute)
	one := `(SELECT id FROM uses WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1)`
	insert := func(id string) string {
		milli, err := strconv.ParseInt(id[:8]+id[9:13], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return `INSERT INTO uses SELECT '` + id + `', pass, subject, ` + fmt.Sprint(milli*1000) + `, client_ip, user_agent, method, path, status, state, key FROM uses LIMIT 1`
	}
	// forge writes a use that says it was made in the third minute, under any id.
	forge := func(id string) string {
		return `INSERT INTO uses SELECT '` + id + `', pass, subject, at, client_ip, user_agent, method, path, status, state, key FROM uses
			WHERE id = ` + one
	}
	ahead := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	misplaced := func(minute time.Time, rows string, found int64) []hallpass.SealFault {
		return []hallpass.SealFault{{Kind: "misplaced", Minute: minute, Rows: rows, Found: found}}
	}
	fault := func(kind hallpass.SealFaultKind, rows string, sealed, found int64) []hallpass.SealFault {
		return []hallpass.SealFault{{Kind: kind, Minute: minute, Rows: rows, Sealed: sealed, Found: found}}
	}
	tests := []struct {
		name  string
		steps []string
		want  []hallpass.SealFault
	}{
		{"an address is altered", []string{`UPDATE uses SET client_ip = '192.0.2.1' WHERE id = ` + one}, fault("altered", "uses", 4, 4)},
		{"a status is altered", []string{`UPDATE uses SET status = 500 WHERE id = ` + one}, fault("altered", "uses", 4, 4)},
		{"a time is altered", []string{`UPDATE uses SET at = at + 1 WHERE id = ` + one}, fault("altered", "uses", 4, 4)},
		{"a use is opened again", []string{`UPDATE uses SET state = 'pending' WHERE id = ` + one}, fault("altered", "uses", 4, 4)},
		{"a use is deleted", []string{`DELETE FROM uses WHERE id = ` + one}, fault("missing", "uses", 4, 3)},
		{"all uses of a minute are deleted", []string{`DELETE FROM uses WHERE id BETWEEN ?1 AND ?2`}, fault("missing", "uses", 4, 0)},
		{"a use is inserted", []string{insert(third(30*time.Second) + "000-8000-000000000000")}, fault("inserted", "uses", 4, 5)},
		{
			"a use is inserted where there was none",
			[]string{insert(minuteID(-1))},
			[]hallpass.SealFault{{Kind: "inserted", Minute: sealBase.Add(-time.Minute), Rows: "uses", Found: 1}},
		},
		{"a use is forged with the id of a moment to come", []string{forge(momentID(ahead))}, misplaced(ahead, "uses", 1)},
		{"a use is forged with the last id there can be", []string{forge("ffffffff-ffff-7fff-bfff-ffffffffffff")}, misplaced(time.Time{}, "uses", 1)},
		{"a use is forged with an id from before sealing", []string{forge(minuteID(-60))}, misplaced(sealBase.Add(-time.Hour), "uses", 1)},
		{"a use is forged with the id of a minute that is still open", []string{forge(minuteID(6))}, misplaced(sealBase.Add(6*time.Minute), "uses", 1)},
		{"uses are forged with ids that are none", []string{forge("zz"), forge("0")}, misplaced(time.Time{}, "uses", 2)},
		{
			"an event is forged with an id from before sealing",
			[]string{`UPDATE events SET id = '` + minuteID(-60) + `' WHERE id = (SELECT max(id) FROM events)`},
			[]hallpass.SealFault{
				{Kind: "misplaced", Minute: sealBase.Add(-time.Hour), Rows: "events", Found: 1},
				{Kind: "missing", Minute: sealBase.Add(4 * time.Minute), Rows: "events", Sealed: 2, Found: 1},
			},
		},
		{"a use is replaced", []string{
			`DELETE FROM uses WHERE id = ` + one, insert(third(30*time.Second) + "000-8000-000000000000"),
		}, fault("replaced", "uses", 4, 4)},
		{"two uses change places", []string{
			`UPDATE uses SET client_ip = '203.0.113.' || (3 - substr(client_ip, 11)) WHERE id BETWEEN ?1 AND ?2`,
		}, fault("altered", "uses", 4, 4)},
		{"an action is ascribed to another", []string{`UPDATE events SET actor = 'eve' WHERE id BETWEEN ?1 AND ?2`}, fault("altered", "events", 2, 2)},
		{"an action is deleted", []string{`DELETE FROM events WHERE id = (SELECT max(id) FROM events WHERE id BETWEEN ?1 AND ?2)`}, fault("missing", "events", 2, 1)},
		{"the last seals are deleted", []string{`DELETE FROM cells WHERE family = 'seals/0' AND key IN ('4', '5', '6')`},
			[]hallpass.SealFault{{Kind: "seal_missing", Minute: minute, Sealed: 3}}},
		{"the last seals and their uses are deleted", []string{
			`DELETE FROM cells WHERE family = 'seals/0' AND key IN ('4', '5', '6')`, `DELETE FROM uses WHERE id >= ?1`,
		}, []hallpass.SealFault{{Kind: "seal_missing", Minute: minute, Sealed: 3}}},
		{"a seal is replaced by another", []string{`UPDATE cells SET value = (SELECT value FROM cells WHERE family = 'seals/0' AND key = '2')
			WHERE family = 'seals/0' AND key = '4'`}, []hallpass.SealFault{{Kind: "seal_altered", Minute: minute, Sealed: 1, Found: 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSealSite(t)
			for _, step := range tt.steps {
				var args []any
				for n, bound := range []string{from, until} {
					if strings.Contains(step, fmt.Sprint("?", n+1)) {
						args = append(args, bound)
					}
				}
				s.tamper(t, step, args...)
			}
			report := s.verify(t)
			if diff := cmp.Diff(tt.want, report.Faults); diff != "" || report.Whole() {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// minuteID is an id of a minute after sealBase.
func minuteID(n int) string { return momentID(sealBase.Add(time.Duration(n) * time.Minute)) }

func momentID(t time.Time) string {
	milli := t.UnixMilli()
	return fmt.Sprintf("%08x-%04x-7abc-8000-000000000000", milli>>16, milli&0xffff)
}

func TestPruningTheFileIsToldApartFromTampering(t *testing.T) {
	t.Parallel()
	s := newSealSite(t)
	// Seven minutes have gone by; what is older than four and a bit goes, to the minute.
	pruned, err := s.Prune(t.Context(), hallpass.PruneOptions{MaxAge: 4*time.Minute + 10*time.Second})
	if err != nil || pruned.Uses != 8 || pruned.Events != 4 {
		t.Fatalf("pruned %+v, %v", pruned, err)
	}
	if report := s.verify(t); !report.Whole() || report.Uses != 12 || !report.UsesPruned.Equal(sealBase.Add(2*time.Minute)) {
		t.Errorf("%+v", report)
	}
	s.tamper(t, `DELETE FROM uses`)
	if report := s.verify(t); report.FaultCount != 3 || report.Faults[0].Kind != hallpass.FaultMissing {
		t.Errorf("%+v", report)
	}
}

// TestRowsInAPrunedMinuteShow: what was pruned may be gone, but nothing new may stand in
// its place. What a prune that broke off left looks the same, and goes with the next.
func TestRowsInAPrunedMinuteShow(t *testing.T) {
	t.Parallel()
	s := newSealSite(t)
	s.exec(t, `CREATE TABLE kept AS SELECT * FROM uses`)
	if _, err := s.Prune(t.Context(), hallpass.PruneOptions{MaxAge: 4*time.Minute + 10*time.Second}); err != nil {
		t.Fatal(err)
	}
	s.tamper(t, `INSERT INTO uses SELECT '`+minuteID(1)+`', pass, subject, `+fmt.Sprint(sealBase.Add(time.Minute).UnixMicro())+`,
		client_ip, user_agent, method, path, status, state, key FROM uses LIMIT 1`)
	want := []hallpass.SealFault{{Kind: "unvouched", Minute: sealBase.Add(time.Minute), Rows: "uses", Sealed: 4, Found: 1}}
	if diff := cmp.Diff(want, s.verify(t).Faults); diff != "" {
		t.Errorf("a forged use (-want +got):\n%s", diff)
	}
	s.tamper(t, `INSERT OR IGNORE INTO uses SELECT * FROM kept WHERE at < ?1`, sealBase.Add(time.Minute).UnixMicro())
	if report := s.verify(t); report.FaultCount != 1 {
		t.Errorf("a pruned minute that is there whole: %+v", report)
	}
	pruned, err := s.Prune(t.Context(), hallpass.PruneOptions{MaxAge: time.Hour})
	if err != nil || pruned.Uses != 5 {
		t.Errorf("the next prune removed %+v, %v; want all that an earlier one may have", pruned, err)
	}
	if report := s.verify(t); !report.Whole() {
		t.Errorf("%+v", report)
	}
}

// TestVerifyingWaitsForAPrune: minutes that are half gone while somebody prunes are no
// fault.
func TestVerifyingWaitsForAPrune(t *testing.T) {
	t.Parallel()
	s := newSealSite(t)
	if _, err := s.Prune(t.Context(), hallpass.PruneOptions{MaxAge: 4*time.Minute + 10*time.Second}); err != nil {
		t.Fatal(err)
	}
	for n := range 2 { // three of the four uses of each minute are left
		s.tamper(t, `INSERT INTO uses SELECT printf('%s%d', ?1, n), pass, subject, ?2, client_ip, user_agent, method, path, status, state, key
			FROM uses, (SELECT value AS n FROM json_each('[1, 2, 3]')) WHERE id = (SELECT max(id) FROM uses)`,
			minuteID(n)[:35], sealBase.Add(time.Duration(n)*time.Minute).UnixMicro())
	}
	done := make(chan hallpass.SealReport)
	go func() { done <- s.verify(t) }()
	for range 6 {
		time.Sleep(400 * time.Millisecond)
		s.tamper(t, `DELETE FROM uses WHERE id = (SELECT min(id) FROM uses)`)
	}
	if report := <-done; !report.Whole() {
		t.Errorf("%+v", report)
	}
}

// childSeal makes uses in one minute after the other and seals, against the others
// that do the same.
func childSeal(s *sqlitestore.Store) {
	var clock atomic.Int64
	clock.Store(sealBase.UnixMicro())
	issuer, err := sealIssuer(s, func() time.Time { return time.UnixMicro(clock.Load()) })
	if err == nil {
		for range 100 {
			clock.Add((time.Minute).Microseconds())
			if _, err = issuer.Seal(context.Background()); err != nil {
				break
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "seal:", err)
		os.Exit(1)
	}
}

func TestThreeProcessesSealOneFile(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	store := open(t, path)
	var clock atomic.Int64
	clock.Store(sealBase.UnixMicro())
	issuer, err := sealIssuer(store, func() time.Time { return time.UnixMicro(clock.Load()) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	issued, err := issuer.Issue(t.Context(), hallpass.Spec{Scope: "report", MaxUses: hallpass.Unlimited})
	if err != nil {
		t.Fatal(err)
	}
	for range 90 {
		for range 2 {
			clock.Add(1_000_000)
			if _, err := issuer.RedeemOnce(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: "report"}, 200); err != nil {
				t.Fatal(err)
			}
		}
		clock.Add(58_000_000)
	}
	clock.Add((12 * time.Minute).Microseconds())
	together(t, 3, "seal", path)
	report, err := issuer.VerifySeals(t.Context(), hallpass.SealCheck{})
	if err != nil || !report.Whole() || report.Uses != 180 || report.Seals != 90 {
		t.Errorf("%+v, %v", report, err)
	}
}
