// Package hallpassclient calls a hallpass server over HTTP. It takes and gives back
// the types of package hallpass, and its errors: a Refusal for the token that was
// asked about, *FieldError, ErrNotFound, ErrConflict and ErrUnavailable. What is
// wrong with the client's own token is a *CallerError.
//
//	c, err := hallpassclient.New(hallpassclient.Config{URL: "https://pass.example", Token: hallpass.NewToken(token)})
//	use, err := c.Redeem(ctx, hallpass.Presentation{Token: presented, Scope: "report"})
package hallpassclient

import (
	"bytes"
	"context"
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
	"github.com/hallpass-go/hallpass/internal/wire"
)

// maxAnswer bounds what is read of an answer: a page of 1,000 full passes.
const maxAnswer = 128 << 20

// Config is what a Client needs. URL and Token are required.
type Config struct {
	// URL is where the API is, with its prefix, such as "https://pass.example".
	// Required.
	URL string
	// Token is a pass for the scope hallpass:api. Required.
	Token hallpass.Token
	// Timeout bounds each try; IssueAll, which streams, has none but its context.
	// Defaults to 10 seconds.
	Timeout time.Duration
	// Retries is how often a call is tried again when no answer came and trying
	// again can do no harm. Defaults to 2; negative means never.
	Retries int
	// Transport makes the requests. Defaults to http.DefaultTransport.
	Transport http.RoundTripper
}

// Client calls a server. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client
}

// New returns a Client. Its errors are *hallpass.FieldError and name the Config
// field.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return nil, &hallpass.FieldError{Field: "url", Reason: "must be where the API is, such as https://pass.example"}
	case cfg.Token.IsZero():
		return nil, &hallpass.FieldError{Field: "token", Reason: "is required: a pass for the scope " + string(hallpass.ScopeAPI)}
	case cfg.Timeout < 0:
		return nil, &hallpass.FieldError{Field: "timeout", Reason: "must not be negative"}
	}
	cfg.URL = strings.TrimSuffix(cfg.URL, "/")
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Retries == 0 {
		cfg.Retries = 2
	}
	return &Client{cfg, &http.Client{
		Transport: cfg.Transport,
		// Somewhere else is not where the token was meant to go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// call is one request and where its answer goes.
type call struct {
	method, path string
	query        url.Values
	body         any // JSON; nil for none
	form         url.Values
	header       http.Header
	repeatable   bool // trying again can do no harm
	out          any  // nil discards the answer
	etag         *string
}

// do makes the call, again where that is safe and no answer came.
func (c *Client) do(ctx context.Context, call call) error {
	var body []byte
	switch {
	case call.form != nil:
		body = []byte(call.form.Encode())
	case call.body != nil:
		var err error
		if body, err = wire.Marshal(call.body); err != nil {
			return &hallpass.FieldError{Field: "data", Reason: "is no JSON"}
		}
	}
	for try := 0; ; try++ {
		wait, err := c.try(ctx, call, body)
		if err == nil || wait < 0 || !call.repeatable || try >= c.cfg.Retries {
			return err
		}
		timer := time.NewTimer(max(wait, 100*time.Millisecond<<(2*try)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

// maxWait is the longest that a server's Retry-After is waited for.
const maxWait = 5 * time.Second

// try makes the call once. With an error, a negative wait says that another try
// would end the same.
func (c *Client) try(ctx context.Context, call call, body []byte) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	r, err := c.request(ctx, call, bytes.NewReader(body))
	if err != nil {
		return -1, err
	}
	response, err := c.http.Do(r)
	if err != nil {
		return 0, unreachable(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, unreachable(err)
	}
	if response.StatusCode >= 300 {
		err := errorOf(response, text)
		if !errors.Is(err, hallpass.ErrUnavailable) || errors.As(err, new(*CallerError)) {
			return -1, err
		}
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		return min(time.Duration(max(seconds, 0))*time.Second, maxWait), err
	}
	if call.etag != nil {
		*call.etag = response.Header.Get("ETag")
	}
	if call.out == nil {
		return 0, nil
	}
	if err := json.Unmarshal(text, call.out); err != nil {
		return -1, fmt.Errorf("%w: the answer is not one of hallpass's", hallpass.ErrUnavailable)
	}
	return 0, nil
}

func (c *Client) request(ctx context.Context, call call, body io.Reader) (*http.Request, error) {
	target := c.cfg.URL + call.path
	if len(call.query) > 0 {
		target += "?" + call.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, call.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("hallpassclient: %w", err)
	}
	for name, values := range call.header {
		r.Header[name] = values
	}
	switch {
	case call.form != nil:
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case call.body != nil:
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.cfg.Token.Reveal())
	return r, nil
}
