package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestASessionBeginsWithANewID fixes a session id before the sign-in and expects
// it to be worthless afterwards.
func TestASessionBeginsWithANewID(t *testing.T) {
	t.Parallel()
	server, links := serve(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(base, []*http.Cookie{{Name: "session", Value: "fixed-by-somebody-else"}})
	client := &http.Client{Jar: jar}

	page := get(t, client, links["/account"])
	action := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(page)
	if action == nil {
		t.Fatalf("no button on the page:\n%s", page)
	}
	form := hiddenFields(page)
	resp, err := client.PostForm(server.URL+strings.ReplaceAll(action[1], "&amp;", "&"), form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body := read(t, resp); body != "signed in as hugo\n" {
		t.Errorf("after the sign-in: %q", body)
	}
	for _, c := range jar.Cookies(base) {
		if c.Value == "fixed-by-somebody-else" {
			t.Error("the session kept the id it was given before")
		}
	}
	if body := get(t, &http.Client{}, server.URL+"/account"); strings.Contains(body, "signed in") {
		t.Error("a stranger is signed in")
	}
}

// serve starts the example and returns it with its links.
func serve(t *testing.T) (*httptest.Server, map[string]string) {
	t.Helper()
	var site http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	handler, links, err := newSite(context.Background(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	site = handler
	return server, links
}

func hiddenFields(page string) url.Values {
	form := url.Values{}
	for _, hidden := range regexp.MustCompile(`type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		form.Set(hidden[1], hidden[2])
	}
	return form
}

func get(t *testing.T, c *http.Client, target string) string {
	t.Helper()
	resp, err := c.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return read(t, resp)
}

func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestADoubleClickKeepsTheSession: the repeated answer once lacked the cookie that
// scs sets while the header is written, and browsers keep the second answer.
func TestADoubleClickKeepsTheSession(t *testing.T) {
	t.Parallel()
	server, links := serve(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page := get(t, client, links["/account"])
	form := hiddenFields(page)
	var cookies []string
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	before := jar.Cookies(base) // both presses come from the page as it stood
	for range 2 {
		req, err := http.NewRequest(http.MethodPost, server.URL+"/account?_hallpass=confirm", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range before {
			req.AddCookie(c)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		for _, c := range resp.Cookies() {
			if c.Name == "session" {
				cookies = append(cookies, c.Value)
			}
		}
	}
	if len(cookies) != 2 || cookies[0] != cookies[1] {
		t.Errorf("the two answers set %q, want the same session twice", cookies)
	}
}
