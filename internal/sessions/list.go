package sessions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Register lists and ends the sessions of a group, whatever their kind. It is safe
// for concurrent use.
type Register struct {
	cells hallpass.CellStore
	group string
	now   func() time.Time
}

// NewRegister returns the Register of a group of cells.
func NewRegister(cells hallpass.CellStore, group string, now func() time.Time) *Register {
	return &Register{cells, group, now}
}

// List returns the sessions that are not over, newest first, of one subject, who may
// be named by the address of a login, or, where that is empty, of all, strictly after
// a cursor and at most limit. next is empty when there is no more. A session nobody
// has asked about leaves by itself.
func (r *Register) List(ctx context.Context, subject, after string, limit int) (page []Session, next string, err error) {
	now := r.now()
	cells, err := r.cells.Cells(ctx, r.group, 0, now)
	if err != nil {
		return nil, "", unavailable(err)
	}
	for _, cell := range cells {
		var c sessionCell
		if json.Unmarshal(cell.Value, &c) != nil || c.Over || !now.Before(c.Ends) || subject != "" && !c.isOf(subject) {
			continue
		}
		s := c.session()
		s.IdleEnds = cell.ExpiresAt
		if after == "" || s.position() < after {
			page = append(page, *s)
		}
	}
	slices.SortFunc(page, func(a, b Session) int { return strings.Compare(b.position(), a.position()) })
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].position()
	}
	return page, next, nil
}

// position orders sessions by when they began; it is the cursor of List.
func (s *Session) position() string { return fmt.Sprintf("%016x-%s", s.Began.UnixMicro(), s.ID) }

// End ends a session; ErrNotFound when there is none.
func (r *Register) End(ctx context.Context, id string) error {
	for {
		now := r.now()
		cell, err := r.cells.Cell(ctx, r.group, id, now)
		if errors.Is(err, hallpass.ErrNotFound) {
			return err
		}
		if err != nil {
			return unavailable(err)
		}
		var c sessionCell
		if err := json.Unmarshal(cell.Value, &c); err != nil {
			return unavailable(err)
		}
		if c.Over {
			return hallpass.ErrNotFound
		}
		c.Over = true
		if cell.Value, err = json.Marshal(c); err != nil {
			return err
		}
		if _, err = r.cells.Swap(ctx, cell, now); !errors.Is(err, hallpass.ErrConflict) {
			return unavailable(err)
		}
	}
}
