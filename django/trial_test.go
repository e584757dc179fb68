package django_test

import (
	"fmt"
	"sync"
	"testing"
)

// trial is one vector under way. What goes wrong with it is a difference of that
// vector: one odd vector must not keep the others from being judged.
type trial struct {
	*testing.T
	mu  sync.Mutex
	odd differences
}

// endOfTrial is what Fatal panics with.
type endOfTrial struct{}

// try makes a runner of a function that may fail.
func try(run func(t *trial, v vector) differences) func(*testing.T, vector) differences {
	return func(t *testing.T, v vector) (d differences) {
		one := &trial{T: t}
		defer func() {
			end := recover()
			if _, ours := end.(endOfTrial); end != nil && !ours {
				panic(end)
			}
			one.mu.Lock()
			defer one.mu.Unlock()
			d = append(d, one.odd...)
		}()
		return run(one, v)
	}
}

func (t *trial) Error(args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.odd = append(t.odd, fmt.Sprint(args...))
}

func (t *trial) Errorf(format string, args ...any) { t.Error(fmt.Sprintf(format, args...)) }

func (t *trial) Fatal(args ...any) {
	t.Error(args...)
	panic(endOfTrial{})
}

func (t *trial) Fatalf(format string, args ...any) { t.Fatal(fmt.Sprintf(format, args...)) }

// TestAnOddVectorDoesNotEndTheOthers: one with a short key ended the whole file.
func TestAnOddVectorDoesNotEndTheOthers(t *testing.T) {
	t.Parallel()
	f := readVectors(t, "testdata/vectors.json")
	f.Keys["odd"] = vectorKey{Alg: "HS256"}
	for _, v := range f.Vectors {
		v.Key, v.Token, v.Input, v.DB, v.Config.CipherKey = "odd", "", []byte("["), []byte("["), "odd"
		v.Now = "never"
		if d := runners[v.Kind](t, v); len(d) == 0 {
			t.Errorf("%s (%s) has no differences", v.ID, v.Kind)
		}
	}
}
