package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"time"
)

// letter is a message with its envelope.
type letter struct {
	from, to Address
	content  []byte
}

// smtpConn is a connection to a server that is ready for mail. One goroutine uses it
// at a time.
type smtpConn struct {
	server  string
	timeout time.Duration
	raw     *boundedConn
	client  *smtp.Client

	messages int
	// broken says that nothing can be sent any more.
	broken bool
	// lost says that the last delivery failed because the connection did, and
	// before the end of the message: the server cannot have taken it.
	lost bool
}

// maxReply bounds what a server may say in answer to one command, TLS's own records
// included.
const maxReply = 256 << 10

// boundedConn fails once the server has said more than anybody would.
type boundedConn struct {
	net.Conn
	left int
}

var errTalksTooMuch = errors.New("the server does not stop talking")

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTalksTooMuch
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// dial returns a connection that has said hello, is encrypted as configured, and
// logged in.
func (s *SMTP) dial(ctx context.Context) (*smtpConn, error) {
	late := fmt.Errorf("not ready after %v", s.cfg.ConnectTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.ConnectTimeout, late)
	defer cancel()
	c := &smtpConn{server: s.cfg.addr(), timeout: s.cfg.CommandTimeout}
	tcp, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.server)
	if err != nil {
		return nil, c.failed(ctx, "connecting", err, false)
	}
	c.raw = &boundedConn{tcp, maxReply}
	stop := context.AfterFunc(ctx, func() { _ = tcp.Close() })
	err = c.open(ctx, &s.cfg)
	if !stop() && err == nil {
		err = c.failed(ctx, "connecting", context.Cause(ctx), false)
	}
	if err != nil {
		_ = tcp.Close()
		return nil, err
	}
	return c, nil
}

func (c *smtpConn) open(ctx context.Context, cfg *SMTPConfig) error {
	secure := &tls.Config{ServerName: cfg.Host, RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}
	conn, encrypted := net.Conn(c.raw), false
	if cfg.TLS == TLSImplicit {
		over := tls.Client(c.raw, secure)
		if err := over.HandshakeContext(ctx); err != nil {
			return c.failed(ctx, "TLS", err, false)
		}
		conn, encrypted = over, true
	}
	var err error
	if c.client, err = smtp.NewClient(conn, cfg.Host); err != nil {
		return c.failed(ctx, "the greeting", err, false)
	}
	if err := c.client.Hello(c.hello(cfg.Hello)); err != nil {
		return c.failed(ctx, "EHLO", err, false)
	}
	if cfg.TLS == TLSStartTLS || cfg.TLS == TLSOpportunistic {
		switch offered, _ := c.client.Extension("STARTTLS"); {
		case offered:
			// What came in the clear after the answer is dropped with the reader
			// that holds it, so nobody can slip answers in before TLS begins.
			if err := c.client.StartTLS(secure); err != nil {
				return c.failed(ctx, "STARTTLS", err, false)
			}
			encrypted = true
		case cfg.TLS == TLSStartTLS:
			return fmt.Errorf("mail: %s offers no STARTTLS, and tls=starttls wants it", c.server)
		}
	}
	if cfg.Username == "" {
		return nil
	}
	if !encrypted && !isLoopbackConn(c.raw) {
		return fmt.Errorf("mail: the connection to %s is not encrypted, and a password is never sent over such", c.server)
	}
	return c.logIn(ctx, cfg)
}

// hello is the name to give. Without one it is the address that the server sees, if
// nothing translates it.
func (c *smtpConn) hello(name string) string {
	if name != "" {
		return name
	}
	addr, ok := c.raw.LocalAddr().(*net.TCPAddr)
	switch {
	case !ok:
		return "localhost"
	case addr.IP.To4() != nil:
		return "[" + addr.IP.To4().String() + "]"
	default:
		return "[IPv6:" + addr.IP.String() + "]"
	}
}

