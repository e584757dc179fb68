package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Bounds of every connection. What a request's body and answer may take is set for
// each route, see bounded.
const (
	headerTime     = 10 * time.Second
	idleTime       = 2 * time.Minute
	maxHeaderBytes = 64 << 10
)

// listener is a listener with the server on it.
type listener struct {
	net.Listener
	*http.Server
	connections connections
}

// serve starts a listener. Its failure, other than on the way out, goes to failed.
func (s *Server) serve(ctx context.Context, l net.Listener, h http.Handler, cert *Certificate, failed chan<- error) *listener {
	on := &listener{Listener: l}
	server := &http.Server{
		ConnState:         on.connections.changed,
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
	}
	if cert != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cert.get}
	}
	go func() {
		var err error
		if cert != nil {
			err = server.ServeTLS(l, "", "")
		} else {
			err = server.Serve(l)
		}
		if !errors.Is(err, http.ErrServerClosed) && !s.draining.Load() {
			failed <- err
		}
	}()
	on.Server = server
	return on
}

// drain takes no more connections and lets the open ones finish.
func (l *listener) drain(ctx context.Context) error {
	_ = l.Listener.Close()
	l.connections.quiet(ctx)
	return l.Server.Shutdown(ctx)
}

// Certificate is a TLS certificate with its key, in two files that may change.
type Certificate struct {
	cert, key string
	pair      atomic.Pointer[tls.Certificate]
}

// LoadCertificate reads the files, in PEM. Its errors are *hallpass.FieldError.
func LoadCertificate(cert, key string) (*Certificate, error) {
	c := &Certificate{cert: cert, key: key}
	return c, c.reload()
}

// reload reads the files again; on an error the former certificate stays.
func (c *Certificate) reload() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return &hallpass.FieldError{Field: "tls_cert", Reason: err.Error()}
	}
	c.pair.Store(&pair)
	return nil
}

func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.pair.Load(), nil }
