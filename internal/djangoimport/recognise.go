package djangoimport

import (
	"context"
	"math"
)

// fewGone is how many known tokens may be gone, however few there were, if others are
// as they were: those show that it is the same database.
const fewGone = 10

// recognise refuses a database that is not the one this key was imported from: what
// is gone from it would be revoked, one and all. A token is known again by its id and
// the microsecond in which it was issued.
func (r *run) recognise(ctx context.Context, known chunkList) error {
	var same, gone, other int64
	for n := int64(math.MinInt64); ; n++ {
		chunk, more := known.from(n)
		if !more {
			break
		}
		n = chunk
		page, err := r.ledger.load(ctx, n)
		if err != nil {
			return err
		}
		first, last := idsOf(n)
		there, err := r.source.issued(ctx, first, last)
		if err != nil {
			return err
		}
		for id, m := range page.marks {
			at, found := there[id]
			switch {
			case m.Dead.last():
			case !found:
				gone++
			case m.Issued != at:
				other++
			default:
				same++
			}
		}
	}
	lost := gone + other
	if lost == 0 || same > 0 && (lost < fewGone || lost <= same) || r.RevokeMissing {
		return nil
	}
	return fromError("is not the database that key %q was imported from, or most of it was deleted: "+
		"of %d tokens known from earlier imports %d are gone and %d have another issued_at; "+
		"another site needs another --key; if this is the right database, --revoke-missing revokes them", r.Key, same+lost, gone, other)
}
