package mail_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

var hookSecret = []byte("a secret of at least thirty-two bytes")

// hook returns a Webhook that posts to the handler.
func hook(t testing.TB, handler http.HandlerFunc, change func(*mail.WebhookConfig)) (*mail.Webhook, *httptest.Server) {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	cfg := mail.WebhookConfig{URL: server.URL + "/hook?key=sesame", Secret: hookSecret, RootCAs: roots}
	if change != nil {
		change(&cfg)
	}
	h, err := mail.NewWebhook(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h, server
}

func TestAWebhookGetsTheMessageSigned(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	var got map[string]any
	var key string
	h, _ := hook(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := mail.VerifyWebhook(r, hookSecret, now.Add(mail.WebhookTolerance))
		if err != nil || r.Method != http.MethodPost || r.URL.String() != "/hook?key=sesame" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %s: %v", r.Method, r.URL, r.Header.Get("Content-Type"), err)
		}
		key = r.Header.Get("Idempotency-Key")
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
	}, func(c *mail.WebhookConfig) { c.Now = func() time.Time { return now } })
	m := loginMail("hugo@example.com")
	if err := h.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": m.ID, "kind": "login", "to": "hugo@example.com", "subject": m.Subject, "text": m.Text,
		"data": map[string]any{"code": code, "link": link, "language": "en"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the body differs (-want +got):\n%s", diff)
	}
	if key != m.ID {
		t.Errorf("the idempotency key is %q, want %q", key, m.ID)
	}
	m.Data = nil
	if err := h.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{}, got["data"]); diff != "" {
		t.Errorf("no data should be an empty object: %s", diff)
	}
}

func TestAWebhooksAnswerSaysWhetherARetryHelps(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		200: "ok", 201: "ok", 204: "ok", 299: "ok",
		301: "retry", 302: "retry", 307: "retry", 308: "retry", 408: "retry", 429: "retry", 500: "retry", 502: "retry", 503: "retry", 504: "retry",
		400: "rejected", 401: "rejected", 403: "rejected", 404: "rejected", 410: "rejected", 422: "rejected",
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			h, _ := hook(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
				if status >= 300 {
					_, _ = w.Write(body) // the answer repeats the secrets
				}
			}, nil)
			err := h.Send(t.Context(), loginMail("hugo@example.com"))
			keepsSecrets(t, err)
			if err != nil && strings.Contains(err.Error(), "sesame") {
				t.Errorf("%v repeats the URL", err)
			}
			got := map[bool]string{true: "ok", false: "retry"}[err == nil]
			if errors.Is(err, mail.ErrRejected) {
				got = "rejected"
			}
			if got != want || requests.Load() != 1 {
				t.Errorf("%v after %d requests; want %s after 1", err, requests.Load(), want)
			}
		})
	}
}

func TestAWebhookThatIsNotThereOrSlowMayBeRetried(t *testing.T) {
	t.Parallel()
	stuck := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server would not see the client go
		<-r.Context().Done()
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}
	slow, _ := hook(t, stuck, func(c *mail.WebhookConfig) { c.Timeout = 50 * time.Millisecond })
	patient, _ := hook(t, stuck, nil)
	strange, _ := hook(t, stuck, func(c *mail.WebhookConfig) { c.RootCAs = x509.NewCertPool() })
	gone, server := hook(t, stuck, nil)
	server.Close()
	talkative, _ := hook(t, endless, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for name, send := range map[string]func() error{
		"slow":              func() error { return slow.Send(t.Context(), loginMail("hugo@example.com")) },
		"the context ended": func() error { return patient.Send(ctx, loginMail("hugo@example.com")) },
		"not vouched for":   func() error { return strange.Send(t.Context(), loginMail("hugo@example.com")) },
		"gone":              func() error { return gone.Send(t.Context(), loginMail("hugo@example.com")) },
	} {
		err := send()
		if err == nil || errors.Is(err, mail.ErrRejected) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v, want an error that may be retried and does not repeat the URL", name, err)
		}
		keepsSecrets(t, err)
		if name == "the context ended" && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := talkative.Send(t.Context(), loginMail("hugo@example.com")); err != nil {
		t.Errorf("an answer without end: %v", err)
	}
}

