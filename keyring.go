package hallpass

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hallpass-go/hallpass/internal/passjwt"
)

// KeyState says what a key in a Keyring is for.
type KeyState string

const (
	// KeyActive signs new tokens and verifies. There is at most one.
	KeyActive KeyState = "active"
	// KeyVerifying verifies what it signed, or will sign after a rotation.
	KeyVerifying KeyState = "verifying"
	// KeyRetired is kept for the record; its tokens are unknown_key.
	KeyRetired KeyState = "retired"
)

// Keyring holds keys of one purpose: one active, any number verifying. It is safe
// for concurrent use; a change is seen by every request that begins after it.
type Keyring struct {
	mu   sync.Mutex // held while a new snapshot is made
	snap atomic.Pointer[ringSnapshot]
}

// ringSnapshot never changes once it is published.
type ringSnapshot struct {
	purpose  Purpose // empty until the first key, or an Issuer, decides it
	members  []member
	byHeader map[string]Key // by encoded header: our own spelling
	byID     map[string]Key // verifying and active ones
	active   *Key
	derived  map[string][][]byte // by purpose, filled under mu
	sole     *Key
	foreign  []foreignMember
}

type member struct {
	Key   Key
	State KeyState
}

// NewKeyring returns a ring in which the first key is active, if it can sign,
// and the others verify. With no keys it is an empty ring, to be filled by Add:
// the first key, or the Issuer that takes the ring, decides its purpose for good.
// An id that occurs twice is a *FieldError, and so is a key of another purpose.
func NewKeyring(keys ...Key) (*Keyring, error) { return newKeyring("", keys) }

// NewKeyringFor is NewKeyring for one purpose, which the ring has even while it is
// empty.
func NewKeyringFor(purpose Purpose, keys ...Key) (*Keyring, error) {
	purpose, err := purpose.check()
	if err != nil {
		return nil, err
	}
	return newKeyring(purpose, keys)
}

