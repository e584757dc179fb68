package mail

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
)

// failed says at which step of a conversation what went wrong. A server that was
// told a secret, the message or the password, is not quoted: filters like to repeat
// the links that they object to.
func (c *smtpConn) failed(ctx context.Context, step string, err error, secret bool) error {
	var reply *textproto.Error
	var nonsense textproto.ProtocolError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("mail: %s: %s: %w", c.server, step, context.Cause(ctx))
	case errors.As(err, &reply):
		return fmt.Errorf("mail: %s answered %s with %s", c.server, step, quoteReply(reply, secret))
	case errors.As(err, &nonsense):
		return fmt.Errorf("mail: %s answered %s with something that is not SMTP", c.server, step)
	}
	return fmt.Errorf("mail: %s: %s: %w", c.server, step, err)
}

// maxQuote is how much of a server's words an error repeats.
const maxQuote = 200

// quoteReply returns the code, the enhanced code (RFC 3463) if there is one, and the
// words unless they may hold a secret.
func quoteReply(reply *textproto.Error, secret bool) string {
	code := fmt.Sprintf("%03d", reply.Code)
	first, rest, _ := strings.Cut(reply.Msg, " ")
	if isEnhancedCode(first) {
		code += " " + first
	} else {
		rest = reply.Msg
	}
	if secret || rest == "" {
		return code
	}
	words := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, rest)
	if len(words) > maxQuote {
		words = words[:maxQuote] + " ..."
	}
	return code + " " + words
}

func isEnhancedCode(s string) bool {
	class, rest, _ := strings.Cut(s, ".")
	subject, detail, found := strings.Cut(rest, ".")
	return found && (class == "4" || class == "5") && isShortNumber(subject) && isShortNumber(detail)
}

func isShortNumber(s string) bool {
	return s != "" && len(s) <= 3 && strings.Trim(s, "0123456789") == ""
}
