package pgstore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
)

// What follows a slash in a password was taken for the database, what follows an @
// for the host, and Name printed it.
func TestAPasswordThatWasNotEscapedIsRefusedAndNotPrinted(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"postgres://u:4711/sesame@db.invalid/app",
		"postgresql://u:4711/sesame@db.invalid/app",
		"postgres://u:4711?sesame@db.invalid/app",
		"postgres://u:4711#sesame@db.invalid/app",
		"postgres://u:47@11/sesame@db.invalid/app",
		"postgres://u:47@sesame@db.invalid/app",
		"postgres://u/sesame:1@db.invalid",
		"postgres:///app?user=u@sesame",
	} {
		err := pgstore.Check(dsn)
		var field *hallpass.FieldError
		if !errors.As(err, &field) || field.Field != "store" || strings.Contains(err.Error(), "sesame") {
			t.Errorf("Check(%q) = %v, want a FieldError of store without the password", dsn, err)
		}
	}
	for _, dsn := range []string{
		"postgres://u:4711%2Fsesame%40@db.invalid/app",
		"postgres://u@a.invalid,b.invalid/app",
		"postgres://db.invalid:5432/app?user=u%40sesame",
		"postgres:///app?host=/run/postgresql",
		"host=db.invalid user=u password=47@11/sesame@ dbname=app",
	} {
		if err := pgstore.Check(dsn); err != nil {
			t.Errorf("Check(%q) = %v", dsn, err)
		}
	}
}

func TestTheNameHasNoPassword(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	if name := open(t, dsn).Name(); strings.Contains(name, "sesame") || strings.Contains(name, "@") {
		t.Errorf("Name() = %q", name)
	}
}
