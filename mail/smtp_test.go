package mail_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/mailbox"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/mail"
)

// The secrets of a message, none of which may come back in an error.
const (
	code     = "492817"
	link     = "https://example.com/login/link?rt=7hKq0Vx3mPz9sTfWb2LdYc"
	password = "correct horse/battery?staple"
)

func loginMail(to mail.Address) mail.Message {
	return mail.Message{
		ID: "018f-login.1", To: to, Kind: "login",
		Subject: "Your code is " + code,
		Text:    "Your code:\n\n" + code + "\n\nor open " + link + "\n",
		HTML:    "<p>Your code: <b>" + code + "</b></p><p><a href=\"" + link + "\">Sign in</a></p>\n",
		Data:    map[string]string{"code": code, "link": link, "language": "en"},
	}
}

// keepsSecrets fails when the error holds what the message says or the password.
func keepsSecrets(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{code, "7hKq0Vx3mPz9sTfWb2LdYc", password, "battery", "staple"} {
		if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
			t.Errorf("the error repeats %q: %v", secret, err)
		}
	}
}

// sender returns an SMTP for the mailbox, after change.
func sender(t testing.TB, box *mailbox.Mailbox, change func(*mail.SMTPConfig)) *mail.SMTP {
	t.Helper()
	cfg := mail.SMTPConfig{
		Host: "127.0.0.1", Port: box.Port, RootCAs: box.RootCAs, From: "Example <no-reply@example.com>",
		ConnectTimeout: 5 * time.Second, CommandTimeout: 5 * time.Second,
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

func TestAMailArrivesAsItWasWritten(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	now := time.Date(2026, 11, 22, 18, 0, 0, 0, time.FixedZone("", 3600))
	s := sender(t, box, func(c *mail.SMTPConfig) { c.Now = func() time.Time { return now } })
	plain := func(change func(*mail.Message)) mail.Message {
		m := mail.Message{ID: "id", To: "hugo@example.com", Subject: "Hello", Text: "Hello\n"}
		change(&m)
		return m
	}
	for name, m := range map[string]mail.Message{
		"text and page":             loginMail("hugo@example.com"),
		"text alone":                plain(func(*mail.Message) {}),
		"letters beyond ASCII":      plain(func(m *mail.Message) { m.Subject, m.Text = "Grüße aus Köln 🌊", "Grüße\nаз буки\n🌊\n" }),
		"a long subject":            plain(func(m *mail.Message) { m.Subject = strings.Repeat("a word ", 40) + "end" }),
		"a long subject of umlauts": plain(func(m *mail.Message) { m.Subject = strings.Repeat("üß", 100) }),
		"a subject of one long word": plain(func(m *mail.Message) {
			m.Subject = strings.Repeat("x", 400)
		}),
		"a subject with odd spaces":                      plain(func(m *mail.Message) { m.Subject = "  two  and  at both ends  " }),
		"a subject that looks encoded":                   plain(func(m *mail.Message) { m.Subject = "=?utf-8?q?not_really?=" }),
		"no subject":                                     plain(func(m *mail.Message) { m.Subject = "" }),
		"dots at the start of lines":                     plain(func(m *mail.Message) { m.Text = ".\n..\n.x\n.\n" }),
		"a line that looks like a header":                plain(func(m *mail.Message) { m.Text = "From: evil@example.net\nFrom here\n" }),
		"spaces and tabs at the ends":                    plain(func(m *mail.Message) { m.Text = " a \n\tb\t\n  \n" }),
		"no line break at the end":                       plain(func(m *mail.Message) { m.Text = "end" }),
		"a line longer than SMTP has":                    plain(func(m *mail.Message) { m.Text = strings.Repeat("long ", 3000) + "\n" }),
		"a word longer than SMTP has":                    plain(func(m *mail.Message) { m.Text = strings.Repeat("=", 3000) + "\n" }),
		"something like a boundary":                      plain(func(m *mail.Message) { m.Text, m.HTML = "--\n--x--\n", "--\n" }),
		"a local part with all the signs":                plain(func(m *mail.Message) { m.To = "#$&'*+-/=?^_`{|}~@example.com" }),
		"a domain beyond ASCII, as the DNS has it":       plain(func(m *mail.Message) { m.To = "hugo@xn--bcher-kva.example" }),
		"further headers":                                plain(func(m *mail.Message) { m.Headers = map[string]string{"List-Unsubscribe": "<" + link + ">", "X-A": "b"} }),
		"a header of many words":                         plain(func(m *mail.Message) { m.Headers = map[string]string{"X-A": strings.Repeat("word ", 100) + "x"} }),
		"a header with odd spaces":                       plain(func(m *mail.Message) { m.Headers = map[string]string{"X-A": strings.Repeat("word  a b ", 90) + "x"} }),
		"a header of one word, as long as a line may be": plain(func(m *mail.Message) { m.Headers = map[string]string{"X-A": strings.Repeat("y", 998-5)} }),
	} {
		t.Run(name, func(t *testing.T) {
			before := len(box.Messages())
			if err := s.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			got := box.Wait(t, "", before+1)[before]
			want := mailbox.Message{
				From: "no-reply@example.com", To: string(m.To), Hello: got.Hello,
				Raw: got.Raw, Header: got.Header, Subject: m.Subject, Text: m.Text, HTML: m.HTML,
			}
			if m.HTML == "" && !strings.HasSuffix(m.Text, "\n") {
				want.Text += "\n" // SMTP ends the last line
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("what arrived differs (-want +got):\n%s", diff)
			}
			header := netmail.Header{
				"Date": {"Sun, 22 Nov 2026 18:00:00 +0100"}, "From": {`"Example" <no-reply@example.com>`}, "To": {string(m.To)},
				"Subject": got.Header["Subject"], "Message-Id": {"<" + m.ID + "@example.com>"}, "Auto-Submitted": {"auto-generated"},
				"Mime-Version": {"1.0"}, "Content-Type": got.Header["Content-Type"],
			}
			if m.HTML == "" {
				header["Content-Transfer-Encoding"] = []string{"quoted-printable"}
			}
			for name, value := range m.Headers {
				header[name] = []string{value}
			}
			if diff := cmp.Diff(header, got.Header); diff != "" {
				t.Errorf("the header differs (-want +got):\n%s", diff)
			}
			for line := range strings.SplitSeq(string(got.Raw), "\r\n") {
				if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > '~' || r < ' ' && r != '\t' }) {
					t.Errorf("the line %.80q… of %d characters is not plain mail", line, len(line))
				}
			}
		})
	}
}

