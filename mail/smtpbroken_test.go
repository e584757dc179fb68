package mail_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/mailbox"
	"github.com/hallpass-go/hallpass/mail"
)

// broken is an SMTP server that misbehaves at one step of one connection and is
// fine otherwise. The steps are "greeting", the commands, "content" (the message has
// begun) and "end" (it is there whole).
type broken struct {
	port     int
	accepted atomic.Int32
	mu       sync.Mutex
	letters  []string
	// at says what to do before the step is answered; false hangs up.
	at func(connection int, step string, conn net.Conn) bool
}

func startBroken(t testing.TB, at func(connection int, step string, conn net.Conn) bool) *broken {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &broken{port: listener.Addr().(*net.TCPAddr).Port, at: at}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			number := int(b.accepted.Add(1))
			open.Go(func() {
				stop := context.AfterFunc(t.Context(), func() { _ = conn.Close() })
				defer stop()
				defer conn.Close()
				b.serve(number, conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	return b
}

func (b *broken) serve(number int, conn net.Conn) {
	reader := bufio.NewReader(conn)
	answer := func(step, text string) bool {
		if !b.at(number, step, conn) {
			return false
		}
		_, err := fmt.Fprintf(conn, "%s\r\n", text)
		return err == nil
	}
	if !answer("greeting", "220 broken.test") {
		return
	}
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		verb := strings.ToUpper(strings.Fields(line + " x")[0])
		switch verb {
		case "DATA":
			if !answer(verb, "354 go on") {
				return
			}
			if _, err := reader.Peek(10); err != nil || !b.at(number, "content", conn) {
				return
			}
			letter, err := textproto.NewReader(reader).ReadDotBytes()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.letters = append(b.letters, string(letter))
			b.mu.Unlock()
			if !answer("end", "250 taken") {
				return
			}
		case "QUIT":
			answer(verb, "221 bye")
			return
		default:
			if !answer(verb, "250 fine") {
				return
			}
		}
	}
}

func (b *broken) taken() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.letters)
}

func (b *broken) sender(t testing.TB, change func(*mail.SMTPConfig)) *mail.SMTP {
	t.Helper()
	cfg := mail.SMTPConfig{
		Host: "127.0.0.1", Port: b.port, From: "no-reply@example.com", MaxConns: 1,
		ConnectTimeout: 300 * time.Millisecond, CommandTimeout: 300 * time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	s, err := mail.NewSMTP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// misbehaviours are the ways in which a step can fail. All of them end without an
// answer of the server.
var misbehaviours = map[string]func(net.Conn) bool{
	"hangs up": func(net.Conn) bool { return false },
	"resets": func(conn net.Conn) bool {
		_ = conn.(*net.TCPConn).SetLinger(0)
		return false
	},
	"hangs": func(conn net.Conn) bool {
		_, _ = bufio.NewReader(conn).ReadString('\xff') // until the client gives up
		return false
	},
	"talks nonsense": func(conn net.Conn) bool {
		_, _ = fmt.Fprint(conn, "HTTP/1.1 400 Bad Request about "+link+" "+code+"\r\n")
		return false
	},
	"never ends its answer": func(conn net.Conn) bool {
		line := []byte("250-" + strings.Repeat("x", 1000) + "\r\n")
		for {
			if _, err := conn.Write(line); err != nil {
				return false
			}
		}
	},
	"never ends its line": func(conn net.Conn) bool {
		for {
			if _, err := conn.Write(make([]byte, 1000)); err != nil {
				return false
			}
		}
	},
}

func TestAConversationCutOffAtAnyStepIsNeverCalledASuccessOrFinal(t *testing.T) {
	t.Parallel()
	for how, misbehave := range misbehaviours {
		for _, step := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "content", "end"} {
			t.Run(step+" "+how, func(t *testing.T) {
				t.Parallel()
				server := startBroken(t, func(_ int, at string, conn net.Conn) bool { return at != step || misbehave(conn) })
				start := time.Now()
				err := server.sender(t, nil).Send(t.Context(), loginMail("hugo@example.com"))
				if err == nil || errors.Is(err, mail.ErrRejected) {
					t.Fatalf("Send: %v, want an error that may be retried", err)
				}
				keepsSecrets(t, err)
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
				// The client cannot tell a message that is half read from one that is
				// read and not answered.
				if want := step == "end" || step == "content"; errors.Is(err, mail.ErrUnsure) != want {
					t.Errorf("unsure is %v, want %v: %v", !want, want, err)
				}
				if want := map[bool]int{true: 1}[step == "end"]; server.taken() != want {
					t.Errorf("the server has %d letters, want %d", server.taken(), want)
				}
				if server.accepted.Load() != 1 {
					t.Errorf("%d connections; a fresh one that fails is not tried again", server.accepted.Load())
				}
			})
		}
	}
}

func TestAKeptConnectionThatDiedIsReplacedOnceUnlessTheMessageMayHaveArrived(t *testing.T) {
	t.Parallel()
	for how, misbehave := range misbehaviours {
		for _, step := range []string{"MAIL", "RCPT", "DATA", "content", "end"} {
			for _, fresh := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s %s, a fresh one works: %v", step, how, fresh), func(t *testing.T) {
					t.Parallel()
					var armed atomic.Bool
					server := startBroken(t, func(connection int, at string, conn net.Conn) bool {
						return !armed.Load() || at != step || connection > 1 && fresh || misbehave(conn)
					})
					s := server.sender(t, nil)
					if err := s.Send(t.Context(), loginMail("first@example.com")); err != nil {
						t.Fatal(err)
					}
					armed.Store(true)
					err := s.Send(t.Context(), loginMail("second@example.com"))
					keepsSecrets(t, err)
					unsure := step == "content" || step == "end"
					switch {
					case unsure && (!errors.Is(err, mail.ErrUnsure) || server.accepted.Load() != 1):
						t.Errorf("%v over %d connections, want an unsure error over the first alone", err, server.accepted.Load())
					case !unsure && (err == nil) != fresh:
						t.Errorf("Send: %v, and a fresh connection works: %v", err, fresh)
					case !unsure && server.accepted.Load() != 2:
						t.Errorf("%d connections, want 2", server.accepted.Load())
					case err == nil && server.taken() != 2:
						t.Errorf("the server has %d letters, want 2", server.taken())
					}
				})
			}
		}
	}
}

