// Package storetest is the contract of hallpass.Store as tests. A store that
// passes it can stand under every guard; run it with -race.
package storetest

import (
	"testing"

	"github.com/hallpass-go/hallpass"
)

// Options names what a store can do beyond being opened. The zero value, like
// nil, tests a store that lives in one handle.
type Options struct {
	// Pair opens two handles on one new, empty database, as two processes would.
	// Defaults to one handle used twice.
	Pair func(t *testing.T) (a, b hallpass.Store)
	// Reopen closes the store and opens its database again. Defaults to leaving
	// the tests of durability out.
	Reopen func(t *testing.T, s hallpass.Store) hallpass.Store
}

// Run tests the store that open returns. Each call of open must give a new,
// empty store, which open itself closes when its test ends.
func Run(t *testing.T, open func(t *testing.T) hallpass.Store, opts *Options) {
	s := suite{open: open}
	if opts != nil {
		s.pair, s.reopen = opts.Pair, opts.Reopen
	}
	if s.pair == nil {
		s.pair = func(t *testing.T) (a, b hallpass.Store) {
			one := open(t)
			return one, one
		}
	}
	for _, group := range [][]test{
		quotaTests, firstUseTests, keyTests, settleTests, revokeTests, cancelTests,
		recordTests, historyTests, amendTests, listTests, pruneTests, cellTests, counterTests, feedTests, eventTests, sealTests,
	} {
		for _, tt := range group {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				tt.run(t, s)
			})
		}
	}
}

type suite struct {
	open   func(t *testing.T) hallpass.Store
	pair   func(t *testing.T) (a, b hallpass.Store)
	reopen func(t *testing.T, s hallpass.Store) hallpass.Store
}

// test is one sentence of the contract.
type test struct {
	name string
	run  func(t *testing.T, s suite)
}
