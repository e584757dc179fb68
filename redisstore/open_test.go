package redisstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/redisstore"
)

func TestADSNIsRead(t *testing.T) {
	t.Parallel()
	base := redisstore.ParsedDSN{Cluster: "auto", Prefix: "hallpass:", Timeout: 3 * time.Second}
	for dsn, change := range map[string]func(*redisstore.ParsedDSN){
		"redis://localhost":       func(p *redisstore.ParsedDSN) { p.Addrs = []string{"localhost:6379"} },
		"redis://localhost/":      func(p *redisstore.ParsedDSN) { p.Addrs = []string{"localhost:6379"} },
		"redis://10.0.0.1:7000/3": func(p *redisstore.ParsedDSN) { p.Addrs, p.DB = []string{"10.0.0.1:7000"}, 3 },
		"redis://[::1]:7000,[::2],c": func(p *redisstore.ParsedDSN) {
			p.Addrs = []string{"[::1]:7000", "[::2]:6379", "c:6379"}
		},
		"redis://:sesame@h": func(p *redisstore.ParsedDSN) { p.Addrs, p.Password = []string{"h:6379"}, "sesame" },
		"redis://u%3A:s%40%2F%3F%25,:@h:1,i:2?cluster=yes&prefix=&replicas=2&timeout=500ms&durability=relaxed": func(p *redisstore.ParsedDSN) {
			p.Addrs, p.User, p.Password, p.Cluster = []string{"h:1", "i:2"}, "u:", "s@/?%,:", "yes"
			p.Prefix, p.Replicas, p.Timeout, p.Relaxed = "", 2, 500*time.Millisecond, true
		},
		"rediss://h?tls_name=redis.internal": func(p *redisstore.ParsedDSN) {
			p.Addrs, p.TLS, p.ServerName = []string{"h:6379"}, true, "redis.internal"
		},
	} {
		want := base
		change(&want)
		got, err := redisstore.ParseDSN(dsn)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", dsn, err, diff)
		}
	}
}

func TestABadDSNIsAFieldErrorAndIsNeverRepeated(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"", "redis:", "redis://", "redis:///", "redis://h:0", "redis://h:x", "redis://h:99999", "redis://a:b:c", "redis://h,", "http://h",
		"redis://:sesame%zz@h", "redis://:sesame/more@h", "redis://:sesame?more@h", "redis://sesame @h ", "redis://h/sesame",
		"redis://h/-1", "redis://h?sesame=1", "redis://h?cluster=sesame", "redis://h?cluster=yes&cluster=no",
		"redis://a,b?cluster=no", "redis://a,b/1", "redis://a/1?cluster=yes", "redis://h?prefix=a{sesame}", "redis://h?prefix=a%20",
		"redis://h?timeout=sesame", "redis://h?timeout=1", "redis://h?timeout=1ms", "redis://h?timeout=2m",
		"redis://h?durability=sesame", "redis://h?replicas=-1", "redis://h?replicas=sesame", "redis://h?%zz",
		"redis://h?tls_name=x", "rediss://h?tls_ca=/no/sesame", "rediss://h?tls_cert=/no/sesame", "rediss://h?tls_cert=/no/sesame&tls_key=/no/sesame",
	} {
		err := redisstore.Check(dsn)
		var field *hallpass.FieldError
		if !errors.As(err, &field) || field.Field != "store" || strings.Contains(err.Error(), "sesame") {
			t.Errorf("Check(%q) = %v, want a FieldError of store that does not repeat it", dsn, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	create := &redisstore.Options{Create: true}
	for name, tt := range map[string]struct {
		settings []string
		dsn      string
		options  *redisstore.Options
		want     error
		says     string
	}{
		"an empty server, unless it may create":         {want: hallpass.ErrNotFound, says: "no store"},
		"a server that may throw keys away":             {settings: []string{"--maxmemory-policy", "allkeys-lru"}, options: create, want: hallpass.ErrUnavailable, says: "noeviction"},
		"even keys that have an end":                    {settings: []string{"--maxmemory-policy", "volatile-ttl"}, options: create, want: hallpass.ErrUnavailable, says: "noeviction"},
		"throwing away is refused relaxed too":          {settings: []string{"--maxmemory-policy", "allkeys-lru"}, dsn: "?durability=relaxed", options: create, want: hallpass.ErrUnavailable, says: "noeviction"},
		"a server without an append-only file":          {settings: []string{"--appendonly", "no"}, options: create, want: hallpass.ErrUnavailable, says: "append-only file"},
		"a server that writes to its disk now and then": {settings: []string{"--appendfsync", "everysec"}, options: create, want: hallpass.ErrUnavailable, says: "everysec"},
		"one that does not say when":                    {settings: []string{"--rename-command", "CONFIG", ""}, options: create, want: hallpass.ErrUnavailable, says: "does not say"},
		"a wrong password":                              {settings: []string{"--requirepass", "right"}, dsn: "?", options: create, want: hallpass.ErrUnavailable, says: "WRONGPASS"},
		"one server that should be a cluster":           {dsn: "?cluster=yes", options: create, want: nil, says: "no cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := needs.NewRedis(t, tt.settings...)
			dsn := server.DSN() + tt.dsn
			if tt.dsn == "?" {
				dsn = strings.Replace(server.DSN(), "redis://", "redis://:sesame@", 1)
			}
			s, err := redisstore.Open(t.Context(), dsn, tt.options)
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			if (tt.want != nil && !errors.Is(err, tt.want)) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "sesame") {
				t.Errorf("Open = %v, want %v saying %q", err, tt.want, tt.says)
			}
		})
	}
}

