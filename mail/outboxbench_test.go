package mail_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

// BenchmarkOutbox is jobs put and delivered, as many at a time as a busy server
// has logins.
func BenchmarkOutbox(b *testing.B) {
	for name, open := range map[string]func(*testing.B) hallpass.CellStore{
		"memory": func(*testing.B) hallpass.CellStore { return memstore.New() },
		"sqlite": func(b *testing.B) hallpass.CellStore { return openSQLite(b, filepath.Join(b.TempDir(), "outbox.db")) },
	} {
		b.Run(name, func(b *testing.B) {
			var delivered, next atomic.Int64
			o := newOutbox(b, mail.OutboxConfig{
				Cells: open(b), Queue: 4096, Workers: 32,
				Deliver: func(context.Context, []byte) error { delivered.Add(1); return nil },
			})
			stop := run(b, o)
			job := bytes.Repeat([]byte("x"), 300)
			deadline := time.Now().Add(time.Hour)
			b.SetParallelism(32)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := o.Put(b.Context(), strconv.FormatInt(next.Add(1), 10), job, deadline); err != nil {
						b.Error(err)
						return
					}
				}
			})
			for delivered.Load() < int64(b.N) {
				time.Sleep(time.Millisecond)
			}
			b.StopTimer()
			stop()
		})
	}
}
