package hallpass

import (
	"context"
	"math"
	"strconv"
)

// BatchStat is what happened to the passes of a batch since it was first heard
// of. Scanned and Opened count requests, not readers.
type BatchStat struct {
	Batch                                  string
	Issued, Scanned, Opened, Used, Refused int64
}

// BatchPage is a page of batches.
type BatchPage struct {
	Batches []BatchStat
	// Next continues behind this page; empty means that there is no more.
	Next string
}

// BatchStat returns the counts of one batch; zeros for one nobody has heard of.
func (i *Issuer) BatchStat(ctx context.Context, batch string) (BatchStat, error) {
	b := BatchStat{Batch: batch}
	store, err := i.store()
	if err != nil {
		return b, err
	}
	err = readCounters(ctx, store, batchGroup(batch), i.Now(), func(key string, n int64) {
		switch key {
		case statIssued.String():
			b.Issued = n
		case statScanned.String():
			b.Scanned = n
		case statOpened.String():
			b.Opened = n
		case statUsed.String():
			b.Used = n
		case statRefused.String():
			b.Refused = n
		}
	})
	return b, err
}

// Batches returns batches, the one to which something happened last first: limit of
// them, up to MaxPage, behind the Next of the page before. One to which something
// happens meanwhile moves to the front.
func (i *Issuer) Batches(ctx context.Context, after string, limit int) (BatchPage, error) {
	store, err := i.store()
	if err != nil {
		return BatchPage{}, err
	}
	if limit < 1 || limit > MaxPage {
		return BatchPage{}, fieldErrorf("limit", "must be 1 to %d", MaxPage)
	}
	before := uint64(math.MaxInt64)
	if after != "" {
		if before, err = strconv.ParseUint(after, 36, 63); err != nil {
			return BatchPage{}, fieldErrorf("after", "must be the next of a page")
		}
	}
	cells, err := newestCells(ctx, store, batchesGroup, before, limit+1, i.Now())
	if err != nil {
		return BatchPage{}, storeError(ctx, "the counters could not be read", err)
	}
	var page BatchPage
	if len(cells) > limit {
		cells = cells[:limit]
		page.Next = strconv.FormatUint(cells[limit-1].Version, 36)
	}
	for _, c := range cells {
		b, err := i.BatchStat(ctx, c.Key)
		if err != nil {
			return BatchPage{}, err
		}
		page.Batches = append(page.Batches, b)
	}
	return page, nil
}
