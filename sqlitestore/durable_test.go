package sqlitestore

import (
	"path/filepath"
	"testing"
)

// TestWritesAreOnTheDiskWhenTheyReturn asks the writing connection itself, because
// no kill shows the difference: the page cache outlives the process, and only a
// power cut takes what was not synchronised.
func TestWritesAreOnTheDiskWhenTheyReturn(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "hallpass.db"), &Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} { // 2 is FULL
		var got string
		if err := s.writes.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}
