package redisstore

import (
	"context"
	"time"

	"github.com/hallpass-go/hallpass"
)

// StopRecordAfter records as Record does in a cluster and dies: before the word
// that commits, or right after it.
func (s *Store) StopRecordAfter(ctx context.Context, entries []hallpass.Entry, committed bool) error {
	var all []*hallpass.Entry
	for i := range entries {
		all = append(all, &entries[i])
	}
	name, err := s.stage(ctx, all)
	if err == nil && committed {
		_, err = s.run(ctx, "record", call{word: "SET", keys: []string{s.keys.transaction(name)}, args: []string{"committed"}})
	}
	return err
}

// EnterUseOnly writes the index entry of a use and dies.
func (s *Store) EnterUseOnly(ctx context.Context, pass string, u hallpass.Use) error {
	return s.enterUse(ctx, pass, u.ID, member{s.keys.index(shardOf(u.ID), useIndex, ""), useMember(pass, &u)})
}

// Judge is what start makes of a server.
func (s *Store) Judge(version string, major, minor int, policy string, appendOnly bool, fsync string) error {
	return s.judge([]serverState{{
		addr: "it", version: version, major: major, minor: minor, policy: policy, appendOnly: appendOnly, fsync: fsync,
	}})
}

// Keys returns the names of everything the store keeps but the marks of calls,
// which end by themselves.
func (s *Store) Keys(ctx context.Context) ([]string, error) {
	var all []string
	for _, node := range s.client.Nodes() {
		names, err := node.Do(ctx, node.B().Keys().Pattern(s.cfg.prefix+"*").Build()).AsStrSlice()
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	return all, nil
}

// BreakerPause is how long a server that failed is left alone.
const BreakerPause = breakerPause

// ParsedDSN is a DSN, read.
type ParsedDSN struct {
	Addrs                           []string
	User, Password, Cluster, Prefix string
	DB, Replicas                    int
	Timeout                         time.Duration
	Relaxed, TLS                    bool
	ServerName                      string
}

// ParseDSN reads a DSN.
func ParseDSN(dsn string) (ParsedDSN, error) {
	c, err := parseDSN(dsn)
	p := ParsedDSN{
		Addrs: c.addrs, User: c.user, Password: c.password, Cluster: c.cluster, Prefix: c.prefix,
		DB: c.db, Replicas: c.replicas, Timeout: c.timeout, Relaxed: c.relaxed, TLS: c.tls != nil,
	}
	if c.tls != nil {
		p.ServerName = c.tls.ServerName
	}
	return p, err
}

// SetMaxEvents makes the store full sooner.
func (s *Store) SetMaxEvents(n int) { s.maxEvents = n }
