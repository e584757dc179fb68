// Package mailbox is a real SMTP server for tests, which keeps what it is sent.
package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// Options is how the server behaves; nil is one without TLS and without passwords.
type Options struct {
	// Host is the IP address to listen on. Defaults to 127.0.0.1.
	Host string
	// StartTLS offers STARTTLS; ImplicitTLS begins with TLS.
	StartTLS, ImplicitTLS bool
	// Hosts is what the certificate is for. Defaults to this machine.
	Hosts []string

	// Username and Password are asked for before any mail. Empty: nobody is.
	Username, Password string
	// Mechanisms are the ways to log in. Defaults to PLAIN and LOGIN.
	Mechanisms []string
	// InsecureAuth offers to log in without TLS.
	InsecureAuth bool

	// Rcpt, if set, is asked about each recipient, and Data about each message; see
	// Refuse.
	Rcpt func(to string) error
	Data func(content []byte) error
}

// Refuse is an answer for Options.Rcpt and Options.Data, such as 550, "5.1.1 No such
// user".
func Refuse(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
}

// Mailbox is a running server. The test's end ends it.
type Mailbox struct {
	// Addr is its HOST:PORT, Port the port alone.
	Addr string
	Port int
	// RootCAs vouches for its certificate, and so does the PEM file CAFile. Without
	// TLS there is none.
	RootCAs *x509.CertPool
	CAFile  string

	opts Options

	mu       sync.Mutex
	messages []Message
	arrived  chan struct{}       // closed at the next arrival
	conns    map[*smtp.Conn]bool // true while open, and there for ever
	logIns   int
}

// Start returns a running server.
func Start(t testing.TB, opts *Options) *Mailbox {
	t.Helper()
	b := &Mailbox{arrived: make(chan struct{}), conns: map[*smtp.Conn]bool{}}
	if opts != nil {
		b.opts = *opts
	}
	if b.opts.Host == "" {
		b.opts.Host = "127.0.0.1"
	}
	if b.opts.Mechanisms == nil {
		b.opts.Mechanisms = []string{"PLAIN", "LOGIN"}
	}
	server := smtp.NewServer(smtp.BackendFunc(b.session))
	server.Domain = "mailbox.test"
	server.AllowInsecureAuth = b.opts.InsecureAuth
	server.ErrorLog = log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", net.JoinHostPort(b.opts.Host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	b.Addr = listener.Addr().String()
	b.Port = listener.Addr().(*net.TCPAddr).Port
	if b.opts.StartTLS || b.opts.ImplicitTLS {
		config := b.certify(t)
		if b.opts.ImplicitTLS {
			listener = tls.NewListener(listener, config)
		} else {
			server.TLSConfig = config
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // Serve may not have begun to know it
		<-done
	})
	return b
}

// DSN is the server as `--mail` names it: smtp:// or smtps://, with what opens it.
func (b *Mailbox) DSN(from string) string {
	scheme, query := "smtp://", "?from="+from
	if b.opts.ImplicitTLS {
		scheme = "smtps://"
	} else if b.opts.StartTLS {
		query += "&tls=starttls"
	}
	if b.CAFile != "" {
		query += "&ca=" + b.CAFile
	}
	user := ""
	if b.opts.Username != "" {
		user = b.opts.Username + ":" + b.opts.Password + "@"
	}
	return scheme + user + b.Addr + query
}

// Wait returns the messages to the address, oldest first, once there are n; an empty
// address means any. It fails the test after ten seconds.
func (b *Mailbox) Wait(t testing.TB, to string, n int) []Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		b.mu.Lock()
		found := slices.DeleteFunc(slices.Clone(b.messages), func(m Message) bool { return to != "" && m.To != to })
		arrived := b.arrived
		b.mu.Unlock()
		if len(found) >= n {
			return found
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			t.Fatalf("there are %d messages to %q, want %d", len(found), to, n)
		}
	}
}

// Messages returns what has arrived so far, oldest first.
func (b *Mailbox) Messages() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.messages)
}

// Accepted returns how many connections have said hello so far.
func (b *Mailbox) Accepted() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.conns)
}

// Open returns how many of those are still there.
func (b *Mailbox) Open() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, open := range b.conns {
		if open {
			n++
		}
	}
	return n
}

// LogIns returns how often somebody began to log in.
func (b *Mailbox) LogIns() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.logIns
}

// HangUp ends all connections without a word.
func (b *Mailbox) HangUp() {
	b.mu.Lock()
	conns := make([]*smtp.Conn, 0, len(b.conns))
	for c, open := range b.conns {
		if open {
			conns = append(conns, c)
		}
	}
	b.mu.Unlock()
	for _, c := range conns {
		_ = c.Conn().Close()
	}
}

func (b *Mailbox) add(m Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, m)
	close(b.arrived)
	b.arrived = make(chan struct{})
}
