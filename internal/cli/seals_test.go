package cli_test

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/cli"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// sealedStore is a store with a use from before sealing began and two sealed minutes
// of two uses each, of some hours ago.
func sealedStore(t *testing.T) (path string, from time.Time) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "hallpass.db")
	if code, out := hallpassRun(t, "issue", "--store", "sqlite:"+path, "--scope", "report", "--create"); code != 0 {
		t.Fatal(out)
	}
	store, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ring, err := keystore.Load(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	from = time.Now().Add(-5 * time.Hour).UTC().Truncate(time.Minute)
	now := from.Add(-time.Hour)
	issuer, err := hallpass.New(hallpass.Config{
		Keys: ring.Keyring(), Store: store, Instance: ring.Instance(), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := issuer.Issue(t.Context(), hallpass.Spec{Scope: "report", MaxUses: hallpass.Unlimited})
	if err != nil {
		t.Fatal(err)
	}
	use := func() {
		if _, err := issuer.RedeemOnce(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: "report"}, 200); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	seal := func() {
		if _, err := issuer.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	use()
	now = from
	seal()
	for range 2 {
		use()
		use()
		now = now.Add(58 * time.Second)
	}
	now = now.Add(2 * time.Minute)
	seal()
	return path, from
}

func hallpassRun(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Main(t.Context(), args, strings.NewReader(""), &stdout, &stderr, nil)
	return code, stdout.String() + stderr.String()
}

func TestWhatUsesVerifySays(t *testing.T) {
	t.Parallel()
	copyOf := func(id, at string) string {
		return `INSERT INTO uses SELECT ` + id + `, pass, subject, ` + at + `, client_ip, user_agent, method, path, status, state, key FROM uses WHERE id = (SELECT max(id) FROM uses)`
	}
	tests := []struct {
		name, tamper string
		code         int
		want         []string
	}{
		{"nothing was touched", "", 0, []string{
			"Whole: what was looked at is as it was sealed.", "Looked at 4 uses and 0 events", "where sealing began: 1 of the uses, 0 of the events.",
		}},
		{"a use was deleted", `DELETE FROM uses WHERE id = (SELECT max(id) FROM uses)`, 1, []string{
			"uses missing", "Not whole: somebody changed what was sealed",
		}},
		{"a use was made up for a minute to come", copyOf(`'ffff0000-0000-7000-8000-000000000000'`, "at"), 1, []string{
			"uses under an id that does not fit", "Not whole: somebody put rows where they do not belong",
		}},
		{"both", copyOf(`'ffff0000-0000-7000-8000-000000000000'`, "at") + `; DELETE FROM uses WHERE id = (SELECT min(id) FROM uses WHERE at > (SELECT min(at) FROM uses))`, 1, []string{
			"uses missing", "uses under an id that does not fit", "Not whole: somebody changed what was sealed",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path, _ := sealedStore(t)
			tamper(t, path, tt.tamper)
			code, out := hallpassRun(t, "uses", "verify", "--store", "sqlite:"+path)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
		})
	}
}

// TestWhatAPruneLeftIsSaidToBeThat: half of a minute that was pruned is there again.
func TestWhatAPruneLeftIsSaidToBeThat(t *testing.T) {
	t.Parallel()
	path, from := sealedStore(t)
	store := "sqlite:" + path
	tamper(t, path, `CREATE TABLE kept AS SELECT * FROM uses`)
	if code, out := hallpassRun(t, "prune", "--store", store, "--max-age", time.Since(from.Add(90*time.Second)).String()); code != 0 {
		t.Fatal(out)
	}
	tamper(t, path, `INSERT INTO uses SELECT * FROM kept WHERE id = (SELECT min(id) FROM kept WHERE at > (SELECT min(at) FROM kept))`)
	code, out := hallpassRun(t, "uses", "verify", "--store", store)
	if code != 1 || !strings.Contains(out, "pruned, but uses are there") || !strings.Contains(out, "If a prune broke off") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if code, out := hallpassRun(t, "prune", "--store", store, "--max-age", "30d"); code != 0 {
		t.Fatal(out)
	}
	if code, out := hallpassRun(t, "uses", "verify", "--store", store); code != 0 {
		t.Errorf("after the next prune, exit code %d:\n%s", code, out)
	}
}

// tamper runs statements on the file as any other program would.
func tamper(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}