func TestTheCodeStandsAloneAndUnbrokenInTheRawMail(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	m := loginMail("hugo@example.com")
	m.Text = "Grüße,\n" + strings.Repeat("long ", 50) + "\n\n" + code + "\n\nuntil then\n"
	if err := sender(t, box, nil).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	raw := string(box.Wait(t, "", 1)[0].Raw)
	if !strings.Contains(raw, "\r\n"+code+"\r\n") {
		t.Errorf("no line is %s alone in\n%s", code, raw)
	}
	if strings.Index(raw, "text/plain") > strings.Index(raw, "text/html") {
		t.Error("the page comes before the text")
	}
}

func TestWhateverIsSentComesOutAsItWent(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	s := sender(t, box, func(c *mail.SMTPConfig) { c.MessagesPerConn = 1000 })
	line := rapid.StringOf(rapid.RuneFrom([]rune("ab .=?_-<>\"\\@:,;()ÄßЖ🌊\u00a0\ufeff\u200b")))
	body := rapid.StringOfN(rapid.RuneFrom([]rune("ab .=?-<>\n\n\tÄßЖ🌊\u2028")), 1, 300, -1)
	rapid.Check(t, func(rt *rapid.T) {
		m := mail.Message{
			ID: "id", To: "hugo@example.com", Subject: line.Draw(rt, "subject"), Text: body.Draw(rt, "text"), HTML: body.Draw(rt, "html"),
		}
		before := len(box.Messages())
		if err := s.Send(t.Context(), m); err != nil {
			rt.Fatal(err)
		}
		got := box.Wait(t, "", before+1)[before]
		if got.Subject != m.Subject || got.Text != m.Text || got.HTML != m.HTML {
			rt.Fatalf("sent %q %q %q,\ngot %q %q %q\n%s", m.Subject, m.Text, m.HTML, got.Subject, got.Text, got.HTML, got.Raw)
		}
	})
}

