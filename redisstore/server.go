package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/hallpass-go/hallpass"
)

// layout is the number of the way in which things are kept; it stands in the store.
const layout = 1

// serverState is what a server says about itself.
type serverState struct {
	addr         string
	version      string
	major, minor int
	policy       string
	appendOnly   bool
	// fsync is "" where the server does not say, as hosted ones do.
	fsync    string
	replicas int
	replica  bool
}

// inspectTimeout is how long one server may take to answer for its settings.
const inspectTimeout = time.Second

// inspect asks every server at once. A node of a cluster that is down may come
// back; the others decide.
func (s *Store) inspect(ctx context.Context) ([]serverState, error) {
	var (
		mu      sync.Mutex
		states  []serverState
		failure = errors.New("there is none")
		all     sync.WaitGroup
	)
	for addr, node := range s.client.Nodes() {
		all.Go(func() {
			asking, cancel := context.WithTimeout(ctx, min(inspectTimeout, s.cfg.timeout))
			defer cancel()
			state, err := inspect(asking, node)
			state.addr = addr
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failure = err
				return
			}
			states = append(states, state)
		})
	}
	all.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case len(states) == 0:
		return nil, unavailable("ask the server for its settings", failure)
	}
	slices.SortFunc(states, func(a, b serverState) int { return cmp.Compare(a.addr, b.addr) })
	return states, nil
}

func inspect(ctx context.Context, node rueidis.Client) (serverState, error) {
	var state serverState
	text, err := node.Do(ctx, node.B().Info().Build()).ToString()
	if err != nil {
		return state, err
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "redis_version":
			state.version = value
			fmt.Sscanf(value, "%d.%d", &state.major, &state.minor)
		case "maxmemory_policy":
			state.policy = value
		case "aof_enabled":
			state.appendOnly = value == "1"
		case "connected_slaves":
			state.replicas, _ = strconv.Atoi(value)
		case "role":
			state.replica = value == "slave"
		}
	}
	// Hosted servers forbid CONFIG.
	if settings, err := node.Do(ctx, node.B().ConfigGet().Parameter("appendfsync").Build()).AsStrMap(); err == nil {
		state.fsync = settings["appendfsync"]
	}
	return state, nil
}

// judge refuses servers that would break the contract.
func (s *Store) judge(servers []serverState) error {
	for _, server := range servers {
		if server.major < 6 || (server.major == 6 && server.minor < 2) {
			return refuse(server, "is version %s; hallpass needs 6.2 or newer", server.version)
		}
		// Whoever removes a spent pass's row makes its token good again.
		if server.policy != "noeviction" {
			return refuse(server, "may remove keys when its memory is full (maxmemory-policy %s), and spent passes would be good again; set maxmemory-policy noeviction", server.policy)
		}
		lossy := ""
		switch {
		case !server.appendOnly:
			lossy = "keeps no append-only file: a restart gives used passes their uses back; set appendonly yes and appendfsync always"
		case server.fsync == "":
			lossy = "does not say whether it writes each command to its disk (appendfsync)"
		case server.fsync != "always":
			lossy = fmt.Sprintf("writes to its disk only now and then (appendfsync %s): a power cut can give a used pass its use back; set appendfsync always", server.fsync)
		}
		if lossy != "" && !s.cfg.relaxed {
			return refuse(server, "%s, or accept that with durability=relaxed", lossy)
		}
		if lossy != "" {
			s.logger.Warn("the server "+lossy, "server", server.addr)
		}
		if !server.replica && server.replicas < s.cfg.replicas {
			s.logger.Warn("the server has fewer replicas in step than replicas= asks for; it refuses until they are back",
				"server", server.addr, "replicas", server.replicas)
		}
	}
	return nil
}

func refuse(server serverState, format string, args ...any) error {
	return fmt.Errorf("%w: the redis server %s %s", hallpass.ErrUnavailable, server.addr, fmt.Sprintf(format, args...))
}

// checkLayout finds the store, or makes it.
func (s *Store) checkLayout(ctx context.Context, create bool) error {
	key := []string{s.keys.layout()}
	if create {
		made, err := s.run(ctx, "create", call{word: "SET", keys: key, args: []string{strconv.Itoa(layout), "NX"}})
		if err != nil {
			return err
		}
		s.created = len(made) > 0
	}
	found, err := s.run(ctx, "find the store", call{word: "GET", keys: key, read: true})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("%w: no store in redis under the prefix %q", hallpass.ErrNotFound, s.cfg.prefix)
	}
	if found[0] != strconv.Itoa(layout) {
		return fmt.Errorf("%w: the store has layout %q, this program writes %d", hallpass.ErrUnavailable, found[0], layout)
	}
	return nil
}

// CheckSchema says whether the store is still there, in the layout this program
// writes, on servers that keep what they are given. Its error wraps
// hallpass.ErrUnavailable.
func (s *Store) CheckSchema(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	servers, err := s.inspect(ctx)
	if err != nil {
		return err
	}
	if err := s.judge(servers); err != nil {
		return err
	}
	err = s.checkLayout(ctx, false)
	if err != nil && ctx.Err() == nil && !isUnavailable(err) {
		return fmt.Errorf("%w: the store has gone: %v", hallpass.ErrUnavailable, err)
	}
	return err
}
