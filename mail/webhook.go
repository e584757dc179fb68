package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// MinWebhookSecret is the shortest webhook secret, in bytes.
const MinWebhookSecret = 32

// The header fields of a webhook request.
const (
	// WebhookTimestamp is the time of sending, in seconds since 1970.
	WebhookTimestamp = "Hallpass-Timestamp"
	// WebhookSignature is "v1=" and, in hexadecimal, the HMAC-SHA256 with the secret
	// over WebhookTimestamp's value, a dot and the body.
	WebhookSignature = "Hallpass-Signature"
	// WebhookKey is the Message's ID. A repeat has the same.
	WebhookKey = "Idempotency-Key"
)

// WebhookConfig is what a Webhook needs. URL and Secret are required.
type WebhookConfig struct {
	// URL is where each message is posted. It is https, or http to this machine.
	URL string
	// Secret signs, at least MinWebhookSecret bytes.
	Secret []byte
	// RootCAs vouch for the server. Nil means the system's.
	RootCAs *x509.CertPool
	// Timeout bounds a request. Defaults to 15 s.
	Timeout time.Duration
	// Now is the clock of WebhookTimestamp. Defaults to time.Now.
	Now func() time.Time
}

// Format keeps the secret and the URL out of what is printed, whatever the verb.
func (c WebhookConfig) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[webhook]") }

func (c WebhookConfig) withDefaults() WebhookConfig {
	if c.Timeout == 0 {
		c.Timeout = 15 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// validate returns the parsed URL.
func (c WebhookConfig) validate() (*url.URL, error) {
	invalid := func(reason string) (*url.URL, error) {
		return nil, &hallpass.FieldError{Field: "mail", Reason: reason}
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return invalid("the webhook must be an https:// URL")
	case u.Scheme == "http" && !isThisMachine(u.Hostname()):
		return invalid("the webhook must be https://; http:// is for this machine only")
	case u.User != nil || strings.Contains(c.URL, "#"):
		return invalid("the webhook must have no user, password or #; its requests are signed")
	case len(c.Secret) < MinWebhookSecret:
		return invalid(fmt.Sprintf("a webhook needs a secret of at least %d bytes", MinWebhookSecret))
	case c.Timeout < 0:
		return invalid("the webhook's timeout must not be negative")
	}
	return u, nil
}

// Webhook posts each message as JSON to one URL, signed, for whoever sends by other
// means. Close it.
type Webhook struct {
	cfg    WebhookConfig
	host   string
	client *http.Client
}

// NewWebhook returns a Webhook. It connects to nothing yet. Its error is a
// *hallpass.FieldError with field "mail".
func NewWebhook(cfg WebhookConfig) (*Webhook, error) {
	cfg = cfg.withDefaults()
	u, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	cfg.Secret = bytes.Clone(cfg.Secret)
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &Webhook{cfg: cfg, host: u.Host, client: &http.Client{
		Transport: transport,
		Timeout:   cfg.Timeout,
		// A redirect would take the message to where nobody configured it to go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Format keeps the secret and the URL out of what is printed, whatever the verb.
func (h *Webhook) Format(f fmt.State, verb rune) { h.cfg.Format(f, verb) }

// Close hangs up what is not in use.
func (h *Webhook) Close() error {
	h.client.CloseIdleConnections()
	return nil
}

// webhookBody is the request's body.
type webhookBody struct {
	ID      string            `json:"id"`
	Kind    string            `json:"kind"`
	To      Address           `json:"to"`
	Subject string            `json:"subject"`
	Text    string            `json:"text"`
	Data    map[string]string `json:"data"`
}

// Send posts the message. 2xx is success; 4xx other than 408 and 429 is ErrRejected;
// anything else may be retried, and the receiver knows a repeat by its ID.
func (h *Webhook) Send(ctx context.Context, m Message) error {
	if err := m.Validate(); err != nil {
		return err
	}
	if m.Data == nil {
		m.Data = map[string]string{}
	}
	body, err := json.Marshal(webhookBody{m.ID, m.Kind, m.To, m.Subject, m.Text, m.Data})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("mail: the webhook's URL makes no request")
	}
	timestamp := strconv.FormatInt(h.cfg.Now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "hallpass")
	request.Header.Set(WebhookTimestamp, timestamp)
	request.Header.Set(WebhookSignature, "v1="+signWebhook(h.cfg.Secret, timestamp, body))
	request.Header.Set(WebhookKey, m.ID)
	response, err := h.client.Do(request)
	if err != nil {
		return fmt.Errorf("mail: webhook %s: %w", h.host, withoutURL(err))
	}
	defer response.Body.Close()
	// What it says is of no interest; read to the end, it leaves the connection
	// usable.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 16<<10))
	switch code := response.StatusCode; {
	case code >= 200 && code <= 299:
		return nil
	case code >= 400 && code <= 499 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return fmt.Errorf("%w: webhook %s answered %d", ErrRejected, h.host, code)
	default:
		return fmt.Errorf("mail: webhook %s answered %d", h.host, code)
	}
}

// withoutURL is the cause alone: paths and queries of webhooks tend to hold keys.
func withoutURL(err error) error {
	var whole *url.Error
	if errors.As(err, &whole) {
		return whole.Err
	}
	return err
}