func TestTheConnectionIsEncryptedAndLoggedInAsConfigured(t *testing.T) {
	t.Parallel()
	locked := mailbox.Options{Username: "hugo", Password: password}
	withTLS := func(o mailbox.Options, change func(*mailbox.Options)) *mailbox.Options { change(&o); return &o }
	startTLS := func(o *mailbox.Options) { o.StartTLS = true }
	implicit := func(o *mailbox.Options) { o.ImplicitTLS = true }
	logIn := func(c *mail.SMTPConfig) { c.Username, c.Password = "hugo", password }
	const fine = ""
	for _, test := range []struct {
		name   string
		server *mailbox.Options
		client func(*mail.SMTPConfig)
		refuse string // part of the error
	}{
		{"this machine's server needs nothing", nil, nil, fine},
		{"STARTTLS", withTLS(mailbox.Options{}, startTLS), func(c *mail.SMTPConfig) { c.TLS = mail.TLSStartTLS }, fine},
		{"STARTTLS is used where it is offered", withTLS(mailbox.Options{}, startTLS), func(c *mail.SMTPConfig) { c.TLS = mail.TLSOpportunistic }, fine},
		{"and not missed where it is not", nil, func(c *mail.SMTPConfig) { c.TLS = mail.TLSOpportunistic }, fine},
		{"without STARTTLS there is no mail where it is wanted", nil, func(c *mail.SMTPConfig) { c.TLS = mail.TLSStartTLS }, "offers no STARTTLS"},
		{"implicit TLS", withTLS(mailbox.Options{}, implicit), func(c *mail.SMTPConfig) { c.TLS = mail.TLSImplicit }, fine},
		{"implicit TLS against a server without", nil, func(c *mail.SMTPConfig) { c.TLS = mail.TLSImplicit }, "TLS"},
		{"PLAIN over STARTTLS", withTLS(locked, startTLS), func(c *mail.SMTPConfig) { c.TLS = mail.TLSStartTLS; logIn(c) }, fine},
		{"PLAIN over implicit TLS", withTLS(locked, implicit), func(c *mail.SMTPConfig) { c.TLS = mail.TLSImplicit; logIn(c) }, fine},
		{"LOGIN by choice", withTLS(locked, startTLS), func(c *mail.SMTPConfig) { c.TLS, c.Auth = mail.TLSStartTLS, mail.AuthLogin; logIn(c) }, fine},
		{"LOGIN where there is nothing else", withTLS(locked, func(o *mailbox.Options) { o.StartTLS, o.Mechanisms = true, []string{"LOGIN"} }), func(c *mail.SMTPConfig) { c.TLS = mail.TLSStartTLS; logIn(c) }, fine},
		{"PLAIN is not replaced by LOGIN where it was chosen", withTLS(locked, func(o *mailbox.Options) { o.StartTLS, o.Mechanisms = true, []string{"LOGIN"} }), func(c *mail.SMTPConfig) { c.TLS, c.Auth = mail.TLSStartTLS, mail.AuthPlain; logIn(c) }, "does not offer"},
		{"a server that knows other ways alone", withTLS(locked, func(o *mailbox.Options) { o.StartTLS, o.Mechanisms = true, []string{"CRAM-MD5"} }), func(c *mail.SMTPConfig) { c.TLS = mail.TLSStartTLS; logIn(c) }, "does not offer"},
		{"a password in the clear to this machine", withTLS(locked, func(o *mailbox.Options) { o.InsecureAuth = true }), logIn, fine},
		{"a wrong password", withTLS(locked, startTLS), func(c *mail.SMTPConfig) {
			c.TLS, c.Username, c.Password = mail.TLSStartTLS, "hugo", "wrong "+password
		}, "535 5.7.8"},
		{"no password where one is wanted", withTLS(locked, startTLS), func(c *mail.SMTPConfig) { c.TLS = mail.TLSStartTLS }, "530 5.7.0 log in first"},
		{"a server nobody vouches for, STARTTLS", withTLS(mailbox.Options{}, startTLS), func(c *mail.SMTPConfig) { c.TLS, c.RootCAs = mail.TLSStartTLS, x509.NewCertPool() }, "certificate"},
		{"nobody vouches and TLS is only welcome", withTLS(mailbox.Options{}, startTLS), func(c *mail.SMTPConfig) { c.TLS, c.RootCAs = mail.TLSOpportunistic, x509.NewCertPool() }, "certificate"},
		{"a server nobody vouches for, implicit TLS", withTLS(mailbox.Options{}, implicit), func(c *mail.SMTPConfig) { c.TLS, c.RootCAs = mail.TLSImplicit, nil }, "certificate"},
		{"another server's certificate", withTLS(mailbox.Options{}, func(o *mailbox.Options) { o.StartTLS, o.Hosts = true, []string{"smtp.example.com"} }), func(c *mail.SMTPConfig) { c.TLS = mail.TLSStartTLS; logIn(c) }, "certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			box := mailbox.Start(t, test.server)
			var cfg mail.SMTPConfig
			s := sender(t, box, func(c *mail.SMTPConfig) {
				if test.client != nil {
					test.client(c)
				}
				cfg = *c
			})
			err := s.Send(t.Context(), loginMail("hugo@example.com"))
			keepsSecrets(t, err)
			if test.refuse != fine {
				// What speaks of the configuration is mended, and then a retry helps.
				if err == nil || !strings.Contains(err.Error(), test.refuse) || errors.Is(err, mail.ErrRejected) || errors.Is(err, mail.ErrUnsure) {
					t.Errorf("Send: %v, want an error with %q that may be retried", err, test.refuse)
				}
				if got := box.Messages(); len(got) != 0 {
					t.Errorf("%d messages arrived", len(got))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := box.Wait(t, "hugo@example.com", 1)[0]
			encrypted := test.server != nil && (test.server.StartTLS || test.server.ImplicitTLS)
			if got.Encrypted != encrypted || got.LoggedIn != cfg.Username {
				t.Errorf("encrypted %v, logged in as %q; want %v, %q", got.Encrypted, got.LoggedIn, encrypted, cfg.Username)
			}
		})
	}
}

// ownAddress returns an address of this machine that is not a loopback address.
func ownAddress(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range addrs {
		if ip, ok := addr.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			return ip.IP.String()
		}
	}
	needs.Missing(t, "a network interface with an IPv4 address")
	return ""
}

