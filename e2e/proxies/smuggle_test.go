package proxies_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

// upgrades checks that a WebSocket goes through and that no other protocol does.
func upgrades(t *testing.T, f *front, token string) {
	t.Helper()
	conn, err := dialFront(context.Background(), f, clientAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(waitTime))
	io.WriteString(conn, "GET /reports HTTP/1.1\r\nHost: "+host+"\r\n"+token+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, &http.Request{Method: "GET"})
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("a WebSocket: %v %v", resp, err)
	}
	io.WriteString(conn, "ping")
	heard := make([]byte, 4)
	if _, err := io.ReadFull(r, heard); err != nil || string(heard) != "ping" {
		t.Errorf("a WebSocket heard %q: %v", heard, err)
	}
	for _, headers := range [][]string{
		{"Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"},
		{"Upgrade: websocket, h2c", "Connection: Upgrade"},
		{"Upgrade: websocket", "Upgrade: h2c", "Connection: Upgrade"},
		{"Upgrade: foo", "Connection: Upgrade"},
	} {
		a := raw(t, f, "GET", "/reports", "", append(headers, token)...)
		if a.status == 101 && a.header.Get("X-Asked") != "websocket" {
			t.Errorf("%q: the application was asked to upgrade to %q", headers, a.header.Get("X-Asked"))
		} else if a.status != 101 && a.fromApp() {
			if e := a.echo(t); e.Header["Upgrade"] != nil {
				t.Errorf("%q: the application got Upgrade: %q", headers, e.Header["Upgrade"])
			}
		}
	}
}

// spoofed are headers with which a client would like to be somebody, or elsewhere.
var spoofed = []string{
	"X-Hallpass-Subject: evil", "x-hallpass-subject: evil", "X_Hallpass_Subject: evil", "X-Hallpass_Subject: evil", "X_HALLPASS-SUBJECT: evil",
	"X-Hallpass-Scope: evil", "X-Hallpass-Mode: evil", "X-Hallpass-Pass: evil", "X-Hallpass-Data: evil", "x_hallpass_data: evil",
	"X-Hallpass-Cookie: evil", "X-Hallpass-Authorization: evil",
	"X-Forwarded-Uri: /open/evil", "X-Forwarded-Method: EVIL", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: evil",
	"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Prefix: /evil", "X-Forwarded-Port: evil", "X-Forwarded-Server: evil",
	"X_Forwarded_Uri: /open/evil", "X_Forwarded_For: 6.6.6.6", "X_Request_Id: evil-evil-evil",
	"X-Request-Id: evil-evil-evil", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6;host=evil.example",
	"X-Original-URL: /open/evil", "X-Rewrite-URL: /open/evil",
}

func TestWhatAClientSaysOfItselfNeverCounts(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		for _, c := range []struct {
			target string
			want   verdict
		}{
			{"/reports", verdict{status: 401, code: "bad_signature"}},
			{"/elsewhere", verdict{status: 403, code: "not_granted"}},
			{"/open", verdict{allowed: true, status: 200}},
			{"/maybe", verdict{allowed: true, status: 200}},
		} {
			// All at once, and each by itself: one may hide what another does.
			for _, headers := range append([][]string{spoofed}, each(spoofed)...) {
				a := raw(t, f, "GET", c.target, "", append([]string{asJSON}, headers...)...)
				if got := verdictOf(t, a); got != c.want {
					t.Errorf("%s with %q: got %+v, want %+v", c.target, headers, got, c.want)
				}
				if a.fromApp() {
					noEvil(t, a.echo(t))
				}
			}
		}
		issued := w.issue(t, w.issuer, hallpass.Spec{Scope: "reports", Mode: hallpass.ModeRequest, Subject: "greta", MaxUses: 5})
		a := raw(t, f, "GET", "/reports", "", append([]string{bearer(issued.Token.Reveal())}, spoofed...)...)
		if got := verdictOf(t, a); got.subject != "greta" {
			t.Fatalf("got %+v\n%s", got, a.body)
		}
		e := a.echo(t)
		noEvil(t, e)
		if got := e.Header["X-Forwarded-For"]; !slices.Equal(got, []string{clientAddr}) {
			t.Errorf("X-Forwarded-For: %q", got)
		}
		// What a hop may drop at a client's word must not be what we say.
		for _, dropped := range []string{"X-Hallpass-Subject", "X-Forwarded-Uri", "X-Forwarded-Method, X-Forwarded-Host", "Cookie, Authorization", "X-Request-Id, X-Forwarded-For"} {
			a := raw(t, f, "GET", "/reports", "", bearer(issued.Token.Reveal()), asJSON, "Connection: close, "+dropped)
			if a.fromApp() && verdictOf(t, a).subject != "greta" {
				t.Errorf("Connection: %s: %s", dropped, a.body)
			}
		}
		for _, use := range w.uses(t, issued.Pass.ID) {
			if use.ClientIP != clientAddr {
				t.Errorf("a use is said to come from %s", use.ClientIP)
			}
		}
	})
}

