package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

// tap is a CellStore with everything that happens to it counted, and ways to fail.
type tap struct {
	hallpass.CellStore

	mu     sync.Mutex
	swaps  int
	reads  int // calls of Cell and Cells
	listed int // cells that Cells returned
	down   bool
	// onSwap, when set, stands in front of a Swap: it may refuse it, or have the
	// reply get lost after it.
	onSwap func(n int, c hallpass.Cell) (before, after error)
}

var errDown = fmt.Errorf("%w: the test says so", hallpass.ErrUnavailable)

func (s *tap) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// restore puts another store in the place of the first.
func (s *tap) restore(other hallpass.CellStore) { s.set(func() { s.CellStore = other }) }

func (s *tap) counts() (swaps, reads, listed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.swaps, s.reads, s.listed
}

func (s *tap) read() (hallpass.CellStore, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.down {
		return nil, errDown
	}
	return s.CellStore, nil
}

func (s *tap) Cell(ctx context.Context, group, key string, now time.Time) (hallpass.Cell, error) {
	inner, err := s.read()
	if err != nil {
		return hallpass.Cell{}, err
	}
	return inner.Cell(ctx, group, key, now)
}

func (s *tap) Cells(ctx context.Context, group string, since uint64, now time.Time) ([]hallpass.Cell, error) {
	inner, err := s.read()
	if err != nil {
		return nil, err
	}
	cells, err := inner.Cells(ctx, group, since, now)
	s.set(func() { s.listed += len(cells) })
	return cells, err
}

func (s *tap) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (hallpass.Cell, error) {
	s.mu.Lock()
	s.swaps++
	n, hook, down, inner := s.swaps, s.onSwap, s.down, s.CellStore
	s.mu.Unlock()
	if down {
		return hallpass.Cell{}, errDown
	}
	var after error
	if hook != nil {
		var before error
		if before, after = hook(n, c); before != nil {
			return hallpass.Cell{}, before
		}
	}
	written, err := inner.Swap(ctx, c, now)
	if err == nil && after != nil {
		return hallpass.Cell{}, after
	}
	return written, err
}

// ledger is what was delivered, by whom and when.
type ledger struct {
	mu    sync.Mutex
	times map[string][]time.Time
	busy  map[string]int
	clash []string
}

func newLedger() *ledger {
	return &ledger{times: map[string][]time.Time{}, busy: map[string]int{}}
}

// deliver is a Deliver that notes the job and then does what do says.
func (l *ledger) deliver(do func(ctx context.Context, job string) error) func(context.Context, []byte) error {
	return func(ctx context.Context, job []byte) error {
		name := string(job)
		l.mu.Lock()
		l.times[name] = append(l.times[name], time.Now())
		if l.busy[name]++; l.busy[name] > 1 {
			l.clash = append(l.clash, name)
		}
		l.mu.Unlock()
		defer func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.busy[name]--
		}()
		if do == nil {
			return nil
		}
		return do(ctx, name)
	}
}

func (l *ledger) of(job string) []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]time.Time(nil), l.times[job]...)
}

// total is how many jobs were delivered, and how many deliveries there were.
func (l *ledger) total() (jobs, deliveries int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, times := range l.times {
		deliveries += len(times)
	}
	return len(l.times), deliveries
}

func (l *ledger) wantNoClash(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.clash) > 0 {
		t.Errorf("delivered twice at the same time: %v", l.clash)
	}
}

// tally counts events.
type tally struct {
	mu sync.Mutex
	n  map[mail.OutboxEventKind]int
}

func (c *tally) observe(e mail.OutboxEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[mail.OutboxEventKind]int{}
	}
	c.n[e.Kind]++
}

func (c *tally) of(kind mail.OutboxEventKind) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[kind]
}

// logBuffer is a log that is read while others write.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

