package pgstore

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Setting reads a setting as the store's own connections have it.
func Setting(t *testing.T, s *Store, name string) (value string) {
	t.Helper()
	if err := s.query(t.Context(), func(conn *pgxpool.Conn) error {
		return conn.QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&value)
	}); err != nil {
		t.Fatal(err)
	}
	return value
}

// PartitionOf names the table of a moment's uses.
func PartitionOf(at time.Time) string { return partitionName(weekOf(at)) }

// PartitionSpan is how long the uses of one table are.
const PartitionSpan = partitionSpan
