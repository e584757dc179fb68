package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/internal/cli"
	"github.com/hallpass-go/hallpass/internal/djangoimport"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// runHallpass runs one command line with HALLPASS_… settings and returns what it
// printed.
func runHallpass(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Main(t.Context(), args, strings.NewReader(""), &out, &errs, nil)
	return code, out.String(), errs.String()
}

func TestImportMakesTheStoreAndTellsWhatItDid(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../djangoimport/testdata/django-request-token.sqlite3")
	if err != nil {
		t.Fatal(err)
	}
	site := filepath.Join(t.TempDir(), "site.sqlite3")
	if err := os.WriteFile(site, content, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hallpass.db")
	store := "--store=sqlite:" + file
	from := "--from=sqlite:" + site
	report := func(args ...string) (r djangoimport.Report) {
		t.Helper()
		code, out, errs := runHallpass(t, append([]string{"import", "django", "--json", store, from}, args...)...)
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || strings.ContainsAny(errs, "\r\x1b") {
			t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
		}
		return r
	}
	if r := report("--dry-run"); r.Imported != 63 || !r.DryRun {
		t.Errorf("dry run: %+v", r)
	}
	const nothing = "\nThis was a dry run: nothing was written.\n"
	if code, out, _ := runHallpass(t, "import", "django", store, from, "--dry-run"); code != 0 ||
		!strings.Contains(out, "63  would be imported\n") || !strings.HasSuffix(out, nothing) {
		t.Errorf("a dry run for people: exit %d\n%s", code, out)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Fatalf("a dry run made the store: %v", err)
	}
	if r := report(); r.Imported != 63 || r.UsesAdded != 210 {
		t.Errorf("%+v", r)
	}
	if r := report("--dry-run", "--expired-rows=revoke"); r.AlreadyThere != 63 || r.UsesAdded != 0 || r.ExpiredRevoked == 0 {
		t.Errorf("dry run afterwards: %+v", r)
	}
	code, out, _ := runHallpass(t, "show", "--json", store, django.RequestTokenID("django", 45))
	if code != 0 || !strings.Contains(out, `9007199254740993`) || !strings.Contains(out, `"uses_left":10`) {
		t.Errorf("show: exit %d %s", code, out)
	}
	if r := report("--key=other"); r.Imported != 63 {
		t.Errorf("under another key: %+v", r)
	}

	db, err := sql.Open("sqlite", site)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE request_token_requesttoken SET scope = '' WHERE id = 3`); err != nil {
		t.Fatal(err)
	}
	// Another site, under the key of the first one.
	if _, err := db.ExecContext(t.Context(), `UPDATE request_token_requesttoken SET issued_at = '2025-01-02 03:04:05.678'`); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []string{"--dry-run", "--dry-run=false"} {
		code, out, errs := runHallpass(t, "import", "django", store, from, dry)
		if code != 2 || out != "" || !strings.Contains(errs, "from: is not the database that key \"django\" was imported from") {
			t.Errorf("another site: exit %d %s%s", code, out, errs)
		}
	}
	if code, out, _ := runHallpass(t, "list", "--json", "--state=revoked", store); code != 0 || strings.Contains(out, "drt-") {
		t.Errorf("it revoked: %s", out)
	}
	code, out, errs := runHallpass(t, "import", "django", store, from, "--revoke-missing")
	if code != 2 || !strings.Contains(out, "63  are not what they were, and were revoked\n") || !strings.Contains(errs, "issued_at") {
		t.Errorf("as told to: exit %d\n%s%s", code, out, errs)
	}
	code, out, errs = runHallpass(t, "import", "django", store, from, "--key=third", "--dry-run")
	if code != 2 || !strings.HasSuffix(out, nothing) || !strings.HasSuffix(errs, "from: 1 rows could not be carried over as they are; all the others would be\n") {
		t.Errorf("a dry run with a wrong row: exit %d\n%s%s", code, out, errs)
	}
	code, out, errs = runHallpass(t, "import", "django", store, from, "--key=third")
	if strings.Contains(out, "nothing was written") {
		t.Errorf("no dry run says it was one:\n%s", out)
	}
	if code != 2 || !strings.Contains(out, "62  imported\n") || !strings.Contains(errs, "request_token_requesttoken 3: scope is empty\n") {
		t.Errorf("with a wrong row: exit %d\n%s%s", code, out, errs)
	}
}

func TestImportRefusesWhatIsNoDatabaseBeforeItMakesAStore(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hallpass.db")
	empty := filepath.Join(t.TempDir(), "empty.sqlite3")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for field, args := range map[string][]string{
		"from: is missing":                     {},
		"from: must be":                        {"--from=mysql://u:sesame@h/d"},
		"from: there is no file":               {"--from=sqlite:/no/such/file"},
		"from: must be sqlite:PATH":            {"--from=postgres:u:sesame"},
		"from: is no address of the form":      {"--from=postgres://u:sesame@h/d?sslmode=sesame"},
		"is no SQLite database":                {"--from=sqlite:import_test.go"},
		"has no tables":                        {"--from=sqlite:" + empty},
		"expired_rows: must be keep or revoke": {"--from=sqlite:import_test.go", "--expired-rows=drop"},
		"expired_rows: is empty":               {"--from=sqlite:import_test.go", "--expired-rows="},
		"key: the id of a foreign key":         {"--from=sqlite:import_test.go", "--key=Not-One"},
		"there is an argument too many":        {"--from=sqlite:import_test.go", "more"},
	} {
		code, out, errs := runHallpass(t, append([]string{"import", "django", "--store=sqlite:" + file}, args...)...)
		if code != 2 || !strings.Contains(errs, field) || strings.Contains(errs, "sesame") || out != "" {
			t.Errorf("%v: exit %d %s", args, code, errs)
		}
	}
	if code, _, errs := runHallpass(t, "import", "django", "--store=sqlite:"+file, "--from=postgres://u:sesame@127.0.0.1:1/d?connect_timeout=2"); code != 3 || strings.Contains(errs, "sesame") {
		t.Errorf("nobody listens: exit %d %s", code, errs)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a store was made: %v", err)
	}
	if code, _, errs := runHallpass(t, "import"); code != 2 || !strings.Contains(errs, `see "hallpass import --help"`) {
		t.Errorf("exit %d %s", code, errs)
	}
}

// TestAKilledImportGoesOnFromThere kills the real program again and again.
func TestAKilledImportGoesOnFromThere(t *testing.T) {
	t.Parallel()
	const tokens = 20_000
	dir := t.TempDir()
	site := filepath.Join(dir, "site.sqlite3")
	bigSite(t, site, tokens)
	program, err := exec.LookPath("hallpass") // testscript's own
	if err != nil {
		program = filepath.Join(dir, "hallpass")
		if out, err := exec.Command("go", "build", "-o", program, "../../cmd/hallpass").CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	}
	file := filepath.Join(dir, "hallpass.db")
	command := func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program, "import", "django", "--json", "--store=sqlite:"+file, "--from=sqlite:"+site)
		cmd.Env = os.Environ()
		return cmd
	}
	killed := 0
	for delay := 300 * time.Millisecond; killed < 3 && delay < 2*time.Second; delay += 250 * time.Millisecond {
		ctx, cancel := context.WithTimeout(t.Context(), delay) // ends it with SIGKILL
		if command(ctx).Run() != nil {
			killed++
		}
		cancel()
	}
	if killed == 0 {
		t.Fatal("no import was killed")
	}
	var r djangoimport.Report
	out, err := command(t.Context()).Output()
	if err != nil || json.Unmarshal(out, &r) != nil || r.Imported+r.AlreadyThere != tokens || r.ProblemCount != 0 {
		t.Fatalf("after %d kills: %v %s", killed, err, out)
	}
	store, err := sqlitestore.Open(t.Context(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	seen, after := int64(0), hallpass.EntryPosition{}
	for {
		page, err := store.Entries(t.Context(), hallpass.EntryQuery{After: after, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			var n int64
			if _, err := fmt.Sscanf(e.ID, "drt-django-%d", &n); err != nil || e.MaxUses != 5 || e.Used != n%4 {
				t.Fatalf("%s was used %d times of %d", e.ID, e.Used, e.MaxUses)
			}
			after = hallpass.EntryPosition{IssuedAt: e.IssuedAt, ID: e.ID}
		}
		seen += int64(len(page))
		if len(page) < 1000 {
			break
		}
	}
	if seen != tokens {
		t.Errorf("%d passes, want %d", seen, tokens)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var uses, passes int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*), count(DISTINCT pass) FROM uses`).Scan(&uses, &passes); err != nil || uses != tokens/4*6 || passes != tokens/4*3 {
		t.Errorf("%d uses of %d passes, %v", uses, passes, err)
	}
}

