package hallpass

import (
	"context"
	"errors"
	"time"
)

// sealsLate is how old rows may become unsealed before something is wrong: a process
// that seals may just have ended, and another takes over within a minute.
const sealsLate = 10 * time.Minute

// SealState is how far the seals have come, for operators. It is read from the end
// of the chain; whether all of it is whole is for VerifySeals to say.
type SealState struct {
	// Links is how long the chain is; 0 where nothing was ever sealed.
	Links int64
	// Through is the first moment that is not sealed.
	Through time.Time
	// Late says that there are rows which should have been sealed by now.
	Late bool
}

// SealState returns how far the seals have come. An end of the chain that is not as
// it was signed is ErrUnavailable.
func (i *Issuer) SealState(ctx context.Context) (SealState, error) {
	store, err := i.store()
	if err != nil {
		return SealState{}, err
	}
	chain, err := i.openChain(ctx, store, false)
	if errors.Is(err, ErrNotFound) {
		return SealState{}, nil
	}
	if err != nil {
		return SealState{}, err
	}
	state := SealState{Links: chain.end.Number, Through: minuteTime(chain.end.Through)}
	if due := i.Now().Add(-sealGrace-sealsLate).Unix() / 60; chain.end.Through < due {
		quiet, err := chain.isQuiet(ctx, due)
		if err != nil {
			return SealState{}, err
		}
		state.Late = !quiet
	}
	return state, nil
}
