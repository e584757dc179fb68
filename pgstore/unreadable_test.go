package pgstore_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
)

// A row that a newer version or somebody's hand wrote was taken for a lost
// connection: its lane tried it until the timeout, and then the store was away for
// the whole process.
func TestARowThatCannotBeReadFailsAlone(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]string{
		"a grant of another version":    `UPDATE hallpass_passes SET grants = '["TRACE /a"]' WHERE id = $1`,
		"no JSON":                       `UPDATE hallpass_passes SET grants = '[' WHERE id = $1`,
		"a column that has become NULL": `UPDATE hallpass_passes SET subject = NULL WHERE id = $1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const timeout = 3 * time.Second
			dsn := needs.Postgres(t)
			s, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Create: true, MaxConns: 4, Timeout: timeout})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			passes := make([]hallpass.Pass, 24)
			var entries []hallpass.Entry
			for i := range passes {
				passes[i] = hallpass.Pass{ID: newID(), Scope: "s", Mode: hallpass.ModePublic, Recorded: true, IssuedAt: time.Now()}
				entries = append(entries, hallpass.Entry{Pass: passes[i]})
			}
			if err := s.Record(t.Context(), entries); err != nil {
				t.Fatal(err)
			}
			db := raw(t, dsn)
			mustExec(t, db, `ALTER TABLE hallpass_passes ALTER COLUMN subject DROP NOT NULL`)
			bad := passes[7].ID
			mustExec(t, db, spoil, bad)
			sessions := pgstore.Backends(t, s)

			refused := func(what string, err error) {
				var field *hallpass.FieldError
				if !errors.Is(err, hallpass.ErrUnavailable) || errors.As(err, &field) {
					t.Errorf("%s: %v, want ErrUnavailable and no FieldError", what, err)
				}
			}
			began := time.Now()
			_, err = s.Entry(t.Context(), bad)
			refused("Entry", err)
			var all sync.WaitGroup
			for _, p := range passes {
				for range 3 { // enough that they share transactions with the bad one
					all.Go(func() {
						_, err := s.Reserve(context.Background(), useOf(p))
						if p.ID == bad {
							refused("Reserve", err)
						} else if err != nil {
							t.Errorf("another pass: %v", err)
						}
					})
				}
			}
			all.Wait()
			if took := time.Since(began); took >= timeout {
				t.Errorf("it took %v, so the row was tried until the timeout", took)
			}
			if n := scan[int](t, db, `SELECT count(*) FROM hallpass_uses`); n != 3*(len(passes)-1) {
				t.Errorf("%d uses were counted, want %d", n, 3*(len(passes)-1))
			}
			now := pgstore.Backends(t, s)
			for pid := range sessions {
				if !now[pid] {
					t.Errorf("connection %d was thrown away", pid)
				}
			}
		})
	}
}

func TestWhichErrorsAreALostConnection(t *testing.T) {
	t.Parallel()
	for name, tt := range pgstore.ErrorsOfAConnection(t, needs.Postgres(t)) {
		if tt.Err == nil || tt.Lost != tt.WantLost {
			t.Errorf("%s (%v): lost is %v, want %v", name, tt.Err, tt.Lost, tt.WantLost)
		}
	}
}