func TestAPasswordIsNeverSentInTheClearToAnotherMachine(t *testing.T) {
	t.Parallel()
	host := ownAddress(t)
	// Whoever controls the network takes STARTTLS away and asks for the password.
	box := mailbox.Start(t, &mailbox.Options{Host: host, Username: "hugo", Password: password, InsecureAuth: true})
	for _, mode := range []mail.TLSMode{mail.TLSOpportunistic, mail.TLSStartTLS, ""} {
		s := sender(t, box, func(c *mail.SMTPConfig) {
			c.Host, c.TLS, c.Username, c.Password = host, mode, "hugo", password
		})
		err := s.Send(t.Context(), loginMail("hugo@example.com"))
		if err == nil || len(box.Messages()) != 0 || box.LogIns() != 0 {
			t.Errorf("%q: %v, and %d tries to log in", mode, err, box.LogIns())
		}
		keepsSecrets(t, err)
	}
	// A mail without a password may go, where that was chosen.
	open := mailbox.Start(t, &mailbox.Options{Host: host})
	s := sender(t, open, func(c *mail.SMTPConfig) { c.Host, c.TLS = host, mail.TLSOpportunistic })
	if err := s.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
		t.Error(err)
	}
}

func TestTheNamesOfSenderAndMachineAreAsConfigured(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	for _, test := range []struct {
		from, envelope, hello string
		header, wantEnvelope  string
		wantHello             *regexp.Regexp
	}{
		{"no-reply@example.com", "", "mail.example.com", "no-reply@example.com", "no-reply@example.com", regexp.MustCompile(`^mail\.example\.com$`)},
		{"No-Reply@EXAMPLE.com", "bounces@example.net", "[192.0.2.1]", "no-reply@example.com", "bounces@example.net", regexp.MustCompile(`^\[192\.0\.2\.1\]$`)},
		{"Bücher <a@bücher.example>", "", "", "=?utf-8?b?QsO8Y2hlcg==?= <a@xn--bcher-kva.example>", "a@xn--bcher-kva.example", regexp.MustCompile(`^\[127\.0\.0\.1\]$|\.`)},
		{`"A \"B\", C" <a@example.com>`, "", "", `"A \"B\", C" <a@example.com>`, "a@example.com", regexp.MustCompile(`.`)},
	} {
		before := len(box.Messages())
		s := sender(t, box, func(c *mail.SMTPConfig) {
			c.From, c.EnvelopeFrom, c.Hello = test.from, mail.Address(test.envelope), test.hello
		})
		if err := s.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
			t.Fatal(err)
		}
		got := box.Wait(t, "", before+1)[before]
		if got.Header.Get("From") != test.header || got.From != test.wantEnvelope || !test.wantHello.MatchString(got.Hello) {
			t.Errorf("%q: From %q, envelope %q, hello %q", test.from, got.Header.Get("From"), got.From, got.Hello)
		}
	}
}

