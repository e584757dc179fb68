package djangoimport_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/djangoimport"
)

// A real installation comes over, token by token, from both kinds of databases into
// several kinds of stores, twice.
func TestARealDatabaseComesOverTokenByToken(t *testing.T) {
	t.Parallel()
	for from, open := range map[string]func(*testing.T) database{"sqlite": sqliteDatabase, "postgres": postgresDatabase} {
		for into, store := range stores {
			t.Run("from "+from+" into "+into, func(t *testing.T) {
				t.Parallel()
				m, store := readMigration(t), store(t)
				cfg := djangoimport.Config{From: open(t).dsn, Store: store, Now: m.now}

				dry := cfg
				dry.DryRun = true
				would := run(t, dry)
				if rows, err := store.Entries(t.Context(), hallpass.EntryQuery{Limit: 1}); err != nil || len(rows) > 0 {
					t.Fatalf("a dry run wrote %v, %v", rows, err)
				}
				report := run(t, cfg)
				if would.DryRun = false; into != "no history" && !cmp.Equal(would, report) {
					t.Errorf("what a dry run foretold:\n%s", cmp.Diff(would, report))
				}
				want := djangoimport.Report{
					Key: "django", ExpiredRows: djangoimport.KeepExpired, Tokens: m.Totals.Tokens, Imported: m.Totals.Tokens,
					UsesAdded: m.Totals.SumUsedToDate, Logs: m.Totals.Logs,
					Spent: report.Spent, ExpiredKept: report.ExpiredKept, WithoutUser: report.WithoutUser, InactiveUser: 2,
					Problems: []djangoimport.Problem{},
				}
				if into == "no history" {
					// max_uses was lowered below the count: its last log row does not fit.
					want.Logs, want.UsesAdded = 200, 209
					want.ProblemCount, want.Problems = report.ProblemCount, report.Problems
					if report.ProblemCount != 1 || *report.Problems[0].Row != 53 {
						t.Errorf("problems: %+v", report.Problems)
					}
				}
				if diff := cmp.Diff(want, report); diff != "" {
					t.Errorf("report:\n%s", diff)
				}
				check(t, m, store, into != "no history")

				again := run(t, cfg)
				if again.Imported != 0 || again.AlreadyThere != m.Totals.Tokens || again.UsesAdded != 0 || again.Logs != 0 || again.ProblemCount != 0 {
					t.Errorf("the second time: %s", jsonOf(again))
				}
				check(t, m, store, into != "no history")
				redeemAll(t, m, store)
			})
		}
	}
}

// check compares the store with what the real package has. exact is for stores
// that take the whole log.
func check(t *testing.T, m migration, store hallpass.Store, exact bool) {
	t.Helper()
	issuer := m.issuer(t, store)
	working := 0
	for _, want := range m.Tokens {
		e := entry(t, store, want.ID)
		used, maxUses := want.Used, want.MaxUses
		if maxUses <= 0 {
			used, maxUses = max(1, used), max(1, used)
		}
		if !exact {
			used = min(used, maxUses)
		}
		left, limited := e.UsesLeft()
		if e.Used != used || e.MaxUses != maxUses || left != want.Remaining || !limited || !e.RevokedAt.IsZero() {
			t.Errorf("%d %s: used %d of %d, %d left; want %d of %d, %d left", want.ID, want.Label, e.Used, e.MaxUses, left, used, maxUses, want.Remaining)
		}
		mode := map[string]hallpass.Mode{"None": hallpass.ModePublic, "Request": hallpass.ModeRequest, "Session": hallpass.ModeSession}[want.LoginMode]
		if string(e.Scope) != want.Scope || e.Mode != mode || e.Subject != m.userID(want.User) || !e.Recorded || e.Key != "django" {
			t.Errorf("%d %s: %+v", want.ID, want.Label, e.Pass)
		}
		if !sameJSON(e.Data, want.Data) {
			t.Errorf("%d %s: data %s, want %s", want.ID, want.Label, e.Data, want.Data)
		}
		if uses := usesOf(t, store, e.ID); exact && len(uses) != want.Logs {
			t.Errorf("%d %s: %d uses, want %d", want.ID, want.Label, len(uses), want.Logs)
		}
		for _, jwt := range []string{want.JWT, want.JWTString} {
			_, v, err := issuer.Check(t.Context(), hallpass.Presentation{Token: hallpass.NewToken(jwt), Scope: hallpass.Scope(want.Scope)})
			if err == nil && v.Pass.ID != e.ID {
				t.Errorf("%d %s: its JWT names %s", want.ID, want.Label, v.Pass.ID)
			}
			judge(t, want, err)
			if err == nil {
				working++
			}
		}
	}
	if working != 2*m.Totals.StillWorking {
		t.Errorf("%d tokens work, want %d", working/2, m.Totals.StillWorking)
	}
	for _, orphan := range m.Orphans {
		_, _, err := issuer.Check(t.Context(), hallpass.Presentation{Token: hallpass.NewToken(orphan.JWT)})
		if !errors.Is(err, hallpass.RefusalUnknownPass) {
			t.Errorf("%s: %v, want %v", orphan.Label, err, hallpass.RefusalUnknownPass)
		}
	}
	if got := digest(t, m, store); exact && got != m.LogDigest.SHA256 {
		t.Errorf("the log's digest is %s, want %s", got, m.LogDigest.SHA256)
	}
}

