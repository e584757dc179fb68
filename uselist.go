package hallpass

import (
	"context"
	"time"
)

// Uses returns uses newest first, of one pass or of all. Since and Until are about
// the moment in a use's id, which is that of its reservation.
//
// No index knows subjects and states, so for those it reads on, but through no more
// than a few thousand uses and no longer than a moment: then the page is short, or even empty, and Next goes
// on where the reading stopped.
func (i *Issuer) Uses(ctx context.Context, q UseQuery) (UsePage, error) {
	store, err := i.store()
	if err != nil {
		return UsePage{}, err
	}
	limit, err := pageSize(q.Limit)
	if err != nil {
		return UsePage{}, err
	}
	ask := UseQuery{Pass: q.Pass, Limit: limit + 1} // one more tells whether there is a next page
	if ask.After, err = pageStart(q.After, q.Until); err != nil {
		return UsePage{}, err
	}
	sieves := q.Subject != "" || q.State != ""
	if sieves {
		ask.Limit = MaxPage
	}
	from, lost := firstID(q.Since), i.Now().Add(-pendingFor)
	var page UsePage
	began := time.Now()
	for looked := 0; ; {
		uses, err := store.Uses(ctx, ask)
		if err != nil {
			return UsePage{}, storeError(ctx, "the uses could not be listed", err)
		}
		for _, u := range uses {
			if u.ID < from {
				return page, nil
			}
			if u.State == UsePending && u.At.Before(lost) {
				u.State = UseUnknown
			}
			if q.Subject != "" && u.Subject != q.Subject || q.State != "" && u.State != q.State {
				continue
			}
			if len(page.Uses) == limit {
				page.Next = page.Uses[limit-1].ID
				return page, nil
			}
			page.Uses = append(page.Uses, u)
		}
		if len(uses) < ask.Limit {
			return page, nil
		}
		ask.After = uses[len(uses)-1].ID
		if looked += len(uses); looked >= scanLimit || sieves && time.Since(began) >= scanTime {
			page.Next = ask.After
			return page, nil
		}
	}
}
