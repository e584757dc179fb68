// Package bulk issues a pass for each line of a table or a file, a chunk at a time,
// and gives every line back in order: with its pass, or with what was wrong.
package bulk

import (
	"context"
	"errors"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// Chunk is how many lines are held in memory, and issued in one transaction.
const Chunk = 1000

// MaxLine bounds a line in bytes, so that a missing quote does not read a whole file.
const MaxLine = 1 << 20

// Line is one line of input: what it asks for, or why it cannot be had.
type Line struct {
	// Number is where it stands in its file, from 1.
	Number  int
	Request wire.Request
	// Err is what was wrong from the start.
	Err error
	// Columns are the cells of a table's line, Text the JSON of the other kind.
	Columns []string
	Text    string
}

// Issue issues a chunk and has every line of it written, in order. A store that
// fails ends the run: its lines are written with that error, which is returned.
func Issue(ctx context.Context, issuer *hallpass.Issuer, chunk []Line, write func(Line, hallpass.Issued, error) error) (failed error) {
	next := 0
	// upTo writes the lines that were wrong from the start, as far as a line that
	// was not.
	upTo := func() error {
		for ; next < len(chunk) && chunk[next].Err != nil; next++ {
			if err := write(chunk[next], hallpass.Issued{}, chunk[next].Err); err != nil {
				return err
			}
		}
		return nil
	}
	specs := func(yield func(hallpass.Spec) bool) {
		for _, line := range chunk {
			if line.Err == nil && !yield(line.Request.Spec) {
				return
			}
		}
	}
	for issued, err := range issuer.IssueAll(ctx, specs) {
		if err := upTo(); err != nil {
			return err
		}
		if err != nil && !errors.As(err, new(*hallpass.FieldError)) {
			failed = err
		}
		if err := write(chunk[next], issued, err); err != nil {
			return err
		}
		next++
	}
	if err := upTo(); err != nil {
		return err
	}
	return failed
}
