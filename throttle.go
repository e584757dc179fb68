package hallpass

import (
	"context"
	"time"
)

// Throttle counts an attempt and reports whether it is within limit attempts per
// window for this name and key, across all processes on the store. When the store
// does not answer it is ErrUnavailable, and the attempt must not go on.
func (i *Issuer) Throttle(ctx context.Context, name, key string, limit int64, window time.Duration) (bool, error) {
	store, err := i.store()
	if err != nil {
		return false, err
	}
	a := Addition{Group: "throttle:" + name, Key: key, Delta: 1, Limit: limit, Window: window}
	_, ok, err := store.Add(ctx, a, i.Now())
	if err != nil {
		return false, storeError(ctx, "the attempt could not be counted", err)
	}
	return ok, nil
}
