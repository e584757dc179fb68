package gate_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
)

const shadowBase = "https://app.example.com:8443"

func TestRulesThatCanNeverMatchAreFound(t *testing.T) {
	t.Parallel()
	get, post := []string{"GET"}, []string{"POST"}
	for _, c := range []struct {
		name  string
		rules gate.Rules
		want  []gate.Shadow
	}{
		{"behind one for everything", gate.Rules{{}, {Path: "/a"}}, []gate.Shadow{{Rule: 1, By: []int{0}}}},
		{"not the other way round", gate.Rules{{Path: "/a"}, {}}, nil},
		{"behind the path above it", gate.Rules{{Path: "/a"}, {Path: "/a/b"}, {Path: "=/a/c"}},
			[]gate.Shadow{{Rule: 1, By: []int{0}}, {Rule: 2, By: []int{0}}}},
		{"not behind a path that is longer without a slash", gate.Rules{{Path: "/a"}, {Path: "/ab"}}, nil},
		{"not behind the exact path", gate.Rules{{Path: "=/a"}, {Path: "/a"}}, nil},
		{"an exact path behind itself as a prefix", gate.Rules{{Path: "/a"}, {Path: "=/a"}}, []gate.Shadow{{Rule: 1, By: []int{0}}}},
		{"a final slash is narrower", gate.Rules{{Path: "/a"}, {Path: "/a/"}}, []gate.Shadow{{Rule: 1, By: []int{0}}}},
		{"and no slash is wider", gate.Rules{{Path: "/a/"}, {Path: "/a"}}, nil},
		{"by the path and what is below it together", gate.Rules{{Path: "=/a"}, {Path: "/a/"}, {Path: "/a"}},
			[]gate.Shadow{{Rule: 2, By: []int{0, 1}}}},
		{"nothing and a slash are the same path", gate.Rules{{Path: "/"}, {}}, []gate.Shadow{{Rule: 1, By: []int{0}, Same: true}}},

		{"the same twice, with another access", gate.Rules{{Path: "/a", Access: gate.AccessPublic}, {Path: "/a", Access: gate.AccessLogin}},
			[]gate.Shadow{{Rule: 1, By: []int{0}, Same: true}}},
		{"each repetition names the first", gate.Rules{{Path: "/a"}, {Path: "/a"}, {Path: "/a"}},
			[]gate.Shadow{{Rule: 1, By: []int{0}, Same: true}, {Rule: 2, By: []int{0}, Same: true}}},
		{"methods in another order are the same", gate.Rules{{Methods: []string{"GET", "POST"}}, {Methods: []string{"POST", "GET"}}},
			[]gate.Shadow{{Rule: 1, By: []int{0}, Same: true}}},

		{"HEAD behind GET", gate.Rules{{Methods: get}, {Methods: []string{"HEAD"}}}, []gate.Shadow{{Rule: 1, By: []int{0}}}},
		{"but GET not behind HEAD", gate.Rules{{Methods: []string{"HEAD"}}, {Methods: get}}, nil},
		{"any method not behind some", gate.Rules{{Methods: []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}}, {}}, nil},
		{"two methods behind one rule each", gate.Rules{{Methods: get}, {Methods: post}, {Methods: []string{"POST", "GET"}, Path: "/a"}},
			[]gate.Shadow{{Rule: 2, By: []int{0, 1}}}},
		{"methods and paths that leave a corner", gate.Rules{{Methods: get}, {Path: "/a"}, {Path: "/b"}}, nil},

		{"the host of the base URL by name", gate.Rules{{}, {Host: "APP.example.com"}}, []gate.Shadow{{Rule: 1, By: []int{0}, Same: true}}},
		{"a host below a wildcard", gate.Rules{{Host: "*.example.com"}, {}, {Host: "a.b.example.com"}, {Host: "*.b.Example.com"}},
			[]gate.Shadow{{Rule: 1, By: []int{0}}, {Rule: 2, By: []int{0}}, {Rule: 3, By: []int{0}}}},
		{"not the name of the wildcard itself", gate.Rules{{Host: "*.example.com"}, {Host: "example.com"}, {Host: "badexample.com"}}, nil},
		{"not a wildcard behind names below it", gate.Rules{{Host: "*.a.example.com"}, {Host: "b.example.com"}, {Host: "*.example.com"}}, nil},
		{"other hosts do not meet", gate.Rules{{Host: "a.example.com"}, {Host: "b.example.com", Path: "/x"}}, nil},
		{"one rule alone is named before several together", gate.Rules{{Path: "=/a/b"}, {Path: "/a"}, {Path: "/a/b"}},
			[]gate.Shadow{{Rule: 2, By: []int{1}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, c.rules.Shadows(shadowBase)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever Shadows says, a gate with the rules is the judge: one rule in turn is
// for everybody, all others for passes, and every request of a grid is sent.
func TestTheGateAgreesWithWhatIsSaidOfShadows(t *testing.T) {
	t.Parallel()
	hosts := []string{"", "*.example.com", "a.example.com", "127.0.0.1"}
	paths := []string{"", "/a", "=/a", "/a/", "/a/b", "=/a/b"}
	methods := [][]string{nil, {"GET"}, {"HEAD", "POST"}}
	var all gate.Rules
	for _, host := range hosts {
		for _, path := range paths {
			for _, method := range methods {
				all = append(all, gate.Rule{Host: host, Path: path, Methods: method, Scope: "reports"})
			}
		}
	}
	grid := gridOf([]string{"127.0.0.1", "a.example.com", "z.example.com"}, []string{"/", "/z", "/a", "/a/", "/a/z", "/a/b", "/a/b/z"})
	g := newFront(t).gate
	for seed := range 60 {
		rules := gate.Rules{all[seed*7%len(all)], all[seed*31%len(all)], all[(seed*13+5)%len(all)]}
		shadowed := map[int]bool{}
		for _, s := range rules.Shadows("http://127.0.0.1") {
			shadowed[s.Rule] = true
		}
		for i := range rules {
			open := append(gate.Rules(nil), rules...)
			open[i].Access, open[i].Scope = gate.AccessPublic, ""
			if err := g.SetRules(open); err != nil {
				t.Fatal(err)
			}
			if reached := answersAny(g, grid); reached == shadowed[i] {
				t.Errorf("%+v: rule %d is said to be shadowed: %v, and was reached: %v", rules, i, shadowed[i], reached)
			}
		}
	}
}

func gridOf(hosts, paths []string) (grid []*http.Request) {
	for _, host := range hosts {
		for _, path := range paths {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT"} {
				r := httptest.NewRequest(method, "/auth/nginx", nil)
				r.RemoteAddr = "127.0.0.1:1"
				for name, value := range map[string]string{"Method": method, "Host": host, "Uri": path} {
					r.Header.Set("X-Forwarded-"+name, value)
				}
				grid = append(grid, r)
			}
		}
	}
	return grid
}

func answersAny(g *gate.Gate, grid []*http.Request) bool {
	for _, r := range grid {
		w := httptest.NewRecorder()
		if g.Auth().ServeHTTP(w, r); w.Code == http.StatusNoContent {
			return true
		}
	}
	return false
}

func TestManyRulesAreLookedThroughInAMoment(t *testing.T) {
	t.Parallel()
	var rules gate.Rules
	for range 300 {
		rules = append(rules, gate.Rule{Path: "/" + strings.Repeat("p", len(rules)+1), Scope: hallpass.Scope("s")})
	}
	rules = append(rules, gate.Rule{}, gate.Rule{Path: "/q"})
	if diff := cmp.Diff([]gate.Shadow{{Rule: 301, By: []int{300}}}, rules.Shadows(shadowBase)); diff != "" {
		t.Error(diff)
	}
}
