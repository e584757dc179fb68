package login

import (
	"sync"

	"github.com/hallpass-go/hallpass"
)

// seen remembers the cells that this process read or wrote last, so that the steps
// of one login need not read what the step before has written. It may be out of
// date: the compare-and-swap finds that out.
type seen struct {
	mu sync.Mutex
	// Two generations bound the memory: when the young one is full it becomes the
	// old one, and what nobody asks for again is gone.
	young, old map[place]hallpass.Cell
}

const seenSize = 4096

func (s *seen) find(at place) (hallpass.Cell, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cell, ok := s.young[at]; ok {
		return cell, true
	}
	cell, ok := s.old[at]
	return cell, ok
}

func (s *seen) keep(at place, cell hallpass.Cell) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.young) >= seenSize || s.young == nil {
		s.young, s.old = make(map[place]hallpass.Cell), s.young
	}
	s.young[at] = cell
}
