package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// DefaultAddr is where the demo listens unless told otherwise.
const DefaultAddr = "localhost:8080"

// Listen opens the listener. With no address it takes DefaultAddr, or a free port
// where that is taken: a demo should start. busy says that it was.
func Listen(addr string) (l net.Listener, busy bool, err error) {
	if addr != "" {
		l, err = net.Listen("tcp", addr)
		return l, false, err
	}
	if l, err = net.Listen("tcp", DefaultAddr); err == nil {
		return l, false, nil
	}
	l, err = net.Listen("tcp", "localhost:0")
	return l, true, err
}

// BaseURL is how a browser on this machine reaches a listener: by the name
// localhost where that leads to it, because browsers treat it as secure.
func BaseURL(l net.Listener) string {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return "http://" + l.Addr().String()
	}
	host := "localhost"
	if !tcp.IP.IsLoopback() && !tcp.IP.IsUnspecified() {
		host = tcp.IP.String()
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(tcp.Port))
}

// IsLocal reports whether only this machine reaches a listener.
func IsLocal(l net.Listener) bool {
	tcp, ok := l.Addr().(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

const (
	// drainTime is how long open requests may take once the demo is told to stop.
	drainTime = 10 * time.Second
	// silentTime is how long a connection may take then to begin its first one.
	silentTime = 200 * time.Millisecond
)

// silent are the connections on which nothing was asked yet. Browsers open some
// in advance, and http.Server.Shutdown waits five seconds for each.
type silent struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (s *silent) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.conns[c] = true
	} else {
		delete(s.conns, c)
	}
}

func (s *silent) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// Serve runs the site on a listener until ctx ends, then lets open requests
// finish and writes what is queued.
func (s *Site) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	quiet := silent{conns: map[net.Conn]bool{}}
	server.ConnState = quiet.note
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.issuer.Run(background); err != nil {
			s.cfg.Logger.Error("the issuer stopped", "error", err)
		}
	})
	running.Go(func() {
		if err := s.login.Run(background); err != nil {
			s.cfg.Logger.Error("mails are no longer sent", "error", err)
		}
	})
	drained := make(chan error, 1)
	go func() {
		<-ctx.Done()
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		defer time.AfterFunc(silentTime, quiet.close).Stop()
		drained <- server.Shutdown(deadline)
	}()
	err := server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		err = <-drained
	}
	stop()
	running.Wait()
	return err
}