func TestAServerThatSays421IsDialledAgain(t *testing.T) {
	t.Parallel()
	var letters atomic.Int32
	server := startBroken(t, func(_ int, step string, conn net.Conn) bool {
		if step == "MAIL" && letters.Add(1) == 2 {
			_, _ = fmt.Fprint(conn, "421 4.4.2 idle for too long\r\n")
			return false
		}
		return true
	})
	s := server.sender(t, nil)
	for i := range 2 {
		if err := s.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
			t.Fatalf("mail %d: %v", i+1, err)
		}
	}
	if server.accepted.Load() != 2 || server.taken() != 2 {
		t.Errorf("%d letters over %d connections, want 2 over 2", server.taken(), server.accepted.Load())
	}
}

func TestAServerMayTalkMuchButNotAtOnce(t *testing.T) {
	t.Parallel()
	server := startBroken(t, func(_ int, step string, conn net.Conn) bool {
		if step == "MAIL" {
			_, _ = fmt.Fprint(conn, strings.Repeat("250-"+strings.Repeat("x", 96)+"\r\n", 700)) // 70 kB, and the end follows
		}
		return true
	})
	s := server.sender(t, nil)
	for range 5 {
		if err := s.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
			t.Fatal(err)
		}
	}
	if server.accepted.Load() != 1 {
		t.Errorf("%d connections, want 1", server.accepted.Load())
	}
}

func TestAnAnswerToNothingIsNotTakenForTheNextOne(t *testing.T) {
	t.Parallel()
	for step, answer := range map[string]string{"EHLO": "250", "DATA": "354", "end": "250"} {
		// A fresh connection that goes wrong is an error, a kept one is replaced.
		wantFailed := map[string]int{"EHLO": 1, "DATA": 1}[step]
		server := startBroken(t, func(connection int, at string, conn net.Conn) bool {
			if connection == 1 && at == step {
				_, _ = fmt.Fprint(conn, answer+" fine\r\n250 out of turn\r\n") // and the true one follows
			}
			return true
		})
		s := server.sender(t, nil)
		var failed, sent int
		for sent < 2 && failed < 5 {
			if err := s.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
				failed++
			} else {
				sent++
			}
		}
		if failed != wantFailed || server.taken() != 2 || server.accepted.Load() != 2 {
			t.Errorf("%s: %d failures, %d letters over %d connections; want %d, and 2 over 2", step, failed, server.taken(), server.accepted.Load(), wantFailed)
		}
	}
}

