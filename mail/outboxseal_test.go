package mail_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

func openSQLite(t testing.TB, path string) *sqlitestore.Store {
	t.Helper()
	store, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{Create: true, BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestNothingOfAJobIsReadableInTheFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store := openSQLite(t, filepath.Join(folder, "outbox.db"))
	o := newOutbox(t, mail.OutboxConfig{Cells: store, Deliver: newLedger().deliver(nil)})
	const id, job = "reader@example.com-login", "to reader@example.com: your code is 471108"
	if err := o.Put(t.Context(), id, []byte(job), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	if !bytes.Contains(all, []byte("outbox/")) {
		t.Fatal("the job is not in these files at all")
	}
	for _, secret := range []string{"reader", "example.com", "471108", "your code", "login"} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("%q stands in the file", secret)
		}
	}
}

// allCells returns the outbox's cells.
func allCells(t *testing.T, store hallpass.CellStore) []hallpass.Cell {
	t.Helper()
	var all []hallpass.Cell
	for shard := range 16 {
		cells, err := store.Cells(t.Context(), fmt.Sprintf("outbox/%x", shard), 0, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, cells...)
	}
	return all
}

func TestJobsAreSpreadOverAllGroups(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	o := newOutbox(t, mail.OutboxConfig{Cells: store, Deliver: newLedger().deliver(nil)})
	for i := range 320 {
		put(t, o, fmt.Sprint(i))
	}
	in := map[string]int{}
	for _, c := range allCells(t, store) {
		in[c.Group]++
	}
	if len(in) != 16 {
		t.Errorf("320 jobs are in %d groups", len(in))
	}
	for group, n := range in {
		if n > 60 {
			t.Errorf("%d of 320 jobs are in %s", n, group)
		}
	}
}

// What cannot be opened is given up by this process, with a line in its log, and
// left alone in the store.
func TestAJobThatCannotBeOpenedIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(value []byte, from hallpass.Cell) []byte{
		"moved from another id": func(_ []byte, from hallpass.Cell) []byte { return from.Value },
		"no record":             func([]byte, hallpass.Cell) []byte { return []byte("471108") },
		"a newer form":          func(v []byte, _ hallpass.Cell) []byte { return bytes.Replace(v, []byte(`"v":1`), []byte(`"v":2`), 1) },
		"another deadline": func(v []byte, _ hallpass.Cell) []byte {
			return bytes.Replace(v, []byte(`"deadline":`), []byte(`"deadline":9`), 1)
		},
		"sealed bytes that changed": func(v []byte, _ hallpass.Cell) []byte {
			return bytes.Replace(v, []byte(`"job":"`), []byte(`"job":"AAAA`), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store, keys, book, events, log := memstore.New(), outboxKeys(t), newLedger(), &tally{}, &logBuffer{}
				cfg := mail.OutboxConfig{Cells: store, Keys: keys, Deliver: book.deliver(nil), Observe: events.observe, Logger: log.logger()}
				front := newOutbox(t, cfg)
				put(t, front, "471108 a")
				target := allCells(t, store)[0]
				put(t, front, "471108 b")
				var from hallpass.Cell
				for _, c := range allCells(t, store) {
					if c.Key != target.Key {
						from = c
					}
				}
				target.Value = spoil(bytes.Clone(target.Value), from)
				if _, err := store.Swap(t.Context(), target, time.Now()); err != nil {
					t.Fatal(err)
				}
				o := newOutbox(t, cfg)
				stop := run(t, o)
				time.Sleep(5 * time.Minute)
				if jobs, n := book.total(); jobs != 1 || n != 1 || len(book.of("471108 b")) != 1 {
					t.Errorf("%d jobs in %d deliveries, want the good one alone", jobs, n)
				}
				if events.of(mail.OutboxGivenUp) != 1 || strings.Count(log.String(), "given up") != 1 {
					t.Errorf("given up %d times; log:\n%s", events.of(mail.OutboxGivenUp), log)
				}
				if strings.Contains(log.String(), "471108") {
					t.Errorf("the log tells the content:\n%s", log)
				}
				if o.Depth() != 0 {
					t.Errorf("Depth = %d", o.Depth())
				}
				stop()
			})
		})
	}
}

func TestRotatedKeysStillOpenAndRemovedOnesDoNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(t *testing.T, ring *hallpass.Keyring)
		want   int
	}{
		"rotated": {func(t *testing.T, ring *hallpass.Keyring) { rotate(t, ring) }, 1},
		"removed": {func(t *testing.T, ring *hallpass.Keyring) {
			old, _ := ring.Active()
			rotate(t, ring)
			if err := ring.Remove(old.ID()); err != nil {
				t.Fatal(err)
			}
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store, keys, book, events := memstore.New(), outboxKeys(t), newLedger(), &tally{}
				cfg := mail.OutboxConfig{Cells: store, Keys: keys, Deliver: book.deliver(nil), Observe: events.observe}
				o := newOutbox(t, cfg)
				put(t, o, "a")
				c.change(t, keys)
				stop := run(t, o)
				time.Sleep(20 * time.Second)
				stop()
				if n := len(book.of("a")); n != c.want || events.of(mail.OutboxGivenUp) != 1-c.want {
					t.Errorf("delivered %d times, given up %d times", n, events.of(mail.OutboxGivenUp))
				}
			})
		})
	}
}

func rotate(t *testing.T, ring *hallpass.Keyring) {
	t.Helper()
	key, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Rotate(key); err != nil {
		t.Fatal(err)
	}
}

func TestAProcessThatLearnsOfARotationLaterLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, newer, older, book := memstore.New(), outboxKeys(t), outboxKeys(t), newLedger()
		put(t, newOutbox(t, mail.OutboxConfig{Cells: store, Keys: newer, Deliver: book.deliver(nil)}), "a")
		stop := run(t, newOutbox(t, mail.OutboxConfig{Cells: store, Keys: older, Deliver: book.deliver(nil)}))
		time.Sleep(5 * time.Second)
		older.Replace(newer)
		time.Sleep(5 * time.Second)
		stop()
		if n := len(book.of("a")); n != 1 {
			t.Errorf("delivered %d times", n)
		}
	})
}