func outboxKeys(t testing.TB) *hallpass.Keyring {
	t.Helper()
	key, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := hallpass.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// newOutbox makes an outbox; where cfg names no store and no keys it gets new
// ones.
func newOutbox(t testing.TB, cfg mail.OutboxConfig) *mail.Outbox {
	t.Helper()
	if cfg.Cells == nil {
		cfg.Cells = memstore.New()
	}
	if cfg.Keys == nil {
		cfg.Keys = outboxKeys(t)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	o, err := mail.NewOutbox(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// run starts the outbox; stop ends it and returns when Run has.
func run(t testing.TB, o *mail.Outbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// put puts a job named like its id, good for ten minutes.
func put(t testing.TB, o *mail.Outbox, id string) {
	t.Helper()
	if err := o.Put(t.Context(), id, []byte(id), time.Now().Add(10*time.Minute)); err != nil {
		t.Fatalf("Put(%q) = %v", id, err)
	}
}

func TestAnOutboxSaysWhichFieldIsWrong(t *testing.T) {
	t.Parallel()
	good := mail.OutboxConfig{
		Cells: memstore.New(), Keys: outboxKeys(t), Deliver: newLedger().deliver(nil),
	}
	for field, spoil := range map[string]func(*mail.OutboxConfig){
		"cells":       func(c *mail.OutboxConfig) { c.Cells = nil },
		"keys":        func(c *mail.OutboxConfig) { c.Keys = nil },
		"deliver":     func(c *mail.OutboxConfig) { c.Deliver = nil },
		"workers":     func(c *mail.OutboxConfig) { c.Workers = -1 },
		"queue":       func(c *mail.OutboxConfig) { c.Queue = -1 },
		"attempts":    func(c *mail.OutboxConfig) { c.Attempts = -1 },
		"min_backoff": func(c *mail.OutboxConfig) { c.MinBackoff = -1 },
		"max_backoff": func(c *mail.OutboxConfig) { c.MaxBackoff = time.Millisecond },
		"lease":       func(c *mail.OutboxConfig) { c.Lease = time.Millisecond },
	} {
		cfg := good
		spoil(&cfg)
		var wrong *hallpass.FieldError
		if _, err := mail.NewOutbox(cfg); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: NewOutbox = %v", field, err)
		}
	}
	if _, err := mail.NewOutbox(good); err != nil {
		t.Errorf("NewOutbox = %v", err)
	}
}

func TestPutRefusesWhatCanNeverBeDelivered(t *testing.T) {
	t.Parallel()
	store := &tap{CellStore: memstore.New()}
	o := newOutbox(t, mail.OutboxConfig{Cells: store, Deliver: newLedger().deliver(nil)})
	var wrong *hallpass.FieldError
	if err := o.Put(t.Context(), "", nil, time.Now().Add(time.Hour)); !errors.As(err, &wrong) || wrong.Field != "id" {
		t.Errorf("no id: Put = %v", err)
	}
	for _, deadline := range []time.Time{{}, time.Now()} {
		if err := o.Put(t.Context(), "a", nil, deadline); !errors.As(err, &wrong) || wrong.Field != "deadline" {
			t.Errorf("deadline %s: Put = %v", deadline, err)
		}
	}
	empty, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	keyless := newOutbox(t, mail.OutboxConfig{Cells: store, Keys: empty, Deliver: newLedger().deliver(nil)})
	if err := keyless.Put(t.Context(), "a", nil, time.Now().Add(time.Hour)); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("no key: Put = %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Put(ended, "a", nil, time.Now().Add(time.Hour)); !errors.Is(err, hallpass.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: Put = %v", err)
	}
	if swaps, _, _ := store.counts(); swaps > 1 {
		t.Errorf("%d writes were tried", swaps)
	}
}

func TestRunIsAtWorkOnceOnly(t *testing.T) {
	t.Parallel()
	book := newLedger()
	o := newOutbox(t, mail.OutboxConfig{Deliver: book.deliver(nil)})
	stop := run(t, o)
	put(t, o, "a")
	for len(book.of("a")) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := o.Run(t.Context()); err == nil {
		t.Error("a second Run began")
	}
	stop()
	stop = run(t, o) // one after the other is fine
	stop()
}