func newKeyring(purpose Purpose, keys []Key) (*Keyring, error) {
	r := &Keyring{}
	r.snap.Store(&ringSnapshot{purpose: purpose})
	for i, k := range keys {
		state := KeyVerifying
		if i == 0 && k.CanSign() {
			state = KeyActive
		}
		if err := r.Add(k, state); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// SoleKeyring returns a ring for checking tokens with one key, whatever `kid`
// they carry: the caller has already chosen the key.
func SoleKeyring(k Key) *Keyring {
	r := &Keyring{}
	r.snap.Store(&ringSnapshot{purpose: k.purpose, sole: &k, members: []member{{k, KeyVerifying}}})
	return r
}

// Purpose is that of the ring's keys; empty for a ring that has had none yet and
// was not made for one.
func (r *Keyring) Purpose() Purpose { return r.snap.Load().purpose }

// Add puts a key into the ring. Adding an active key makes the former active one
// verify. An id the ring already has is a *FieldError with field "id", and a key of
// another purpose one with field "purpose".
func (r *Keyring) Add(k Key, state KeyState) error {
	if k.id == "" {
		return fieldErrorf("key", "is empty; make one with GenerateKey or ParseKey")
	}
	if state != KeyActive && state != KeyVerifying && state != KeyRetired {
		return fieldErrorf("state", "must be active, verifying or retired, not %q", string(state))
	}
	return r.change(func(members []member) ([]member, error) {
		if indexOf(members, k.id) >= 0 {
			return nil, fieldErrorf("id", "there is already a key %q", k.id)
		}
		if state == KeyActive {
			if !k.CanSign() {
				return nil, fieldErrorf("key", "%q is a public key and cannot sign", k.id)
			}
			demote(members)
		}
		return append(members, member{k, state}), nil
	})
}

// Activate makes a key sign from now on; the former active key goes on verifying.
func (r *Keyring) Activate(id string) error {
	return r.change(func(members []member) ([]member, error) {
		i := indexOf(members, id)
		switch {
		case i < 0:
			return nil, ErrNotFound
		case !members[i].Key.CanSign():
			return nil, fieldErrorf("id", "%q is a public key and cannot sign", id)
		case members[i].State == KeyRetired:
			return nil, fieldErrorf("id", "%q is retired", id)
		}
		demote(members)
		members[i].State = KeyActive
		return members, nil
	})
}

// Rotate makes a new key active in one step.
func (r *Keyring) Rotate(k Key) error { return r.Add(k, KeyActive) }

// Retire stops honouring what a key signed. The active key cannot be retired:
// rotate first.
func (r *Keyring) Retire(id string) error {
	return r.change(func(members []member) ([]member, error) {
		i, err := idle(members, id)
		if err != nil {
			return nil, err
		}
		members[i].State = KeyRetired
		return members, nil
	})
}

// Remove forgets a key that is not active.
func (r *Keyring) Remove(id string) error {
	return r.change(func(members []member) ([]member, error) {
		i, err := idle(members, id)
		if err != nil {
			return nil, err
		}
		return slices.Delete(members, i, i+1), nil
	})
}

// idle finds a key that does not sign.
func idle(members []member, id string) (int, error) {
	i := indexOf(members, id)
	switch {
	case i < 0:
		return i, ErrNotFound
	case members[i].State == KeyActive:
		return i, fieldErrorf("id", "%q is the active key; rotate to another one first", id)
	}
	return i, nil
}

// Replace makes the ring hold the keys of another in one step, for those who keep
// their keys elsewhere and reload them. No request sees a state in between. Foreign
// keys stay as they are; see SetForeign. Keys of another purpose are a *FieldError
// with field "purpose", and change nothing.
func (r *Keyring) Replace(other *Keyring) error {
	members := other.snap.Load().members
	return r.change(func([]member) ([]member, error) { return slices.Clone(members), nil })
}

// Keys calls yield for each key with its state, in the order of their addition.
func (r *Keyring) Keys(yield func(Key, KeyState) bool) {
	for _, m := range r.snap.Load().members {
		if !yield(m.Key, m.State) {
			return
		}
	}
}

// Active returns the key that signs, if there is one.
func (r *Keyring) Active() (Key, bool) {
	if k := r.snap.Load().active; k != nil {
		return *k, true
	}
	return Key{}, false
}

// Derive returns secrets for another purpose than signing tokens, such as the
// MAC of a confirmation page: the active key's first, for making, then those of
// the other keys, for checking what was made before a rotation. Every process
// with the same keys derives the same secrets. A ring without a secret half
// returns none.
func (r *Keyring) Derive(purpose string) ([][]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.snap.Load()
	if secrets, ok := s.derived[purpose]; ok {
		return secrets, nil
	}
	var secrets [][]byte
	for _, m := range s.members {
		if m.State == KeyRetired || !m.Key.CanSign() {
			continue
		}
		secret, err := m.Key.derive(purpose)
		if err != nil {
			return nil, err
		}
		if m.State == KeyActive {
			secrets = slices.Insert(secrets, 0, secret)
		} else {
			secrets = append(secrets, secret)
		}
	}
	if s.derived == nil {
		s.derived = map[string][][]byte{}
	}
	s.derived[purpose] = secrets
	return secrets, nil
}

func (r *Keyring) change(edit func([]member) ([]member, error)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	former := r.snap.Load()
	members, err := edit(slices.Clone(former.members))
	if err != nil {
		return err
	}
	next := &ringSnapshot{
		purpose: former.purpose, members: members, byHeader: map[string]Key{}, byID: map[string]Key{}, foreign: former.foreign,
	}
	for _, m := range members {
		if next.purpose == "" {
			next.purpose = m.Key.purpose
		}
		if m.Key.purpose != next.purpose {
			return fieldErrorf("purpose", "the key %q is for %s, but this ring is for %s", m.Key.id, m.Key.purpose, next.purpose)
		}
		if m.State == KeyRetired {
			continue
		}
		next.byHeader[m.Key.header] = m.Key
		next.byID[m.Key.id] = m.Key
		if m.State == KeyActive {
			next.active = &m.Key
		}
	}
	r.snap.Store(next)
	return nil
}

// claim makes the ring serve a purpose from now on, or says that it has another.
// An empty ring would otherwise take keys of any purpose later, behind the back of
// whoever was given it.
func (r *Keyring) claim(purpose Purpose) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := *r.snap.Load()
	if s.purpose == "" {
		s.purpose = purpose
		r.snap.Store(&s)
	}
	return s.purpose == purpose
}

// find returns the key for a pass and what its header says. Our own headers
// are recognised as text; any other spelling is parsed.
func (r *Keyring) find(segment string) (Key, passjwt.Header, error) {
	s := r.snap.Load()
	if k, ok := s.byHeader[segment]; ok {
		return k, passjwt.Header{Algorithm: string(k.algorithm), KeyID: k.id, Type: passjwt.Type}, nil
	}
	h, err := passjwt.ParseHeader(segment)
	if err != nil {
		return Key{}, h, RefusalMalformed
	}
	k, ok := s.key(h.KeyID)
	if !ok {
		return Key{}, h, RefusalUnknownKey
	}
	return k, h, nil
}

// byID returns the key a compact token names.
func (r *Keyring) byID(id string) (Key, bool) { return r.snap.Load().key(id) }

func (s *ringSnapshot) key(id string) (Key, bool) {
	if s.sole != nil {
		return *s.sole, true
	}
	k, ok := s.byID[id]
	return k, ok
}

func indexOf(members []member, id string) int {
	return slices.IndexFunc(members, func(m member) bool { return m.Key.id == id })
}

func demote(members []member) {
	for i := range members {
		if members[i].State == KeyActive {
			members[i].State = KeyVerifying
		}
	}
}
