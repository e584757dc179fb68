package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// client is a browser without scripts: cookies of its own, and forms.
type client struct{ http *http.Client }

// answer is what came back.
type answer struct {
	status int
	body   string
	header http.Header
}

func newClient() *client {
	jar, _ := cookiejar.New(nil) // fails for options only
	return &client{&http.Client{
		Jar: jar, Timeout: 60 * time.Second, Transport: &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// close gives the connections back.
func (c *client) close() { c.http.CloseIdleConnections() }

func (c *client) do(method, target, body string, headers ...string) (answer, error) {
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.http.Do(req)
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		return answer{}, wrapped.Err // without its URL, which has a token
	}
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return answer{resp.StatusCode, string(text), resp.Header}, err
}

// open goes to a page.
func (c *client) open(target string) (answer, error) {
	return c.do(http.MethodGet, target, "", "Accept", "text/html")
}

var (
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]*)"`)
	formHidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// press presses the one button of a page that was opened at from.
func (c *client) press(from string, page answer) (answer, error) {
	action := formAction.FindStringSubmatch(page.body)
	if action == nil {
		return answer{}, fmt.Errorf("no button to press (status %d)", page.status)
	}
	base, err := url.Parse(from)
	if err != nil {
		return answer{}, err
	}
	target, err := base.Parse(html.UnescapeString(action[1]))
	if err != nil {
		return answer{}, err
	}
	form := url.Values{}
	for _, hidden := range formHidden.FindAllStringSubmatch(page.body, -1) {
		form.Set(hidden[1], html.UnescapeString(hidden[2]))
	}
	return c.do(http.MethodPost, target.String(), form.Encode(), "Accept", "text/html", "Origin", "null")
}

// links asks a demo for fresh ones.
func (d *demo) links(t testing.TB) map[string]string {
	t.Helper()
	c := newClient()
	defer c.close()
	got, err := c.do(http.MethodGet, d.URL+"/links.json", "")
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("/links.json: status %d, %v", got.status, err)
	}
	links := map[string]string{}
	if err := json.Unmarshal([]byte(got.body), &links); err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		said.secret(link)
	}
	return links
}

func mustURL(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