func TestACancelledContextEndsASendAtAnyStep(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "content", "end"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			server := startBroken(t, func(_ int, at string, conn net.Conn) bool {
				if at != step {
					return true
				}
				cancel()
				return misbehaviours["hangs"](conn)
			})
			s := server.sender(t, func(c *mail.SMTPConfig) { c.ConnectTimeout, c.CommandTimeout = time.Minute, time.Minute })
			start := time.Now()
			err := s.Send(ctx, loginMail("hugo@example.com"))
			if !errors.Is(err, context.Canceled) || errors.Is(err, mail.ErrRejected) {
				t.Errorf("Send: %v, want the context's error", err)
			}
			if want := step == "end" || step == "content"; errors.Is(err, mail.ErrUnsure) != want {
				t.Errorf("unsure is %v, want %v: %v", !want, want, err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if server.accepted.Load() != 1 {
				t.Errorf("%d connections, want 1", server.accepted.Load())
			}
		})
	}
}

func TestADeadlineEndsTheWaitForAConnection(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{})
	server := startBroken(t, func(_ int, at string, conn net.Conn) bool {
		if at != "RCPT" {
			return true
		}
		close(waiting)
		return misbehaviours["hangs"](conn)
	})
	s := server.sender(t, func(c *mail.SMTPConfig) { c.CommandTimeout = 2 * time.Second })
	first := make(chan error, 1)
	go func() { first <- s.Send(t.Context(), loginMail("first@example.com")) }()
	<-waiting
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Send(ctx, loginMail("second@example.com")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Send: %v, want the deadline's error", err)
	}
	if err := <-first; err == nil {
		t.Error("the first send should have failed")
	}
}

func TestAServerThatIsNotThereMayComeBack(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := mail.NewSMTP(mail.SMTPConfig{Host: "localhost", Port: port, From: "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), loginMail("hugo@example.com")); err == nil || errors.Is(err, mail.ErrRejected) || !strings.Contains(err.Error(), "localhost") {
		t.Errorf("Send: %v, want an error that names the server and may be retried", err)
	}
}

func TestTwoHundredAtOnceShareAFewConnections(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, &mailbox.Options{StartTLS: true, Username: "hugo", Password: password})
	s := sender(t, box, func(c *mail.SMTPConfig) {
		c.TLS, c.Username, c.Password, c.MaxConns = mail.TLSStartTLS, "hugo", password, 3
	})
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if err := s.Send(t.Context(), loginMail(mail.Address(fmt.Sprintf("hugo%d@example.com", i)))); err != nil {
				t.Errorf("mail %d: %v", i, err)
			}
		})
	}
	all.Wait()
	box.Wait(t, "", 200)
	for i := range 200 {
		if got := box.Wait(t, fmt.Sprintf("hugo%d@example.com", i), 1); len(got) != 1 {
			t.Errorf("mail %d arrived %d times", i, len(got))
		}
	}
	if box.Accepted() > 5 {
		t.Errorf("%d connections for 200 mails; 3 at a time with 100 mails each need 5 at most", box.Accepted())
	}
}

func TestAConnectionIsGivenUpAfterSoManyMessagesAndWhenUnused(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	s := sender(t, box, func(c *mail.SMTPConfig) { c.MessagesPerConn, c.IdleTimeout = 2, 30*time.Millisecond })
	for range 5 {
		if err := s.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
			t.Fatal(err)
		}
	}
	if got := box.Accepted(); got < 3 {
		t.Errorf("%d connections for 5 mails, want at least 3", got)
	}
	for deadline := time.Now().Add(5 * time.Second); box.Open() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("an unused connection is still there")
		}
	}
	if err := s.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
		t.Errorf("after the connections went: %v", err)
	}
}

func TestConnectionsThatTheServerEndsAreReplaced(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, &mailbox.Options{ImplicitTLS: true})
	s := sender(t, box, func(c *mail.SMTPConfig) { c.TLS = mail.TLSImplicit })
	for range 3 {
		if err := s.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
			t.Fatal(err)
		}
		box.HangUp()
	}
	if len(box.Messages()) != 3 || box.Accepted() != 3 {
		t.Errorf("%d messages over %d connections, want 3 over 3", len(box.Messages()), box.Accepted())
	}
}

func TestAfterCloseNothingIsSent(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	s := sender(t, box, nil)
	if err := s.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Send(t.Context(), loginMail("hugo@example.com")); err == nil || errors.Is(err, mail.ErrRejected) {
		t.Errorf("Send: %v, want an error that may be retried elsewhere", err)
	}
	for deadline := time.Now().Add(5 * time.Second); box.Open() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a connection is still open")
		}
	}
}
