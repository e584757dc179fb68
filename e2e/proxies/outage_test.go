package proxies_test

import (
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
)

func TestWithoutItsStoreNobodyIsLetInAndTheClientLearnsWhy(t *testing.T) {
	own := func(t testing.TB) *world { return ownWorld(t) }
	through(t, own, func(t *testing.T, w *world, f *front) {
		issued := w.issue(t, w.issuer, hallpass.Spec{Scope: "reports", MaxUses: 2})
		token := bearer(issued.Token.Reveal())
		session := w.token(t, hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo"})
		b := newBrowser(t, f)
		to := moved(t, b.press(t, b.open(t, "/home?rt="+session)))

		w.store.down.Store(true)
		if a := raw(t, f, "GET", "/reports", "", token, asJSON); a.status != 503 || a.code() != "unavailable" || a.header.Get("Retry-After") == "" {
			t.Errorf("a token: %d %v %s", a.status, a.header, a.body)
		}
		if a := b.open(t, to); a.status != 503 || !strings.Contains(a.body, "<html") {
			t.Errorf("a session: %d %v %s", a.status, a.header, a.body)
		}
		if a := raw(t, f, "GET", "/open", ""); !a.fromApp() {
			t.Errorf("a public path needs no store: %d", a.status)
		}
		w.store.down.Store(false)
		if a := raw(t, f, "GET", "/reports", "", token); !a.fromApp() {
			t.Errorf("a token, afterwards: %d %s", a.status, a.body)
		}
		if a := b.open(t, to); !a.fromApp() {
			t.Errorf("a session, afterwards: %d", a.status)
		}
		if uses := w.uses(t, issued.Pass.ID); len(uses) != 1 {
			t.Errorf("uses: %+v", uses)
		}
	})
}

func TestWithoutHallpassNobodyIsLetIn(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			binary := k.needs(t)
			w := ownWorld(t)
			f := w.front(t, k, binary)
			token := bearer(w.token(t, hallpass.Spec{Scope: "reports", MaxUses: hallpass.Unlimited}))
			if a := raw(t, f, "GET", "/reports", "", token); !a.fromApp() {
				t.Fatalf("with hallpass: %d", a.status)
			}
			w.auth.CloseClientConnections()
			w.auth.Close()
			for _, target := range []string{"/reports", "/open", "/.hallpass/confirm"} {
				if a := raw(t, f, "GET", target, "", token); a.fromApp() || a.status < 500 {
					t.Errorf("%s: %d %v %s", target, a.status, a.header, a.body)
				}
			}
		})
	}
}
