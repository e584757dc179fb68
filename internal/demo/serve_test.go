package demo_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/demo"
	"github.com/hallpass-go/hallpass/memstore"
)

// A browser opens connections in advance; the demo waited five seconds for each
// before it stopped.
func TestStoppingDoesNotWaitForSilentConnections(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(context.Background())
	site, l := newSite(t, memstore.New(), &strings.Builder{})
	done := make(chan error, 1)
	go func() { done <- site.Serve(ctx, l) }()
	for range 3 {
		silent, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	resp, err := http.Get(demo.BaseURL(l) + "/") // by now the others are accepted
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	began := time.Now()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}
