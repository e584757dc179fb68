package redisstore

import (
	"encoding/base64"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// keys names what is kept. What is in braces decides the hash slot: all of a pass
// is in one, all of a group of cells, and each shard of the indexes.
type keys struct{ prefix string }

// shards is how many parts each index over passes and uses has, so that no one
// node of a cluster has it all.
const shards = 16

// passKeys are the keys of one pass.
type passKeys struct{ row, uses, order, staged, mark string }

func (k keys) pass(id string) passKeys {
	tag := k.prefix + "p{" + tag(id) + "}"
	return passKeys{row: tag, uses: tag + "u", order: tag + "o", staged: tag + "s", mark: tag + "m:"}
}

// groupKeys are the keys of one group of cells.
type groupKeys struct{ cells, version, feed, ends, mark, channel string }

func (k keys) group(name string) groupKeys {
	tag := k.prefix + "c{c:" + tag(name) + "}"
	return groupKeys{cells: tag, version: tag + "v", feed: tag + "f", ends: tag + "x", mark: tag + "m:", channel: tag + "w"}
}

func (g groupKeys) all() []string { return []string{g.cells, g.version, g.feed, g.ends} }

func (k keys) layout() string               { return k.prefix + "layout" }
func (k keys) groups() string               { return k.prefix + "groups" }
func (k keys) transaction(id string) string { return k.prefix + "t{" + id + "}" }
func (k keys) channel() string              { return k.prefix + "wake" }

// indexes of passes
const (
	allIndex     = "a"
	scopeIndex   = "s:"
	batchIndex   = "b:"
	subjectIndex = "j:"
	keepIndex    = "k"
	useIndex     = "u"
)

func (k keys) index(shard int, kind, value string) string {
	return k.prefix + "{i" + strconv.Itoa(shard) + "}" + kind + value
}

func shardOf(id string) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % shards)
}

// tag is a text that may stand in braces, another one for every id: plain where it
// can be, so that a person finds it.
func tag(id string) string {
	if id != "" && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") == "" {
		return id
	}
	return "~" + base64.RawURLEncoding.EncodeToString([]byte(id))
}

// member is one entry of an index.
type member struct{ key, value string }

// members are the index entries of a row. All are in one slot.
func (k keys) members(e *hallpass.Entry) []member {
	shard := shardOf(e.ID)
	at := place(e.IssuedAt, e.ID)
	all := []member{{k.index(shard, allIndex, ""), at}}
	for _, x := range []struct{ kind, value string }{
		{scopeIndex, string(e.Scope)}, {batchIndex, e.Batch}, {subjectIndex, e.Subject},
	} {
		if x.value != "" {
			all = append(all, member{k.index(shard, x.kind, x.value), at})
		}
	}
	if !e.KeepUntil.IsZero() {
		all = append(all, k.keepMember(e))
	}
	return all
}

// keepMember is the entry by KeepUntil. It says all about the others, so that they
// can be removed when the row has gone.
func (k keys) keepMember(e *hallpass.Entry) member {
	var b encoder
	b = append(b, stamp(e.KeepUntil)...)
	b.text(position(e.IssuedAt))
	b.text(e.ID)
	b.text(string(e.Scope))
	b.text(e.Batch)
	b.text(e.Subject)
	return member{k.index(shardOf(e.ID), keepIndex, ""), string(b)}
}

// split are the keys and the values of members.
func split(members []member) (keys, values []string) {
	for _, m := range members {
		keys, values = append(keys, m.key), append(values, m.value)
	}
	return keys, values
}