func isLoopbackConn(c net.Conn) bool {
	addr, ok := c.RemoteAddr().(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}

// deliver sends one letter. Its error says how far it came; c.lost whether another
// connection may be tried.
func (c *smtpConn) deliver(ctx context.Context, l *letter) (err error) {
	c.lost = false
	c.messages++
	stop := context.AfterFunc(ctx, func() { _ = c.raw.Close() })
	defer func() {
		if err != nil && !c.broken {
			// The server forgets what it has of the letter.
			if _, err := c.command(250, "RSET"); err != nil {
				c.broken = true
			}
		}
		if !stop() {
			c.broken = true
		}
	}()
	if code, err := c.command(250, "MAIL FROM:<%s>", l.from); err != nil {
		return c.judge(ctx, "MAIL", code, err, false)
	}
	if code, err := c.command(25, "RCPT TO:<%s>", l.to); err != nil {
		return c.judge(ctx, "RCPT", code, err, true)
	}
	if code, err := c.command(354, "DATA"); err != nil {
		return c.judge(ctx, "DATA", code, err, true)
	}
	c.patience()
	body := c.client.Text.DotWriter()
	if _, err := body.Write(l.content); err != nil {
		return c.judge(ctx, "the message", 0, err, true)
	}
	return c.finish(ctx, body)
}

// finish sends the end of the message. From here on only an answer tells whether the
// server has taken it.
func (c *smtpConn) finish(ctx context.Context, body io.Closer) error {
	if c.client.Text.R.Buffered() > 0 {
		return c.judge(ctx, "the message", 0, errOutOfTurn, true)
	}
	c.patience()
	err := body.Close()
	if err == nil {
		_, _, err = c.client.Text.ReadResponse(2)
	}
	var reply *textproto.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &reply) && reply.Code >= 400 && reply.Code <= 599:
		c.broken = reply.Code == 421
		// It has read the message, and may quote it.
		return final(reply.Code, c.failed(ctx, "the message", err, true))
	default:
		c.broken = true
		return fmt.Errorf("%w: %w", ErrUnsure, c.failed(ctx, "the end of the message", err, true))
	}
}

// judge turns what went wrong before the end of the message into an error. ofLetter
// says that a final no is about this letter and not about the configuration.
func (c *smtpConn) judge(ctx context.Context, step string, code int, err error, ofLetter bool) error {
	// 421 comes before the server hangs up, at any time (RFC 5321 section 3.8).
	// No code at all is a connection that failed, or no server of mail.
	if code < 400 || code == 421 || code > 599 {
		c.broken, c.lost = true, true
	}
	err = c.failed(ctx, step, err, false)
	if ofLetter {
		return final(code, err)
	}
	return err
}

// final marks a server's final no.
func final(code int, err error) error {
	if code >= 500 && code <= 599 {
		return fmt.Errorf("%w: %w", ErrRejected, err)
	}
	return err
}

// errOutOfTurn: an answer that is there before the message ends would be taken for
// its acceptance. Before that one too many shows by itself: no other answer is 354.
var errOutOfTurn = errors.New("the server speaks out of turn")

// command sends a line and reads the answer; code is 0 where there was none.
func (c *smtpConn) command(expect int, format string, args ...any) (code int, err error) {
	c.patience()
	if err := c.client.Text.PrintfLine(format, args...); err != nil {
		return 0, err
	}
	code, _, err = c.client.Text.ReadResponse(expect)
	return code, err
}

// patience starts the time, and the volume, that the server has for its next answer.
func (c *smtpConn) patience() {
	c.raw.left = maxReply
	_ = c.raw.SetDeadline(time.Now().Add(c.timeout)) // a closed connection says so when it is used
}

// hangUp ends the connection, politely while it works.
func (c *smtpConn) hangUp() {
	if !c.broken {
		_ = c.raw.SetDeadline(time.Now().Add(time.Second))
		_ = c.client.Text.PrintfLine("QUIT")
		_ = c.client.Close()
	}
	_ = c.raw.Close()
}