func TestAFinalNoIsRejectedAndATemporaryOneIsNot(t *testing.T) {
	t.Parallel()
	quoting := " because of " + link + " and " + code
	for _, test := range []struct {
		name       string
		rcpt, data error
		rejected   bool
		want       string
	}{
		{"an unknown recipient", mailbox.Refuse(550, "5.1.1 No such user"), nil, true, "550 5.1.1 No such user"},
		{"a recipient to try later", mailbox.Refuse(450, "4.2.1 Greylisted"), nil, false, "450 4.2.1 Greylisted"},
		{"a server without room", mailbox.Refuse(452, "4.3.1 Full"), nil, false, "452 4.3.1 Full"},
		{"a message refused for good", nil, mailbox.Refuse(554, "5.7.1 Spam"+quoting), true, "554 5.7.1"},
		{"a message to try later", nil, mailbox.Refuse(451, "4.7.1 Scanner busy"+quoting), false, "451 4.7.1"},
		{"an answer full of control characters", mailbox.Refuse(550, "5.1.1 \x1b[2Jgone\x07"), nil, true, "550 5.1.1  [2Jgone "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			refuse := true
			var mu sync.Mutex
			ask := func(err error) error {
				mu.Lock()
				defer mu.Unlock()
				if refuse {
					return err
				}
				return nil
			}
			box := mailbox.Start(t, &mailbox.Options{
				Rcpt: func(string) error { return ask(test.rcpt) }, Data: func([]byte) error { return ask(test.data) },
			})
			s := sender(t, box, nil)
			err := s.Send(t.Context(), loginMail("hugo@example.com"))
			if err == nil || errors.Is(err, mail.ErrRejected) != test.rejected || errors.Is(err, mail.ErrUnsure) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Send: %v; want rejected %v, with %q", err, test.rejected, test.want)
			}
			keepsSecrets(t, err)

			// The connection is as good as before.
			mu.Lock()
			refuse = false
			mu.Unlock()
			if err := s.Send(t.Context(), loginMail("greta@example.com")); err != nil {
				t.Fatal(err)
			}
			box.Wait(t, "greta@example.com", 1)
			if len(box.Messages()) != 1 || box.Accepted() != 1 {
				t.Errorf("%d messages over %d connections, want 1 over 1", len(box.Messages()), box.Accepted())
			}
		})
	}
}

