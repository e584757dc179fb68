package demo_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/demo"
	"github.com/hallpass-go/hallpass/memstore"
)

// newSite makes a demo and its listener on a free port.
func newSite(t *testing.T, store hallpass.Store, log io.Writer) (*demo.Site, net.Listener) {
	t.Helper()
	l, _, err := demo.Listen("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	key, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := hallpass.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	site, err := demo.New(demo.Config{
		Keys: keys, Store: store, Instance: "demo-test", BaseURL: demo.BaseURL(l),
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return site, l
}

// serve starts the demo on a free port and returns its address and its log.
func serve(t *testing.T, store hallpass.Store) (string, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	site, l := newSite(t, store, log)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- site.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serving: %v", err)
		}
		if log.Len() > 0 {
			t.Errorf("the log is not empty:\n%s", log)
		}
	})
	return demo.BaseURL(l), log
}

func TestEveryPromiseIsKept(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, memstore.New())
	for range 2 { // the second walk meets what the first left behind
		demo.Check(context.Background(), url, func(p demo.Promise) {
			if !p.Kept {
				t.Errorf("%s: %s", p.Text, p.Why)
			}
		})
	}
}

func TestABrokenPromiseIsReported(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, memstore.New())
	var broken []string
	kept := demo.Check(context.Background(), url+"/nowhere", func(p demo.Promise) {
		if !p.Kept {
			broken = append(broken, p.Why)
		}
	})
	if kept || len(broken) == 0 || strings.Contains(strings.Join(broken, ""), "rt=") {
		t.Errorf("kept %v, broken %v", kept, broken)
	}
}
