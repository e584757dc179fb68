package gate

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hallpass-go/hallpass"
)

func withVisit(r *http.Request, v *visit) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
}

// buffer is an answer that waits to be passed on.
type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header { return b.header }

func (b *buffer) WriteHeader(status int) {
	if b.status == 0 && status >= 200 {
		b.status = status
	}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

func (b *buffer) copyTo(w http.ResponseWriter, status int) {
	for name, values := range b.header {
		w.Header()[name] = values
	}
	if status == 0 {
		status = http.StatusForbidden
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.body.Bytes())
}

// Proxy is the protected application itself, for those who have no other proxy:
// requests that are let in go to upstream, WebSockets and streams included. The
// X-Request-Id is the server's around it, which never leaves a stranger's there.
func (g *Gate) Proxy(upstream *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(upstream)
			pr.Out.Host = pr.In.Host
			g.introduce(pr)
		},
		Transport:    upstreamTransport(),
		BufferPool:   &bufferPool{},
		ErrorHandler: g.upstreamFailed,
		ModifyResponse: func(resp *http.Response) error {
			if who, _ := resp.Request.Context().Value(identityKey{}).(identity); who.link {
				// The guard's own stand already, and must not be one of two.
				resp.Header.Del("Referrer-Policy")
				resp.Header.Del("Cache-Control")
			}
			return nil
		},
	}
	steps := g.Steps()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == g.cfg.Prefix || strings.HasPrefix(r.URL.Path, g.cfg.Prefix+"/") {
			steps.ServeHTTP(w, r)
			return
		}
		in := r.Clone(r.Context())
		in.RemoteAddr = r.RemoteAddr
		if addr := g.clients.Of(r); addr.IsValid() {
			in.RemoteAddr = hostPort(addr.String())
		}
		g.serve(w, in, &visit{allow: func(w http.ResponseWriter, r *http.Request, who identity) {
			if token := r.URL.Query().Get(hallpass.DefaultParam); token != "" && g.isOurs(r.Context(), token) {
				// A public rule looks at no token, but the application must not see one.
				r.URL.RawQuery = strings.TrimPrefix(hallpass.WithoutToken("?"+r.URL.RawQuery, hallpass.DefaultParam), "?")
			}
			proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, who)))
		}})
	})
}

type identityKey struct{}

// introduce writes the headers that tell the application who it is. It runs after
// what the client's Connection header names was removed, so that no client can
// have ours dropped.
func (g *Gate) introduce(pr *httputil.ProxyRequest) {
	who, _ := pr.In.Context().Value(identityKey{}).(identity)
	h := pr.Out.Header
	for name := range h {
		if isClaim(name) {
			delete(h, name)
		}
	}
	g.cfg.Identity.clear(h)
	for _, pair := range g.cfg.Identity.values(who) {
		if pair[1] != "" {
			h.Set(pair[0], pair[1])
		}
	}
	if from := h.Get("Referer"); from != "" {
		h.Set("Referer", hallpass.WithoutToken(from, hallpass.DefaultParam))
	}
	setOrDelete(h, "Cookie", g.withoutOurs(pr.In.Header["Cookie"]))
	setOrDelete(h, "Authorization", authorizationFor(pr.In.Header, who))
	pr.SetXForwarded()
	if g.secure {
		h.Set("X-Forwarded-Proto", "https")
	}
	// After "Upgrade: h2c" the application would take requests that nobody asked
	// about; of all protocols only WebSockets are known not to.
	if !strings.EqualFold(h.Get("Upgrade"), "websocket") {
		h.Del("Upgrade")
		h.Del("Connection")
	}
}

// isClaim reports whether a header says something that only a proxy may say, or
// is an application's other spelling of such a one.
func isClaim(name string) bool {
	switch plain := plainName(name); plain {
	case "forwarded", "x-real-ip", "x-original-url", "x-rewrite-url":
		return true
	case "x-request-id":
		return name != "X-Request-Id"
	default:
		return strings.HasPrefix(plain, "x-forwarded-")
	}
}

func setOrDelete(h http.Header, name, value string) {
	if value == "" {
		h.Del(name)
		return
	}
	h.Set(name, value)
}

func hostPort(addr string) string {
	if strings.Contains(addr, ":") {
		return "[" + addr + "]:0"
	}
	return addr + ":0"
}

func upstreamTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil // the application is where we were told, not where the environment says
	t.MaxIdleConnsPerHost = 256
	t.MaxIdleConns = 1024
	t.ResponseHeaderTimeout = 2 * time.Minute
	t.DisableCompression = true
	return t
}

// upstreamFailed answers for an application that does not. The guard gives a
// counted use back, because no byte of an answer has left.
func (g *Gate) upstreamFailed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return
	}
	g.cfg.Logger.Error("the application did not answer", "error", err)
	w.Header().Set("Retry-After", "5")
	http.Error(w, "The application behind this door does not answer. Nothing was used up; try again in a moment.", http.StatusBadGateway)
}

// bufferPool lends the buffers that answers are copied through.
type bufferPool struct{ pool sync.Pool } // of *[]byte

const bufferSize = 32 << 10

func (b *bufferPool) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, bufferSize)
}

func (b *bufferPool) Put(buffer []byte) { b.pool.Put(&buffer) }
