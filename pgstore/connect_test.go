package pgstore_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
)

// The driver makes one attempt for each address, with TLS and without; people need
// to read once what is wrong.
func TestAFailureToConnectIsOneSentence(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	const start = "hallpass: unavailable: postgres: open: cannot connect to "
	for name, c := range map[string]struct {
		dsn  string
		want string
	}{
		"nobody listens":             {"postgres://ada:sesame@127.0.0.1:1/db", start + "127.0.0.1:1: connection refused"},
		"nor without TLS":            {"postgres://ada:sesame@127.0.0.1:1/db?sslmode=disable", start + "127.0.0.1:1: connection refused"},
		"nor on either host":         {"postgres://ada:sesame@127.0.0.1:1,127.0.0.1:2/db", start + "127.0.0.1:1 and 127.0.0.1:2: connection refused"},
		"there is no such socket":    {"postgres:///db?host=/nowhere&user=ada&password=sesame", start + "/nowhere/.s.PGSQL.5432: no such file or directory"},
		"a server that says nothing": {"postgres://ada:sesame@" + silent.Addr().String() + "/db?connect_timeout=1&sslmode=disable", start + silent.Addr().String() + ": no answer in time"},
		"two hosts, two causes": {"postgres://ada:sesame@127.0.0.1:1," + silent.Addr().String() + "/db?connect_timeout=1",
			start + "127.0.0.1:1: connection refused; to " + silent.Addr().String() + ": no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pgstore.Open(t.Context(), c.dsn, nil)
			if !errors.Is(err, hallpass.ErrUnavailable) || err.Error() != c.want {
				t.Errorf("Open = %v\nwant   %s", err, c.want)
			}
		})
	}
	t.Run("a name that nobody knows", func(t *testing.T) {
		t.Parallel()
		_, err := pgstore.Open(t.Context(), "postgres://ada:sesame@nowhere.invalid/db", nil)
		if err == nil || !strings.HasPrefix(err.Error(), start+"nowhere.invalid: ") || strings.Count(err.Error(), "nowhere") != 1 {
			t.Errorf("Open = %v", err)
		}
	})
	t.Run("a server that refuses", func(t *testing.T) {
		t.Parallel()
		_, err := pgstore.Open(t.Context(), needs.Postgres(t)+"&dbname=none", nil)
		if err == nil || !strings.HasPrefix(err.Error(), start+"127.0.0.1:") || !strings.HasSuffix(err.Error(), `: FATAL: database "none" does not exist (SQLSTATE 3D000)`) {
			t.Errorf("Open = %v", err)
		}
	})
}
