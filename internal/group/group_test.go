package group_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass/internal/group"
)

// slow returns a group whose run takes a second, doubles its items and notes them.
func slow(limit int) (*group.Group[int, int], *[][]int) {
	var runs [][]int
	g := group.New(limit, func(items []int) []group.Result[int] {
		runs = append(runs, slices.Clone(items))
		time.Sleep(time.Second)
		return doubled(items)
	})
	return g, &runs
}

func doubled(items []int) []group.Result[int] {
	results := make([]group.Result[int], len(items))
	for i, n := range items {
		results[i].Value = 2 * n
	}
	return results
}

// inOrder starts calls one after another, so that they queue in that order.
func inOrder(g *group.Group[int, int], contexts []context.Context) (*sync.WaitGroup, []error) {
	var all sync.WaitGroup
	errs := make([]error, len(contexts))
	for i, ctx := range contexts {
		all.Go(func() {
			got, err := g.Do(ctx, i)
			if err == nil && got != 2*i {
				err = errors.New("got another caller's result")
			}
			errs[i] = err
		})
		synctest.Wait()
	}
	return &all, errs
}

func contexts(n int) []context.Context {
	all := make([]context.Context, n)
	for i := range all {
		all[i] = context.Background()
	}
	return all
}

func TestALoneCallerRunsAtOnceOnItsOwnGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, runs := slow(10)
		start := time.Now()
		for i := range 3 {
			if got, err := g.Do(t.Context(), i); err != nil || got != 2*i {
				t.Fatalf("Do(%d) = %d, %v", i, got, err)
			}
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("three lone calls took %v", took)
		}
		if diff := cmp.Diff([][]int{{0}, {1}, {2}}, *runs); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCallersThatComeDuringARunShareTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, runs := slow(10)
		start := time.Now()
		all, errs := inOrder(g, contexts(6))
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("six calls took %v, want two runs", took)
		}
		if diff := cmp.Diff([][]int{{0}, {1, 2, 3, 4, 5}}, *runs); diff != "" {
			t.Error(diff)
		}
	})
}

func TestARunTakesNoMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, runs := slow(2)
		all, errs := inOrder(g, contexts(6))
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([][]int{{0}, {1, 2}, {3, 4}, {5}}, *runs); diff != "" {
			t.Error(diff)
		}
	})
}

func TestACallerWhoLeavesWhileItWaitsIsNeverRun(t *testing.T) {
	t.Parallel()
	// Caller 1 is the one that would lead next.
	for _, leaver := range []int{1, 2, 3} {
		synctest.Test(t, func(t *testing.T) {
			g, runs := slow(10)
			ctxs := contexts(4)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			ctxs[leaver] = ctx
			all, errs := inOrder(g, ctxs)
			time.Sleep(600 * time.Millisecond)
			synctest.Wait()
			if errs[leaver] == nil {
				t.Errorf("caller %d still waits", leaver)
			}
			all.Wait()
			for i, err := range errs {
				if want := ctxs[i].Err(); !errors.Is(err, want) {
					t.Errorf("caller %d got %v, want %v", i, err, want)
				}
			}
			rest := slices.DeleteFunc([]int{1, 2, 3}, func(i int) bool { return i == leaver })
			if diff := cmp.Diff([][]int{{0}, rest}, *runs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestACallerWhoLeavesDuringItsRunIsToldTheTruth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, _ := slow(10)
		ctxs := contexts(3)
		for i := range ctxs {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(500+1000*min(i, 1))*time.Millisecond)
			defer cancel()
			ctxs[i] = ctx
		}
		all, errs := inOrder(g, ctxs)
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
	})
}

func TestWithAnEndedContextNothingRuns(t *testing.T) {
	t.Parallel()
	g, runs := slow(10)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Do(ctx, 1); !errors.Is(err, context.Canceled) || len(*runs) != 0 {
		t.Errorf("Do = %v after %d runs", err, len(*runs))
	}
}

func TestEveryItemHasItsOwnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		odd := errors.New("odd")
		g := group.New(10, func(items []int) []group.Result[int] {
			time.Sleep(time.Second)
			results := doubled(items)
			for i, n := range items {
				if n%2 == 1 {
					results[i].Err = odd
				}
			}
			return results
		})
		all, errs := inOrder(g, contexts(6))
		all.Wait()
		for i, err := range errs {
			if (i%2 == 1) != errors.Is(err, odd) {
				t.Errorf("caller %d got %v", i, err)
			}
		}
	})
}

func TestAfterAPanicTheOthersGoOn(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(){
		"panic":  func() { panic("boom") },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				runs := 0
				g := group.New(2, func(items []int) []group.Result[int] {
					time.Sleep(time.Second)
					if runs++; runs == 2 {
						fail()
					}
					return doubled(items)
				})
				outcome := make([]string, 6)
				var all sync.WaitGroup
				for i := range outcome {
					all.Go(func() {
						outcome[i] = "died"
						defer func() {
							if r := recover(); r != nil {
								outcome[i] = "panicked"
							}
						}()
						_, err := g.Do(t.Context(), i)
						switch {
						case err == nil:
							outcome[i] = "done"
						case errors.Is(err, group.ErrPanicked):
							outcome[i] = "told"
						}
					})
					synctest.Wait()
				}
				all.Wait()
				leader := map[string]string{"panic": "panicked", "goexit": "died"}[name]
				if diff := cmp.Diff([]string{"done", leader, "told", "done", "done", "done"}, outcome); diff != "" {
					t.Error(diff)
				}
				g.Close()
			})
		})
	}
}

func TestTooFewResultsArePanic(t *testing.T) {
	t.Parallel()
	g := group.New(2, func([]int) []group.Result[int] { return nil })
	defer func() {
		if recover() == nil {
			t.Error("the missing result went unnoticed")
		}
		g.Close()
	}()
	g.Do(t.Context(), 1)
}

func TestCloseWaitsForThoseWhoCameBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, _ := slow(2)
		all, errs := inOrder(g, contexts(5))
		start := time.Now()
		g.Close()
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("Close took %v, want the three runs", took)
		}
		if _, err := g.Do(t.Context(), 1); !errors.Is(err, group.ErrClosed) {
			t.Errorf("Do after Close = %v", err)
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		g.Close()
	})
}

func TestManyCallersWhoComeAndLeaveAgreeWithWhatRan(t *testing.T) {
	t.Parallel()
	var ran, overlapping atomic.Int64
	g := group.New(7, func(items []int) []group.Result[int] {
		if overlapping.Add(1) > 1 {
			t.Error("two runs at once")
		}
		defer overlapping.Add(-1)
		runtime.Gosched()
		ran.Add(int64(len(items)))
		return doubled(items)
	})
	var answered atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for n := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if n%3 == 0 {
					go cancel()
				}
				got, err := g.Do(ctx, i*1000+n)
				cancel()
				switch {
				case err == nil && got == 2*(i*1000+n):
					answered.Add(1)
				case !errors.Is(err, context.Canceled):
					t.Errorf("Do = %d, %v", got, err)
				}
			}
		})
	}
	all.Wait()
	if ran.Load() != answered.Load() {
		t.Errorf("%d items ran, %d were answered", ran.Load(), answered.Load())
	}
	g.Close()
}

func BenchmarkDo(b *testing.B) {
	g := group.New(1000, doubled)
	b.ReportAllocs()
	for b.Loop() {
		g.Do(b.Context(), 1)
	}
}
