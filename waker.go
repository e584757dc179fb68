package hallpass

import (
	"context"
	"errors"
)

// Waker is what a CellStore can be besides: one that says when there is something
// new to read. Nothing is decided by it. Whoever follows a feed polls as well, so
// a Waker that fails, or loses a message, costs latency and nothing else.
type Waker interface {
	// Wake calls woken with a group's name soon after Swap wrote a cell of that
	// group, in any process, and for every group whenever messages may have been
	// lost: when it begins to listen, and after each reconnection. Counters (Add)
	// wake nobody. It reconnects by itself and returns only when ctx ends, with
	// ctx's error, or at once with errors.ErrUnsupported where the store cannot
	// wake. woken is called by one goroutine at a time and must not wait for
	// anything.
	Wake(ctx context.Context, groups []string, woken func(group string)) error
}

// Wake is cells.Wake, or errors.ErrUnsupported where cells is no Waker. Stores that
// wrap another store implement Waker with it.
func Wake(ctx context.Context, cells CellStore, groups []string, woken func(group string)) error {
	if w, ok := cells.(Waker); ok {
		return w.Wake(ctx, groups, woken)
	}
	return errors.ErrUnsupported
}

// WakeChannel puts a token into wake, unless one is there already, whenever a cell
// of the groups may have been written, until ctx ends or the store cannot wake.
// wake needs a buffer of one. It is for pollers that run it in a goroutine beside
// their ticker.
func WakeChannel(ctx context.Context, cells CellStore, wake chan<- struct{}, groups ...string) {
	_ = Wake(ctx, cells, groups, func(string) {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
}
