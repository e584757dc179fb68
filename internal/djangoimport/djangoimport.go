// Package djangoimport carries a django-request-token database over into a store:
// tokens with what is left of them, their data and users, and their log. Links
// that were mailed go on working, each exactly as often as it still could.
//
// It may be repeated, and killed at any point: what was done is not done again.
// The store has a row's uses either from the moment the row is made, or from
// Reserve with a key that counts once; what Django had shown by then is remembered
// in cells of the store (see ledger).
package djangoimport

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
)

// ExpiredRows says what becomes of tokens whose row ended, while the JWT that was
// mailed may say otherwise: RequestToken.expire() changes the row alone.
type ExpiredRows string

const (
	// KeepExpired lets the JWT decide about time, as Django does.
	KeepExpired ExpiredRows = "keep"
	// RevokeExpired takes them back.
	RevokeExpired ExpiredRows = "revoke"
)

// Config is what an import needs.
type Config struct {
	// From is the Django database: sqlite:PATH or postgres://USER@HOST/DATABASE. It is
	// read in one read-only transaction. Required.
	From string
	// Store is what is written to. Where it is a hallpass.History, a token's past uses
	// are in force from the moment its row is made. Elsewhere they are counted after
	// it, so nothing should be redeemed there before the import has ended. Required.
	Store hallpass.Store
	// Key is the id of the foreign key that verifies the tokens; it is part of their
	// ids. Defaults to "django".
	Key string
	// ExpiredRows defaults to KeepExpired.
	ExpiredRows ExpiredRows
	// MaxCounts bounds the uses that are counted for one token in one run without a log
	// row of theirs. What is more is taken off the quota where the Store is a
	// hallpass.History, so that as many uses are left; elsewhere the pass is revoked.
	// Defaults to 1,000.
	MaxCounts int64
	// RevokeMissing goes on although most of the tokens that are known from earlier
	// imports are gone, and revokes them. Otherwise such a database is refused: it is
	// more likely the wrong one.
	RevokeMissing bool
	// DryRun writes nothing and reports what an import would do.
	DryRun bool
	// Progress, when set, is called after each thousand tokens or so.
	Progress func(Report)
	// Problem, when set, is told about each row that could not be carried over, as
	// it is found. Report keeps the first of them only.
	Problem func(Problem)
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Key == "" {
		c.Key = "django"
	}
	if c.ExpiredRows == "" {
		c.ExpiredRows = KeepExpired
	}
	if c.MaxCounts == 0 {
		c.MaxCounts = 1_000
	}
	if c.Progress == nil {
		c.Progress = func(Report) {}
	}
	if c.Problem == nil {
		c.Problem = func(Problem) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.ExpiredRows != KeepExpired && c.ExpiredRows != RevokeExpired:
		return &hallpass.FieldError{Field: "expired_rows", Reason: "must be keep or revoke"}
	case c.MaxCounts < 0:
		return &hallpass.FieldError{Field: "max_counts", Reason: "must not be negative"}
	}
	return checkKey(c.Key)
}

// Check says what is wrong with a Config, and with the Django database, which it
// opens; the Store may be missing. Its errors are *hallpass.FieldError and, for a
// database that does not answer, hallpass.ErrUnavailable.
func Check(ctx context.Context, cfg Config) error {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return err
	}
	s, err := openSource(ctx, cfg.From)
	if err != nil {
		return err
	}
	s.close()
	return nil
}

// Run imports. Rows that are wrong are in the report and stop nothing. Its errors
// are *hallpass.FieldError, hallpass.ErrConflict while another import of the same
// key runs, and hallpass.ErrUnavailable; then the report tells how far it came.
func Run(ctx context.Context, cfg Config) (Report, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return Report{}, err
	}
	if cfg.Store == nil {
		return Report{}, &hallpass.FieldError{Field: "store", Reason: "is required"}
	}
	r := &run{Config: cfg, report: Report{Key: cfg.Key, DryRun: cfg.DryRun, ExpiredRows: cfg.ExpiredRows, Problems: []Problem{}}}
	r.history, _ = cfg.Store.(hallpass.History)
	r.ledger = ledger{store: cfg.Store, group: "import:django:" + cfg.Key, now: cfg.Now}
	r.began = cfg.Now()
	err := r.run(ctx)
	return r.report, err
}

// run is one import under way.
type run struct {
	Config
	source  *source
	history hallpass.History // nil where the store is none
	ledger  ledger
	turns   turns
	began   time.Time
	report  Report
}

func (r *run) run(ctx context.Context) (err error) {
	if r.source, err = openSource(ctx, r.From); err != nil {
		return err
	}
	defer r.source.close()
	if !r.DryRun {
		leased, release, err := r.ledger.lease(ctx)
		if err != nil {
			return err
		}
		defer release()
		ctx = leased
		if r.turns, err = r.ledger.turns(ctx); err != nil {
			return err
		}
	}
	if err := r.walk(ctx); err != nil {
		if cause := context.Cause(ctx); ctx.Err() != nil && cause != nil {
			return cause
		}
		return err
	}
	return nil
}

// walk goes through the chunks that the database has or the ledger knows, in rising
// order.
func (r *run) walk(ctx context.Context) error {
	known, err := r.ledger.chunks(ctx)
	if err != nil {
		return err
	}
	first, found, err := r.source.nextID(ctx, math.MinInt64)
	if err != nil {
		return err
	}
	if err := r.recognise(ctx, known); err != nil {
		return err
	}
	if err := r.source.unnamed(ctx, r.unnamed); err != nil {
		return err
	}
	for id := int64(math.MinInt64); ; {
		next, inSource := first, found
		if inSource && next < id {
			if next, inSource, err = r.source.nextID(ctx, id); err != nil {
				return err
			}
			first, found = next, inSource
		}
		n, more := known.from(chunkOf(id))
		switch {
		case inSource && (!more || chunkOf(next) <= n):
			n = chunkOf(next)
		case !more:
			return nil
		}
		if err := r.chunk(ctx, n, &known); err != nil {
			return err
		}
		r.Progress(r.report)
		_, last := idsOf(n)
		if last == math.MaxInt64 {
			return nil
		}
		id = last + 1
	}
}

// problem reports a row that is not carried over as it stands.
func (r *run) problem(table string, row int64, format string, args ...any) {
	r.tell(Problem{Table: table, Row: &row, Problem: fmt.Sprintf(format, args...)})
}

// unnamed reports a token that no pass can stand for: no JWT finds it either.
func (r *run) unnamed(id sql.NullString) {
	r.report.Tokens++
	text := "there is no id"
	if id.Valid {
		text = "the id " + strconv.Quote(id.String) + " is no whole number"
	}
	r.tell(Problem{Table: tokenTable, Problem: text})
}

func (r *run) tell(p Problem) {
	r.report.ProblemCount++
	if len(r.report.Problems) < MaxProblems {
		r.report.Problems = append(r.report.Problems, p)
	}
	r.Problem(p)
}
