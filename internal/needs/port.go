package needs

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreePort returns a port of 127.0.0.1 on which nobody listens, for a server that
// must be told one. It lies below those that a system hands out by itself (32768 on
// Linux): what other tests open meanwhile, or while the server is restarted, does not
// take it.
func FreePort() (int, error) {
	const first, last = 10_000, 32_000
	for range 100 {
		port := first + rand.IntN(last-first)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no port of 127.0.0.1 is free")
}
