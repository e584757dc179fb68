package mail_test

import (
	"testing"

	"github.com/hallpass-go/hallpass/internal/mailbox"
	"github.com/hallpass-go/hallpass/mail"
)

// BenchmarkSend compares kept connections with dialling for each mail, to a server
// on this machine; over a network the difference grows with its delay.
func BenchmarkSend(b *testing.B) {
	for _, bench := range []struct {
		name    string
		server  *mailbox.Options
		mode    mail.TLSMode
		perConn int
	}{
		{"pooled", nil, mail.TLSNone, 1 << 30},
		{"dialled", nil, mail.TLSNone, 1},
		{"pooled, STARTTLS", &mailbox.Options{StartTLS: true}, mail.TLSStartTLS, 1 << 30},
		{"dialled, STARTTLS", &mailbox.Options{StartTLS: true}, mail.TLSStartTLS, 1},
	} {
		b.Run(bench.name, func(b *testing.B) {
			box := mailbox.Start(b, bench.server)
			s := sender(b, box, func(c *mail.SMTPConfig) { c.TLS, c.MessagesPerConn = bench.mode, bench.perConn })
			for b.Loop() {
				if err := s.Send(b.Context(), loginMail("hugo@example.com")); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}
