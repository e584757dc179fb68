package needs_test

import (
	"testing"

	"github.com/hallpass-go/hallpass/internal/needs"
)

func TestPostgresSurvivesItsKill(t *testing.T) {
	t.Parallel()
	s := needs.NewPostgresServer(t)
	s.SQL(t, "postgres", "CREATE TABLE kept (n int)")
	s.Kill(t)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if got := s.SQL(t, "postgres", "SELECT count(*) FROM kept"); got != "0" {
		t.Errorf("count = %q", got)
	}
}

func TestAStandbyIsPromoted(t *testing.T) {
	t.Parallel()
	primary := needs.NewPostgresServer(t)
	standby := primary.Standby(t)
	primary.SQL(t, "postgres", "CREATE TABLE kept (n int)")
	primary.Kill(t)
	standby.Promote(t)
	standby.SQL(t, "postgres", "INSERT INTO kept VALUES (1)")
}

func TestEachDatabaseIsItsOwn(t *testing.T) {
	t.Parallel()
	if a, b := needs.Postgres(t), needs.Postgres(t); a == b {
		t.Errorf("both are %s", a)
	}
}
