package mail

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

const (
	// WebhookTolerance is how far the sender's and the receiver's clocks may lie
	// apart, and for how long somebody who recorded a request could repeat it.
	WebhookTolerance = 5 * time.Minute
	// maxWebhookBody bounds what VerifyWebhook reads. JSON can make six bytes of
	// one.
	maxWebhookBody = 8 << 20
)

// ErrWebhookSignature means that a request was not signed with the secret, or not
// recently.
var ErrWebhookSignature = errors.New("mail: the webhook's signature is not valid")

// VerifyWebhook is for who receives a Webhook's requests: it reads the body to its
// end and returns it if it was signed with the secret within WebhookTolerance of
// now. The "id" in it tells a repeat; the Idempotency-Key header says the same, but
// is not signed.
//
// A request that is not authentic is ErrWebhookSignature; a secret that is too short
// a *hallpass.FieldError with field "secret"; else the body could not be read.
func VerifyWebhook(r *http.Request, secret []byte, now time.Time) (body []byte, err error) {
	if len(secret) < MinWebhookSecret {
		return nil, &hallpass.FieldError{Field: "secret", Reason: fmt.Sprintf("must have at least %d bytes", MinWebhookSecret)}
	}
	timestamps, signatures := r.Header.Values(WebhookTimestamp), r.Header.Values(WebhookSignature)
	if len(timestamps) != 1 || len(signatures) != 1 || r.Body == nil {
		return nil, ErrWebhookSignature
	}
	seconds, err := strconv.ParseInt(timestamps[0], 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != timestamps[0] {
		return nil, ErrWebhookSignature
	}
	// Compared as seconds: a time far away would overflow a Duration.
	if apart := now.Unix() - seconds; apart > int64(WebhookTolerance/time.Second) || apart < -int64(WebhookTolerance/time.Second) {
		return nil, ErrWebhookSignature
	}
	given, found := strings.CutPrefix(signatures[0], "v1=")
	if !found {
		return nil, ErrWebhookSignature
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, maxWebhookBody+1))
	if err != nil {
		return nil, fmt.Errorf("mail: reading the webhook's body: %w", err)
	}
	if len(body) > maxWebhookBody || !hmac.Equal([]byte(signWebhook(secret, timestamps[0], body)), []byte(given)) {
		return nil, ErrWebhookSignature
	}
	return body, nil
}

func signWebhook(secret []byte, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = io.WriteString(mac, timestamp+".")
	_, _ = mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
