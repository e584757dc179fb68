package keystore

import "github.com/hallpass-go/hallpass"

// rings has a ring for each purpose that this package knows, empty or not.
type rings map[hallpass.Purpose]*hallpass.Keyring

func newRings() (rings, error) {
	all := rings{}
	for _, purpose := range hallpass.Purposes() {
		ring, err := hallpass.NewKeyringFor(purpose)
		if err != nil {
			return nil, err
		}
		all[purpose] = ring
	}
	return all, nil
}

// of returns the key of a row and its state; false where it is no longer in its
// ring, or of a purpose that nobody here knows.
func (all rings) of(row *keyRow) (hallpass.Key, hallpass.KeyState, bool) {
	if ring, known := all[row.Purpose]; known {
		for key, state := range ring.Keys {
			if key.ID() == row.ID {
				return key, state, true
			}
		}
	}
	return hallpass.Key{}, "", false
}

// replace makes the rings hold what others hold. Each moves in one step.
func (all rings) replace(others rings) error {
	for purpose, ring := range all {
		if err := ring.Replace(others[purpose]); err != nil {
			return err
		}
	}
	return nil
}