func each(headers []string) (ones [][]string) {
	for _, h := range headers {
		ones = append(ones, []string{h})
	}
	return ones
}

func noEvil(t testing.TB, e echo) {
	t.Helper()
	for name, values := range e.Header {
		text := strings.ToLower(strings.Join(values, "|"))
		if strings.Contains(text, "evil") || strings.Contains(text, "6.6.6.6") {
			t.Errorf("the application got %s: %s", name, text)
		}
	}
}

// A client that chooses the request id would repeat a single use.
func TestARequestIDOfTheClientsOpensNothingTwice(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		token := bearer(w.token(t, hallpass.Spec{Scope: "reports", MaxUses: 1}))
		first := raw(t, f, "GET", "/reports", "", token, "X-Request-Id: chosen-by-the-client", asJSON)
		again := raw(t, f, "GET", "/reports", "", token, "X-Request-Id: chosen-by-the-client", asJSON)
		if !first.fromApp() || again.fromApp() || again.code() != "spent" {
			t.Errorf("first %d, then %d %s", first.status, again.status, again.body)
		}
	})
}

func TestOurTokensAndCookiesStayHere(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		token := w.token(t, hallpass.Spec{Scope: "reports", MaxUses: hallpass.Unlimited})
		cookies := "Cookie: first=1; hallpass-session=AAAAAAAAAAAAAAAAAAAAAAAAAA; hallpass-ticket=BBBBBBBBBBBBBBBBBBBBBBBBBB; hallpass-browser=CCCCCCCCCCCCCCCCCCCCCCCCCC; last=2"
		e := raw(t, f, "GET", "/reports", "", bearer(token), cookies).echo(t)
		if got := e.Header["Cookie"]; !slices.Equal(got, []string{"first=1; last=2"}) {
			t.Errorf("Cookie: %q", got)
		}
		if got := e.Header["Authorization"]; got != nil {
			t.Errorf("Authorization: %q", got)
		}
		// A header that would be empty is not sent at all.
		e = raw(t, f, "GET", "/reports", "", bearer(token), "Cookie: hallpass-browser=CCCCCCCCCCCCCCCCCCCCCCCCCC").echo(t)
		for _, name := range []string{"Cookie", "Authorization", "X-Hallpass-Data", "X-Hallpass-Subject"} {
			if got, there := e.Header[name]; there {
				t.Errorf("%s: %q", name, got)
			}
		}
		for name, values := range e.Header {
			if strings.Contains(strings.Join(values, "|"), token) {
				t.Errorf("the application got the token in %s", name)
			}
		}
		e = raw(t, f, "GET", "/maybe", "", "Authorization: Basic YTpi", "Cookie: mine=1").echo(t)
		if !slices.Equal(e.Header["Authorization"], []string{"Basic YTpi"}) || !slices.Equal(e.Header["Cookie"], []string{"mine=1"}) {
			t.Errorf("the application's own were touched: %v", e.Header)
		}
	})
}

func TestOnlyDeclaredProxiesMayAskAndSpeakForClients(t *testing.T) {
	t.Parallel()
	w := common(t)
	stranger := &front{name: "hallpass itself", addr: listenAddr(w.auth)}
	said := []string{"X-Forwarded-Method: GET", "X-Forwarded-Proto: http", "X-Forwarded-Host: " + host, "X-Forwarded-Uri: /open", "X-Forwarded-For: 127.0.0.1"}
	for _, target := range []string{"/auth/nginx", "/auth/haproxy", "/auth/forward", "/auth/page", "/auth/envoy/open"} {
		if a := raw(t, stranger, "GET", target, "", said...); a.status != 403 || a.header.Get("X-Hallpass-Cookie") != "" {
			t.Errorf("%s: %d %v %s", target, a.status, a.header, a.body)
		}
	}
	// Behind a proxy, those addresses are paths of the application, or nothing.
	through := func(f *front) {
		for _, target := range []string{"/auth/forward", "/auth/page", "/.hallpass/auth", "/.hallpass/../auth/forward", "/.hallpass/%2e%2e/auth/page", "/.hallpass/..%2fauth/page"} {
			if a := raw(t, f, "GET", target, "", append([]string{asJSON}, said...)...); a.status < 400 && a.status != 303 || a.fromApp() {
				t.Errorf("%s: %s answers %d %v %s", f.name, target, a.status, a.header, a.body)
			}
		}
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			through(w.front(t, k, k.needs(t)))
		})
	}
}