func TestRelaxedWarnsInPlaceOfRefusing(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t, "--appendfsync", "everysec")
	var log bytes.Buffer
	s, err := redisstore.Open(t.Context(), server.DSN()+"?durability=relaxed",
		&redisstore.Options{Create: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !strings.Contains(log.String(), "WARN") || !strings.Contains(log.String(), "everysec") {
		t.Errorf("the log says %q", log.String())
	}
}

func TestOldServersAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, needs.Redis(t))
	for version, numbers := range map[string][2]int{"5.0.14": {5, 0}, "6.0.16": {6, 0}} {
		if err := s.Judge(version, numbers[0], numbers[1], "noeviction", true, "always"); !errors.Is(err, hallpass.ErrUnavailable) || !strings.Contains(err.Error(), version) {
			t.Errorf("%s: %v", version, err)
		}
	}
	for _, numbers := range [][2]int{{6, 2}, {7, 0}, {10, 0}} {
		if err := s.Judge(fmt.Sprint(numbers), numbers[0], numbers[1], "noeviction", true, "always"); err != nil {
			t.Errorf("%v: %v", numbers, err)
		}
	}
}

func TestOpenFindsTheStoreAndRefusesANewerLayout(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	s := open(t, server.DSN())
	again, err := redisstore.Open(t.Context(), server.DSN(), nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if err := s.CheckSchema(t.Context()); err != nil {
		t.Errorf("CheckSchema: %v", err)
	}
	server.Say(t, "SET hallpass:layout 2")
	if _, err := redisstore.Open(t.Context(), server.DSN(), &redisstore.Options{Create: true}); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("Open = %v, want ErrUnavailable", err)
	}
	for _, change := range []string{"SET hallpass:layout 2", "DEL hallpass:layout", "CONFIG SET maxmemory-policy allkeys-random"} {
		server.Say(t, "SET hallpass:layout 1")
		server.Say(t, change)
		if err := s.CheckSchema(t.Context()); !errors.Is(err, hallpass.ErrUnavailable) || errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("after %s CheckSchema = %v, want ErrUnavailable", change, err)
		}
	}
}