func judge(t *testing.T, want migratedToken, err error) {
	t.Helper()
	expect := map[string]error{
		"": nil, "used_up": hallpass.RefusalSpent, "expired": hallpass.RefusalExpired, "not_yet_valid": hallpass.RefusalNotYetValid,
	}
	reason, known := expect[want.Verdict.Error]
	if !known || !errors.Is(err, reason) {
		t.Errorf("%d %s: %v, want %q", want.ID, want.Label, err, want.Verdict.Error)
	}
}

// redeemAll uses every link up: each works exactly as often as it still could.
func redeemAll(t *testing.T, m migration, store hallpass.Store) {
	t.Helper()
	issuer := m.issuer(t, store)
	for _, want := range m.Tokens {
		left := want.Remaining
		if want.Verdict.Verdict != "valid" {
			left = 0
		}
		if left > 100 {
			continue
		}
		for n := int64(0); ; n++ {
			_, err := issuer.RedeemOnce(t.Context(), hallpass.Presentation{
				Token: hallpass.NewToken(want.JWT), Scope: hallpass.Scope(want.Scope), Confirmed: true,
			}, 200)
			if err == nil && n < left {
				continue
			}
			if err == nil || n != left {
				t.Errorf("%d %s: use %d of %d: %v", want.ID, want.Label, n+1, left, err)
			}
			break
		}
	}
}

func sameJSON(a, b json.RawMessage) bool {
	read := func(text json.RawMessage) (v any) {
		dec := json.NewDecoder(strings.NewReader(string(text)))
		dec.UseNumber()
		_ = dec.Decode(&v)
		return v
	}
	return cmp.Equal(read(a), read(b))
}

// digest is the real package's digest of its log, from what the store has. The
// log's own ids are not kept, so the rows are put into the order of the database.
func digest(t *testing.T, m migration, store hallpass.Store) string {
	t.Helper()
	lines := map[string]string{} // by the id of the use
	for _, want := range m.Tokens {
		for _, u := range usesOf(t, store, entry(t, store, want.ID).ID) {
			name := ""
			for _, user := range m.Users {
				if u.Subject == strconv.FormatInt(user.ID, 10) {
					name = user.Username
				}
			}
			status := ""
			if u.Status != 0 {
				status = strconv.Itoa(u.Status)
			}
			lines[strings.Join([]string{strconv.FormatInt(want.ID, 10), name, u.UserAgent, u.ClientIP, status, u.At.Format("2006-01-02T15:04:05.000000")}, "|")] = u.ID
		}
	}
	db := sqliteDatabase(t)
	rows, err := db.db.QueryContext(t.Context(), `SELECT l.id, l.token_id, coalesce(u.username, ''), l.user_agent, coalesce(l.client_ip, ''),
		coalesce(l.status_code, ''), strftime('%Y-%m-%dT%H:%M:%S', CAST(l.timestamp AS TEXT)), CAST(l.timestamp AS TEXT)
		FROM request_token_requesttokenlog AS l LEFT JOIN auth_user AS u ON u.id = l.user_id ORDER BY l.id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var c [8]string
		if err := rows.Scan(&c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &c[7]); err != nil {
			t.Fatal(err)
		}
		_, fraction, _ := strings.Cut(c[7], ".")
		line := strings.Join([]string{c[1], c[2], c[3], c[4], c[5], c[6] + "." + (fraction + "000000")[:6]}, "|")
		if _, carried := lines[line]; !carried {
			return "without " + line
		}
		delete(lines, line)
		all = append(all, c[0]+"|"+line)
	}
	if len(lines) > 0 {
		return "with " + strings.Join(slices.Collect(func(yield func(string) bool) {
			for line := range lines {
				if !yield(line) {
					return
				}
			}
		}), "\n")
	}
	sum := sha256.Sum256([]byte(strings.Join(all, "\n")))
	return hex.EncodeToString(sum[:])
}
