package server

import (
	"context"
	"sync"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/keystore"
)

// keys is what the issuer signs and verifies with: the store's keys for passes and,
// in front of them, those of a file. Keys for access tokens are the store's alone.
type keys struct {
	ring *keystore.Ring
	live *hallpass.Keyring

	mu   sync.Mutex
	file *hallpass.Keyring
	// freshAt is when the store's keys were last read, on the machine's clock.
	freshAt time.Time
}

func newKeys(ring *keystore.Ring, file *hallpass.Keyring) (*keys, error) {
	k := &keys{ring: ring, live: ring.Keyring(), file: file, freshAt: time.Now()}
	if file == nil {
		return k, nil
	}
	var err error
	if k.live, err = hallpass.NewKeyringFor(hallpass.PurposePass); err != nil {
		return nil, err
	}
	return k, k.join()
}

// access returns the live keys for access tokens, which are empty until somebody
// makes one.
func (k *keys) access() *hallpass.Keyring { return k.ring.KeyringFor(hallpass.PurposeAccess) }

// join puts the file's keys and the store's into the live ring. Where both name a
// key alike, the file's counts. It needs the lock mu.
func (k *keys) join() error {
	if k.file == nil {
		return nil
	}
	all, err := hallpass.NewKeyringFor(hallpass.PurposePass)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for key, state := range k.file.Keys {
		known[key.ID()] = true
		if err := all.Add(key, state); err != nil {
			return err
		}
	}
	for key, state := range k.ring.Keyring().Keys {
		if known[key.ID()] {
			continue
		}
		if state == hallpass.KeyActive {
			state = hallpass.KeyVerifying
		}
		if err := all.Add(key, state); err != nil {
			return err
		}
	}
	return k.live.Replace(all)
}

// refresh takes over what other processes did to the store's keys.
func (k *keys) refresh(ctx context.Context) (changed bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	began := time.Now()
	if changed, err = k.ring.Refresh(ctx); err != nil {
		return false, err
	}
	k.freshAt = began
	if !changed {
		return false, nil
	}
	return true, k.join()
}

// setFile replaces the file's keys. A server that began without a file stays so.
func (k *keys) setFile(file *hallpass.Keyring) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == nil || file == nil {
		return nil
	}
	former := k.file
	k.file = file
	if err := k.join(); err != nil {
		k.file = former
		return err
	}
	return nil
}

func (k *keys) age() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Since(k.freshAt)
}

func (s *Server) pollKeys(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	wake := make(chan struct{}, 1)
	var waking sync.WaitGroup
	waking.Go(func() { s.keys.ring.Wake(ctx, wake) })
	defer waking.Wait()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		}
		changed, err := s.keys.refresh(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			s.cfg.Logger.Error("the keys cannot be read again; the last ones stay in use", "error", err)
		case changed:
			s.cfg.Logger.Info("the keys changed")
		}
		failing = err != nil
	}
}
