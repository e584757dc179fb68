package pgstore

import (
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// connectText is a failure to connect as one sentence. The driver tries each address
// of each host, with TLS and without where sslmode allows both, and tells of every
// attempt; here each cause is told once, with the places that have it. User and
// password are not repeated: where the user matters the server's own words name him.
func connectText(failure *pgconn.ConnectError) string {
	var causes []string
	places := map[string][]string{} // by cause
	for _, attempt := range attempts(failure) {
		place, cause := describe(attempt)
		if place == "" {
			place = placeOf(failure.Config)
		}
		if places[cause] == nil {
			causes = append(causes, cause)
		}
		if !slices.Contains(places[cause], place) {
			places[cause] = append(places[cause], place)
		}
	}
	for i, cause := range causes {
		causes[i] = strings.Join(places[cause], " and ") + ": " + cause
	}
	return "cannot connect to " + strings.Join(causes, "; to ")
}

// attempts takes apart what the driver joined.
func attempts(failure *pgconn.ConnectError) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(failure, &joined) {
		return joined.Unwrap()
	}
	return []error{failure.Unwrap()}
}

// describe says where an attempt led, which is empty where the driver does not tell,
// and why it failed.
func describe(attempt error) (place, cause string) {
	if dns, ok := errors.AsType[*net.DNSError](attempt); ok {
		return dns.Name, dns.Err
	}
	// An attempt's text is "ADDRESS (HOST): " and that of what it wraps.
	inner := errors.Unwrap(attempt)
	if inner == nil {
		return "", attempt.Error()
	}
	place, found := strings.CutSuffix(attempt.Error(), ": "+inner.Error())
	if !found {
		return "", attempt.Error()
	}
	address, host, _ := strings.Cut(strings.TrimSuffix(place, ")"), " (")
	if strings.Contains(address, host) {
		place = address
	}
	if refused, ok := errors.AsType[*pgconn.PgError](inner); ok {
		return place, refused.Error()
	}
	if call, ok := errors.AsType[*os.SyscallError](inner); ok {
		return place, call.Err.Error()
	}
	if pgconn.Timeout(inner) {
		return place, "no answer in time"
	}
	return place, strings.TrimPrefix(inner.Error(), "ValidateConnect failed: ")
}

// placeOf is a server's host and port, or the folder of its socket.
func placeOf(c *pgconn.Config) string {
	if strings.HasPrefix(c.Host, "/") {
		return c.Host
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
}
