package djangoimport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sort"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
)

// chunkSize is how many ids share a cell, and are held in memory.
const chunkSize = 1000

// chunkOf is the number of the chunk an id is in; it rises with the id.
func chunkOf(id int64) int64 {
	n := id / chunkSize
	if id%chunkSize < 0 {
		n--
	}
	return n
}

// idsOf are the ids of a chunk. The outermost chunks are cut off by the type.
func idsOf(chunk int64) (first, last int64) {
	first, last = math.MinInt64, math.MaxInt64
	if chunk >= math.MinInt64/chunkSize {
		first = chunk * chunkSize
	}
	if chunk < math.MaxInt64/chunkSize {
		last = (chunk+1)*chunkSize - 1
	}
	return first, last
}

// mark is what is remembered of a token that was imported. The invariant, for each
// token whose row was not taken back:
//
//	uses of the row = Used - Owed + what hallpass itself honoured
//
// where Used is the highest count that Django ever showed, and Owed what a spent
// row could not count.
type mark struct {
	Used int64 `json:"u"`
	// Max is Django's quota as it is in force in the row.
	Max int64 `json:"m"`
	// Closed says that Django's quota was 0 or less: no use is left, whatever Max is.
	Closed bool `json:"z,omitempty"`
	// Counted is how many uses were counted by Reserve: each has its number in its key.
	Counted int64 `json:"c,omitempty"`
	Owed    int64 `json:"o,omitempty"`
	// Logs and LastLog are the log rows carried over, and the highest id among them.
	Logs    int64 `json:"l,omitempty"`
	LastLog int64 `json:"i,omitempty"`
	// Print tells whether what the row cannot change has changed in Django.
	Print uint32 `json:"p"`
	// Ends is the row's end in seconds, 0 for none.
	Ends int64 `json:"e,omitempty"`
	// Intended is set before the row is made and taken away when it surely is.
	Intended bool `json:"n,omitempty"`
	// RaiseBy and RaiseFrom stand here before a quota is raised: whether it was can
	// then be seen in the row.
	RaiseBy   int64 `json:"rb,omitempty"`
	RaiseFrom int64 `json:"rf,omitempty"`
	// Dead tokens were taken back: the row is gone from Django, or had expired.
	Dead death `json:"d,omitempty"`
}

type death string

const (
	deleted death = "deleted"
	expired death = "expired"
)

// ledger keeps the marks, a chunk a cell, in the store they speak of.
type ledger struct {
	store hallpass.CellStore
	group string
	now   func() time.Time
}

// page is the cell of a chunk.
type page struct {
	marks map[int64]*mark
	cell  hallpass.Cell
}

func (l ledger) load(ctx context.Context, chunk int64) (page, error) {
	p := page{marks: map[int64]*mark{}, cell: hallpass.Cell{Group: l.group, Key: "chunk:" + strconv.FormatInt(chunk, 10)}}
	err := l.read(ctx, &p.cell, &p.marks)
	return p, err
}

// save writes the page; ErrConflict when another import did meanwhile.
func (l ledger) save(ctx context.Context, p *page) error {
	return l.write(ctx, &p.cell, p.marks)
}

// chunkList are the chunks that have cells, as ranges in rising order.
type chunkList [][2]int64

// from returns the first chunk that is n or higher.
func (c chunkList) from(n int64) (chunk int64, found bool) {
	for _, r := range c {
		if r[1] >= n {
			return max(r[0], n), true
		}
	}
	return 0, false
}

// with returns the list with a chunk more; changed is false where it had it.
func (c chunkList) with(n int64) (list chunkList, changed bool) {
	i := sort.Search(len(c), func(i int) bool { return c[i][1] >= n-1 })
	switch {
	case i < len(c) && c[i][0] <= n && n <= c[i][1]:
		return c, false
	case i < len(c) && c[i][1] == n-1:
		c[i][1] = n
		if i+1 < len(c) && c[i+1][0] == n+1 {
			c[i][1] = c[i+1][1]
			c = append(c[:i+1], c[i+2:]...)
		}
	case i < len(c) && c[i][0] == n+1:
		c[i][0] = n
	default:
		c = append(c, [2]int64{})
		copy(c[i+1:], c[i:])
		c[i] = [2]int64{n, n}
	}
	return c, true
}

func (l ledger) index() hallpass.Cell { return hallpass.Cell{Group: l.group, Key: "chunks"} }

func (l ledger) chunks(ctx context.Context) (list chunkList, err error) {
	cell := l.index()
	return list, l.read(ctx, &cell, &list)
}

// add makes sure that a chunk is on the list, before its cell is written.
func (l ledger) add(ctx context.Context, chunk int64, known *chunkList) error {
	cell := l.index()
	var list chunkList
	if err := l.read(ctx, &cell, &list); err != nil {
		return err
	}
	list, changed := list.with(chunk)
	*known = list
	if !changed {
		return nil
	}
	return l.write(ctx, &cell, list)
}

func (l ledger) read(ctx context.Context, cell *hallpass.Cell, into any) error {
	found, err := l.store.Cell(ctx, cell.Group, cell.Key, l.now())
	switch {
	case errors.Is(err, hallpass.ErrNotFound):
		return nil
	case err != nil:
		return failed(ctx, "what earlier imports did cannot be read", err)
	}
	*cell = found
	if err := json.Unmarshal(found.Value, into); err != nil {
		return fmt.Errorf("%w: the cell %s of %s is damaged: %w", hallpass.ErrUnavailable, found.Key, found.Group, err)
	}
	return nil
}

func (l ledger) write(ctx context.Context, cell *hallpass.Cell, value any) (err error) {
	if cell.Value, err = json.Marshal(value); err != nil {
		return err
	}
	written, err := l.store.Swap(ctx, *cell, l.now())
	if errors.Is(err, hallpass.ErrConflict) {
		return errOther
	}
	if err != nil {
		return failed(ctx, "what this import did cannot be written", err)
	}
	*cell = written
	return nil
}

var errOther = fmt.Errorf("%w: another import of the same key is running", hallpass.ErrConflict)

// failed marks an error of the store as undecided, whatever it is.
func failed(ctx context.Context, what string, err error) error {
	if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) || errors.Is(err, hallpass.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", hallpass.ErrUnavailable, what, err)
}