func TestWhatIsNoMailIsRejectedBeforeAnybodyIsAsked(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	dir, err := mail.NewDir(mail.DirConfig{Folder: t.TempDir(), From: "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	senders := []mail.Sender{sender(t, box, nil), dir, mail.NewLog(t.Output())}
	for _, test := range []struct {
		name, field string
		change      func(*mail.Message)
	}{
		{"no id", "id", func(m *mail.Message) { m.ID = "" }},
		{"an id with a line break", "id", func(m *mail.Message) { m.ID = "a\r\nBcc: evil@example.net" }},
		{"an id that is no dot-atom", "id", func(m *mail.Message) { m.ID = "a..b" }},
		{"an id with an @", "id", func(m *mail.Message) { m.ID = "a@b" }},
		{"a long id", "id", func(m *mail.Message) { m.ID = strings.Repeat("a", 129) }},
		{"nobody", "to", func(m *mail.Message) { m.To = "" }},
		{"an address that is not canonical", "to", func(m *mail.Message) { m.To = "Hugo@example.com" }},
		{"two readers", "to", func(m *mail.Message) { m.To = "hugo@example.com,evil@example.net" }},
		{"a command in the address", "to", func(m *mail.Message) { m.To = "hugo@example.com>\r\nRCPT TO:<evil@example.net" }},
		{"a subject with CR and LF", "subject", func(m *mail.Message) { m.Subject = code + "\r\nBcc: evil@example.net" }},
		{"a subject with LF", "subject", func(m *mail.Message) { m.Subject = code + "\nBcc: evil@example.net" }},
		{"a subject with CR", "subject", func(m *mail.Message) { m.Subject = code + "\rBcc: evil@example.net" }},
		{"a subject with NUL", "subject", func(m *mail.Message) { m.Subject = code + "\x00" }},
		{"a subject with a line separator", "subject", func(m *mail.Message) { m.Subject = code + "\u2028" }},
		{"a subject that is no UTF-8", "subject", func(m *mail.Message) { m.Subject = code + "\xff" }},
		{"an endless subject", "subject", func(m *mail.Message) { m.Subject = strings.Repeat(code, 100) }},
		{"no text", "text", func(m *mail.Message) { m.Text = "" }},
		{"a text that is no UTF-8", "text", func(m *mail.Message) { m.Text = code + "\xff" }},
		{"an endless text", "text", func(m *mail.Message) { m.Text = strings.Repeat(code, 1<<20) }},
		{"an endless page", "html", func(m *mail.Message) { m.HTML = strings.Repeat(code, 1<<20) }},
		{"a header with a line break", "headers", func(m *mail.Message) { m.Headers = map[string]string{"X-A": code + "\r\nBcc: evil@example.net"} }},
		{"a header with LF", "headers", func(m *mail.Message) { m.Headers = map[string]string{"X-A": code + "\nBcc: evil@example.net"} }},
		{"a header beyond ASCII", "headers", func(m *mail.Message) { m.Headers = map[string]string{"X-A": code + "ü"} }},
		{"a name with a line break", "headers", func(m *mail.Message) { m.Headers = map[string]string{"X-A: a\r\nBcc": "evil@example.net"} }},
		{"a name with a colon", "headers", func(m *mail.Message) { m.Headers = map[string]string{"Bcc: evil@example.net, X-A": "b"} }},
		{"no name", "headers", func(m *mail.Message) { m.Headers = map[string]string{"": "b"} }},
		{"no value", "headers", func(m *mail.Message) { m.Headers = map[string]string{"X-A": ""} }},
		{"a second reader", "headers", func(m *mail.Message) { m.Headers = map[string]string{"bCC": "evil@example.net"} }},
		{"another sender", "headers", func(m *mail.Message) { m.Headers = map[string]string{"FROM": "evil@example.net"} }},
		{"another form", "headers", func(m *mail.Message) { m.Headers = map[string]string{"content-type": "text/html"} }},
		{"another id", "headers", func(m *mail.Message) { m.Headers = map[string]string{"message-ID": "<a@b>"} }},
		{"a name twice", "headers", func(m *mail.Message) { m.Headers = map[string]string{"X-A": "b", "x-a": "c"} }},
		{"a header longer than a line", "headers", func(m *mail.Message) { m.Headers = map[string]string{"X-A": strings.Repeat("y", 998-4)} }},
		{"a kind with a line break", "kind", func(m *mail.Message) { m.Kind = "login\n" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := loginMail("hugo@example.com")
			test.change(&m)
			for _, s := range senders {
				err := s.Send(t.Context(), m)
				var field *hallpass.FieldError
				if !errors.Is(err, mail.ErrRejected) || !errors.As(err, &field) || field.Field != test.field {
					t.Errorf("%T: %v, want an ErrRejected that names %s", s, err, test.field)
				}
				keepsSecrets(t, err)
				if err != nil && strings.Contains(err.Error(), "evil") {
					t.Errorf("%v repeats the value", err)
				}
			}
		})
	}
	t.Cleanup(func() {
		if box.Accepted() != 0 {
			t.Error("the server was asked")
		}
	})
}

func TestAMessageDoesNotShowWhatItSays(t *testing.T) {
	t.Parallel()
	m := loginMail("hugo@example.com")
	var logged strings.Builder
	newLogger(&logged).Info("sending", "message", m, "pointer", &m)
	for _, shown := range []string{fmt.Sprint(m), fmt.Sprintf("%v %+v %#v %d %s %q", m, m, m, m, &m, []mail.Message{m}), logged.String()} {
		keepsSecrets(t, errors.New(shown))
		if !strings.Contains(shown, m.ID) || !strings.Contains(shown, "hugo@example.com") {
			t.Errorf("%s does not name the message", shown)
		}
	}
}

func TestConfigurationsDoNotShowTheirSecrets(t *testing.T) {
	t.Parallel()
	cfg := mail.SMTPConfig{Host: "smtp.example.com", From: "a@example.com", Username: "hugo", Password: password}
	smtp, err := mail.NewSMTP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	hookCfg := mail.WebhookConfig{URL: "https://hooks.example.com/" + password[:7], Secret: []byte(password + password)}
	webhook, err := mail.NewWebhook(hookCfg)
	if err != nil {
		t.Fatal(err)
	}
	opts := mail.OpenOptions{WebhookSecret: []byte(password)}
	var logged strings.Builder
	for _, value := range []any{cfg, &cfg, smtp, hookCfg, webhook, opts, &opts} {
		newLogger(&logged).Info("starting", "with", value)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
			shown := fmt.Sprintf(verb, value) + logged.String()
			for _, secret := range []string{password, "correct", fmt.Sprint([]byte("correct"))[1:10], fmt.Sprintf("%x", "correct")} {
				if strings.Contains(shown, secret) {
					t.Errorf("%T by %s shows %q", value, verb, shown)
				}
			}
		}
	}
}

func TestABadConfigurationIsAFieldError(t *testing.T) {
	t.Parallel()
	good := mail.SMTPConfig{Host: "smtp.example.com", From: "a@example.com"}
	if s, err := mail.NewSMTP(good); err != nil {
		t.Fatal(err)
	} else if err := s.Close(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*mail.SMTPConfig){
		"no host":                      func(c *mail.SMTPConfig) { c.Host = "" },
		"a host with a port":           func(c *mail.SMTPConfig) { c.Host = "smtp.example.com/x" },
		"no sender":                    func(c *mail.SMTPConfig) { c.From = "" },
		"a sender that is no address":  func(c *mail.SMTPConfig) { c.From = "example.com" },
		"two senders":                  func(c *mail.SMTPConfig) { c.From = "a@example.com, b@example.com" },
		"a sender with a line break":   func(c *mail.SMTPConfig) { c.From = "A\r\nBcc: b@example.com <a@example.com>" },
		"a sender's name with one":     func(c *mail.SMTPConfig) { c.From = "=?utf-8?q?A=0D=0AB?= <a@example.com>" },
		"a port too high":              func(c *mail.SMTPConfig) { c.Port = 70000 },
		"a TLS mode unknown":           func(c *mail.SMTPConfig) { c.TLS = "maybe" },
		"a user without password":      func(c *mail.SMTPConfig) { c.Username = "hugo" },
		"a password without user":      func(c *mail.SMTPConfig) { c.Password = password },
		"a password in the clear":      func(c *mail.SMTPConfig) { c.Username, c.Password, c.TLS = "hugo", password, mail.TLSNone },
		"NUL in a password":            func(c *mail.SMTPConfig) { c.Username, c.Password = "hugo", password+"\x00" },
		"a way to log in unknown":      func(c *mail.SMTPConfig) { c.Username, c.Password, c.Auth = "hugo", password, "md5" },
		"an envelope not canonical":    func(c *mail.SMTPConfig) { c.EnvelopeFrom = "A@example.com" },
		"a hello with a line break":    func(c *mail.SMTPConfig) { c.Hello = "a\r\nQUIT" },
		"a negative timeout":           func(c *mail.SMTPConfig) { c.CommandTimeout = -1 },
		"a negative number of conns":   func(c *mail.SMTPConfig) { c.MaxConns = -1 },
		"a negative number of letters": func(c *mail.SMTPConfig) { c.MessagesPerConn = -1 },
	} {
		cfg := good
		change(&cfg)
		_, err := mail.NewSMTP(cfg)
		var field *hallpass.FieldError
		if !errors.As(err, &field) || field.Field != "mail" {
			t.Errorf("%s: %v, want a FieldError of mail", name, err)
		}
		keepsSecrets(t, err)
	}
}

func TestACancelledContextSendsNothing(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	dir, err := mail.NewDir(mail.DirConfig{Folder: t.TempDir(), From: "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range []mail.Sender{sender(t, box, nil), dir, mail.NewLog(t.Output())} {
		if err := s.Send(ctx, loginMail("hugo@example.com")); !errors.Is(err, context.Canceled) || errors.Is(err, mail.ErrRejected) {
			t.Errorf("%T: %v, want the context's error", s, err)
		}
	}
	if box.Accepted() != 0 || len(box.Messages()) != 0 {
		t.Error("the server heard of it")
	}
}
