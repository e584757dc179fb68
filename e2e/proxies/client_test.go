package proxies_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   string
}

// fromApp reports whether the application was reached.
func (a answer) fromApp() bool { return a.header.Get("X-App") == "yes" }

// echo is what the application received.
func (a answer) echo(t testing.TB) echo {
	t.Helper()
	if !a.fromApp() {
		t.Fatalf("the application was not reached: %d %v\n%s", a.status, a.header, a.body)
	}
	var e echo
	if err := json.Unmarshal([]byte(a.body), &e); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return e
}

// code is that of a problem document, or empty.
func (a answer) code() string {
	var p struct{ Code string }
	if a.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(a.body), &p) != nil {
		return ""
	}
	return p.Code
}

func dialFront(ctx context.Context, f *front, from string) (net.Conn, error) {
	d := net.Dialer{Timeout: waitTime, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return d.DialContext(ctx, "tcp", f.addr)
}

// raw sends a request whose every byte is the test's choice and reads the answer.
// Headers come as lines. It has no body unless headers and body say so.
func raw(t testing.TB, f *front, method, target, body string, headers ...string) answer {
	t.Helper()
	lines := append([]string{method + " " + target + " HTTP/1.1"}, headers...)
	if !hasHeader(headers, "host") {
		lines = append(lines, "Host: "+host)
	}
	if !hasHeader(headers, "connection") {
		lines = append(lines, "Connection: close")
	}
	a, err := exchange(f, strings.Join(lines, "\r\n")+"\r\n\r\n"+body, method)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return a
}

func hasHeader(headers []string, name string) bool {
	for _, h := range headers {
		if n, _, _ := strings.Cut(h, ":"); strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func exchange(f *front, request, method string) (answer, error) {
	return exchangeFrom(f, clientAddr, request, method)
}

func exchangeFrom(f *front, from, request, method string) (answer, error) {
	conn, err := dialFront(context.Background(), f, from)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(waitTime))
	if _, err := io.WriteString(conn, request); err != nil {
		return answer{}, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return answer{}, err
	}
	return read(resp)
}

func read(resp *http.Response) (answer, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

// browser has cookies and does not follow redirects by itself.
type browser struct {
	f   *front
	c   *http.Client
	jar *cookiejar.Jar
}

func newBrowser(t testing.TB, f *front) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialFront(ctx, f, clientAddr) },
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{f, &http.Client{
		Jar: jar, Transport: transport, Timeout: waitTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, jar}
}

func (b *browser) try(method, target, body string, headers ...string) (answer, error) {
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	resp, err := b.c.Do(req)
	if err != nil {
		return answer{}, err
	}
	return read(resp)
}

func (b *browser) do(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	a, err := b.try(method, target, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var navigation = []string{
	"Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: none",
}

// open goes to a page as a person does.
func (b *browser) open(t testing.TB, path string) answer {
	t.Helper()
	return b.do(t, "GET", "http://"+host+path, "", navigation...)
}

var (
	formPattern   = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"`)
	hiddenPattern = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// press presses the one button of a page.
func (b *browser) press(t testing.TB, page answer) answer {
	t.Helper()
	a, err := b.tryPress(page)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *browser) tryPress(page answer) (answer, error) { return b.tryPressAt("http://"+host, page) }

func (b *browser) tryPressAt(from string, page answer) (answer, error) {
	to := formPattern.FindStringSubmatch(page.body)
	if to == nil {
		return answer{}, fmt.Errorf("no button on the page: %d %v\n%s", page.status, page.header, page.body)
	}
	form := url.Values{}
	for _, h := range hiddenPattern.FindAllStringSubmatch(page.body, -1) {
		form.Set(h[1], h[2])
	}
	target, err := url.Parse(from)
	if err != nil {
		return answer{}, err
	}
	if target, err = target.Parse(strings.ReplaceAll(to[1], "&amp;", "&")); err != nil {
		return answer{}, err
	}
	return b.try("POST", target.String(), form.Encode(), "Content-Type: application/x-www-form-urlencoded", "Accept: text/html",
		"Origin: null", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
}

// moved checks a 303 and returns the path and query it leads to.
func moved(t testing.TB, a answer) string {
	t.Helper()
	u, err := url.Parse(a.header.Get("Location"))
	if a.status != http.StatusSeeOther || err != nil || u.Host != "" && u.Host != host || u.RequestURI() == "" {
		t.Fatalf("no redirect on this host: %d to %q\n%s", a.status, a.header.Get("Location"), a.body)
	}
	return u.RequestURI()
}