// bigSite makes a Django database: token n was used n%4 times of 5.
func bigSite(t *testing.T, path string, tokens int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		`PRAGMA synchronous = OFF`,
		`CREATE TABLE request_token_requesttoken (id integer PRIMARY KEY AUTOINCREMENT, expiration_time datetime, not_before_time datetime,
			issued_at datetime, max_uses integer NOT NULL, used_to_date integer NOT NULL, user_id integer, scope varchar(100) NOT NULL,
			login_mode varchar(10) NOT NULL, data text)`,
		`CREATE TABLE request_token_requesttokenlog (id integer PRIMARY KEY AUTOINCREMENT, user_agent text NOT NULL, timestamp datetime NOT NULL,
			token_id integer NOT NULL, user_id integer, status_code integer, client_ip char(39))`,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ` + fmt.Sprint(tokens) + `)
			INSERT INTO request_token_requesttoken SELECT i, NULL, NULL, datetime(1767225600 + i, 'unixepoch'), 5, i % 4, NULL, 'rsvp', 'None', '{}' FROM n`,
		`WITH k(j) AS (VALUES (1), (2), (3)) INSERT INTO request_token_requesttokenlog (user_agent, timestamp, token_id, status_code, client_ip)
			SELECT 'agent', datetime(1767225600 + id * 3 + j, 'unixepoch'), id, 200, '192.0.2.1' FROM k CROSS JOIN request_token_requesttoken WHERE j <= id % 4`,
		`CREATE INDEX log_token ON request_token_requesttokenlog (token_id)`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
}

func TestImportIntoStoresOfSeveralMachines(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../djangoimport/testdata/django-request-token.sqlite3")
	if err != nil {
		t.Fatal(err)
	}
	site := filepath.Join(t.TempDir(), "site.sqlite3")
	if err := os.WriteFile(site, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dsn := range map[string]func(testing.TB) string{
		"postgres": needs.Postgres,
		"redis":    func(t testing.TB) string { return needs.NewRedis(t).DSN() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := "--store=" + dsn(t)
			for round, want := range []djangoimport.Report{
				{Imported: 63, UsesAdded: 210, Logs: 201}, {AlreadyThere: 63},
			} {
				code, out, errs := runHallpass(t, "import", "django", "--json", store, "--from=sqlite:"+site)
				var r djangoimport.Report
				if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
					t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
				}
				if r.Imported != want.Imported || r.AlreadyThere != want.AlreadyThere || r.UsesAdded != want.UsesAdded || r.Logs != want.Logs || r.ProblemCount != 0 {
					t.Errorf("round %d: %+v", round, r)
				}
			}
		})
	}
}