func TestStoresUnderTwoPrefixesDoNotMeet(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	a, b := open(t, server.DSN()+"?prefix=a:"), open(t, server.DSN()+"?prefix=b:")
	e := rowOf(newID())
	if err := a.Record(t.Context(), []hallpass.Entry{e}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Entry(t.Context(), e.ID); !errors.Is(err, hallpass.ErrNotFound) {
		t.Errorf("Entry = %v, want ErrNotFound", err)
	}
}

func TestAServerWhoseMemoryIsFullIsUnavailableAndHonoursNothing(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	s := open(t, server.DSN())
	e := rowOf(newID())
	if err := s.Record(t.Context(), []hallpass.Entry{e}); err != nil {
		t.Fatal(err)
	}
	server.Say(t, "CONFIG SET maxmemory 1")
	if _, err := s.Reserve(t.Context(), useOf(e.Pass, "")); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("Reserve = %v, want ErrUnavailable", err)
	}
	if got, err := s.Entry(t.Context(), e.ID); err != nil || got.Used != 0 {
		t.Errorf("Entry = Used %d, %v: reading goes on", got.Used, err)
	}
	late := time.Now().Add(1000 * time.Hour)
	if done, err := s.Prune(t.Context(), hallpass.PruneRule{Now: late, KeepUses: 0}); err != nil || done.Passes != 1 {
		t.Errorf("Prune = %+v, %v: it makes room", done, err)
	}
	server.Say(t, "CONFIG SET maxmemory 0")
	if err := s.Record(t.Context(), []hallpass.Entry{e}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reserve(t.Context(), useOf(e.Pass, "")); err != nil {
		t.Errorf("Reserve = %v", err)
	}
}

// Nothing that decides may hang on the server's clock.
func TestNothingThatIsKeptHasATimeToLive(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	s := open(t, server.DSN())
	e := rowOf(newID())
	if err := s.Record(t.Context(), []hallpass.Entry{e}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reserve(t.Context(), useOf(e.Pass, "key")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Swap(t.Context(), hallpass.Cell{Group: "g", Key: "k", ExpiresAt: time.Now().Add(time.Second)}, time.Now()); err != nil {
		t.Fatal(err)
	}
	names, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if ttl := server.Say(t, "PTTL "+name); ttl != ":-1" && !strings.Contains(name, "}m:") {
			t.Errorf("%s has a time to live: %s", name, ttl)
		}
	}
	if len(names) < 10 {
		t.Errorf("there are only %d keys", len(names))
	}
}

// Texts reach the scripts as arguments; none may change a byte, or a key's slot.
func TestTextsOfAnyBytesAreToldApart(t *testing.T) {
	t.Parallel()
	cluster := needs.RedisCluster(t)
	for name, dsn := range map[string]string{"one server": needs.Redis(t), "a cluster": place(cluster.DSN())} {
		t.Run(name, func(t *testing.T) {
			s := open(t, dsn)
			texts := []string{"", "~", "a", "a\x00", "a\x00b", "a\xff", "a\xfe", "\ufffd", "a\ufffd", "\x7f", "\x1f\t\"\\", "}", "{a}", "a}b{c", "|", "1|2|"}
			for _, text := range texts {
				p := fought(1)
				p.ID, p.Scope, p.Subject, p.Batch = text, hallpass.Scope(text), text, text
				r := useOf(p, "k"+text)
				r.Use.UserAgent = text
				if won, err := s.Reserve(t.Context(), r); err != nil || won.Duplicate {
					t.Errorf("Reserve(%q) = duplicate %t, %v", text, won.Duplicate, err)
				}
				if won, err := s.Reserve(t.Context(), useOf(p, "k"+text)); err != nil || !won.Duplicate || won.Use.ID != r.Use.ID || won.Use.UserAgent != text {
					t.Errorf("Reserve(%q) again = %+v, %v", text, won, err)
				}
				if e, err := s.Entry(t.Context(), text); err != nil || e.ID != text || e.Used != 1 || e.Subject != text {
					t.Errorf("Entry(%q) = %q used %d, %v", text, e.ID, e.Used, err)
				}
				if found, err := s.Entries(t.Context(), hallpass.EntryQuery{Batch: text, Limit: 50}); text != "" && (err != nil || len(found) != 1) {
					t.Errorf("Entries(%q) = %d, %v", text, len(found), err)
				}
			}
			if uses, err := s.Uses(t.Context(), hallpass.UseQuery{Limit: 50}); err != nil || len(uses) != len(texts) {
				t.Errorf("Uses = %d, %v", len(uses), err)
			}
		})
	}
}
