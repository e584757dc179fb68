package mailbox

import (
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one connection after its hello.
type session struct {
	box      *Mailbox
	conn     *smtp.Conn
	loggedIn string
	from     string
	to       []string
}

func (b *Mailbox) session(c *smtp.Conn) (smtp.Session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns[c] = true // STARTTLS begins a new session on the same connection
	return &session{box: b, conn: c}, nil
}

func (s *session) Reset() { s.from, s.to = "", nil }

func (s *session) Logout() error {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.conns[s.conn] = false
	return nil
}

func (s *session) AuthMechanisms() []string {
	if s.box.opts.Username == "" {
		return nil
	}
	return s.box.opts.Mechanisms
}

func (s *session) Auth(mechanism string) (sasl.Server, error) {
	s.box.mu.Lock()
	s.box.logIns++
	s.box.mu.Unlock()
	check := func(username, password string) error {
		if username != s.box.opts.Username || password != s.box.opts.Password {
			// Some servers repeat what they were told.
			return Refuse(535, "5.7.8 wrong password "+password)
		}
		s.loggedIn = username
		return nil
	}
	if strings.EqualFold(mechanism, "LOGIN") {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, username, password string) error { return check(username, password) }), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.box.opts.Username != "" && s.loggedIn == "" {
		return Refuse(530, "5.7.0 log in first")
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.box.opts.Rcpt != nil {
		if err := s.box.opts.Rcpt(to); err != nil {
			return err
		}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.box.opts.Data != nil {
		if err := s.box.opts.Data(content); err != nil {
			return err
		}
	}
	for _, to := range s.to {
		m, err := parse(content)
		if err != nil {
			return Refuse(554, "5.6.0 not a message: "+err.Error())
		}
		_, encrypted := s.conn.TLSConnectionState()
		m.From, m.To, m.Hello, m.LoggedIn, m.Encrypted = s.from, to, s.conn.Hostname(), s.loggedIn, encrypted
		s.box.add(m)
	}
	return nil
}

// loginServer is AUTH LOGIN, which has no standard.
type loginServer struct {
	check    func(username, password string) error
	asked    int
	username string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.asked++
	switch l.asked {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.username = string(response)
		return []byte("Password:"), false, nil
	case 3:
		return nil, true, l.check(l.username, string(response))
	}
	return nil, false, errors.New("too many answers")
}