func TestABadWebhookConfigurationIsAFieldError(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "hook", "https://", "http://hooks.example.com/x", "ftp://localhost/", "https:hooks", "https://user:sesame@hooks.example.com/",
		"https://hooks.example.com/#sesame", "https://hooks.example.com:port/sesame",
	} {
		_, err := mail.NewWebhook(mail.WebhookConfig{URL: url, Secret: hookSecret})
		var field *hallpass.FieldError
		if !errors.As(err, &field) || field.Field != "mail" || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%q: %v, want a FieldError of mail that does not repeat it", url, err)
		}
	}
	for _, url := range []string{"https://hooks.example.com/x", "http://localhost:8080/x", "http://127.0.0.1/", "http://[::1]:80/"} {
		if _, err := mail.NewWebhook(mail.WebhookConfig{URL: url, Secret: hookSecret}); err != nil {
			t.Errorf("%q: %v", url, err)
		}
		if _, err := mail.NewWebhook(mail.WebhookConfig{URL: url, Secret: hookSecret[:31]}); err == nil {
			t.Errorf("%q: a secret of 31 bytes was taken", url)
		}
	}
}

func TestOnlyWhatWasSignedRecentlyWithTheSecretIsVerified(t *testing.T) {
	t.Parallel()
	// The signature was computed with openssl:
	//	printf '1795370400.{"id":"a"}' | openssl dgst -sha256 -hmac 'a secret of at least thirty-two bytes'
	const body, signature = `{"id":"a"}`, "f01fc4d7e69cc2fe01675655c3c0933bf6384b54e3572e7e35fc1b1bf96625cb"
	now := time.Unix(1795370400, 0)
	for _, test := range []struct {
		name   string
		change func(*http.Request)
		after  time.Duration
		fine   bool
	}{
		{"as it was sent", func(*http.Request) {}, 0, true},
		{"just in time", func(*http.Request) {}, mail.WebhookTolerance, true},
		{"from a clock ahead", func(*http.Request) {}, -mail.WebhookTolerance, true},
		{"too late", func(*http.Request) {}, mail.WebhookTolerance + time.Second, false},
		{"too early", func(*http.Request) {}, -mail.WebhookTolerance - time.Second, false},
		{"another body", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(body + " ")) }, 0, false},
		{"no body", func(r *http.Request) { r.Body = nil }, 0, false},
		{"another time", func(r *http.Request) { r.Header.Set(mail.WebhookTimestamp, "1795370401") }, 0, false},
		{"the time spelt otherwise", func(r *http.Request) { r.Header.Set(mail.WebhookTimestamp, "+1795370400") }, 0, false},
		{"a time beyond numbers", func(r *http.Request) { r.Header.Set(mail.WebhookTimestamp, "9223372036854775808") }, 0, false},
		{"a time that overflows", func(r *http.Request) { r.Header.Set(mail.WebhookTimestamp, "-9223372036854775808") }, 0, false},
		{"no time", func(r *http.Request) { r.Header.Del(mail.WebhookTimestamp) }, 0, false},
		{"two times", func(r *http.Request) { r.Header.Add(mail.WebhookTimestamp, "1795370400") }, 0, false},
		{"no signature", func(r *http.Request) { r.Header.Del(mail.WebhookSignature) }, 0, false},
		{"two signatures", func(r *http.Request) { r.Header.Add(mail.WebhookSignature, "v1="+signature) }, 0, false},
		{"an empty signature", func(r *http.Request) { r.Header.Set(mail.WebhookSignature, "v1=") }, 0, false},
		{"a version unknown", func(r *http.Request) { r.Header.Set(mail.WebhookSignature, "v0="+signature) }, 0, false},
		{"the signature in capitals", func(r *http.Request) { r.Header.Set(mail.WebhookSignature, "v1="+strings.ToUpper(signature)) }, 0, false},
		{"one bit", func(r *http.Request) { r.Header.Set(mail.WebhookSignature, "v1="+signature[:63]+"x") }, 0, false},
		{"endless", func(r *http.Request) { r.Body = io.NopCloser(bytes.NewReader(make([]byte, 9<<20))) }, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
			r.Header.Set(mail.WebhookTimestamp, "1795370400")
			r.Header.Set(mail.WebhookSignature, "v1="+signature)
			test.change(r)
			got, err := mail.VerifyWebhook(r, hookSecret, now.Add(test.after))
			if test.fine && (err != nil || string(got) != body) || !test.fine && (!errors.Is(err, mail.ErrWebhookSignature) || got != nil) {
				t.Errorf("VerifyWebhook = %q, %v; want it fine: %v", got, err, test.fine)
			}
		})
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	var field *hallpass.FieldError
	if _, err := mail.VerifyWebhook(r, hookSecret[:31], now); !errors.As(err, &field) || field.Field != "secret" {
		t.Errorf("a short secret: %v, want a FieldError of secret", err)
	}
}
