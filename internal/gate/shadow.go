package gate

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass/internal/sessions"
)

// Shadow is a rule that no request ever reaches.
type Shadow struct {
	// Rule is its place in the list, from 0.
	Rule int
	// By are the rules before it that take all it could match: one, where one does
	// so alone.
	By []int
	// Same says that the one matches exactly what this one would.
	Same bool
}

// Shadows returns the rules that can never match, in order. What a rule matches is
// asked of the rules themselves: for each, a sample request of every kind that they
// tell apart is put to those before it. The rules must be good (Check).
func (rs Rules) Shadows(baseURL string) (found []Shadow) {
	base, err := url.Parse(baseURL)
	if err != nil {
		return nil
	}
	baseHost, _ := sessions.CanonicalHost(base.Host)
	for i, r := range rs {
		by, hidden := r.hiddenBehind(rs[:i], baseHost)
		if !hidden {
			continue
		}
		s := Shadow{Rule: i, By: by}
		for _, one := range by {
			if _, alone := r.hiddenBehind(rs[one:one+1], baseHost); alone {
				_, same := rs[one].hiddenBehind(Rules{r}, baseHost)
				s.By, s.Same = []int{one}, same
				break
			}
		}
		found = append(found, s)
	}
	return found
}

// hiddenBehind reports whether earlier rules take every request that r matches, and
// which of them do.
func (r Rule) hiddenBehind(earlier Rules, baseHost string) (by []int, hidden bool) {
	all := append(slices.Clone(earlier), r)
	word := all.unusedWord()
	for _, host := range all.sampleHosts(baseHost, word) {
		if !r.matchesHost(baseHost, host) {
			continue
		}
		onHost := all.only(func(o Rule) bool { return o.matchesHost(baseHost, host) })
		for _, method := range onHost.sampleMethods(word) {
			if !r.matchesMethod(method) {
				continue
			}
			withMethod := onHost.only(func(o Rule) bool { return o.matchesMethod(method) })
			for _, path := range withMethod.samplePaths(word) {
				if !r.matchesPath(path) {
					continue
				}
				first := slices.IndexFunc(earlier, func(o Rule) bool { return o.matches(baseHost, host, method, path) })
				if first < 0 {
					return nil, false
				}
				by = append(by, first)
			}
		}
	}
	slices.Sort(by)
	return slices.Compact(by), true
}

func (rs Rules) only(keep func(Rule) bool) Rules {
	return slices.DeleteFunc(slices.Clone(rs), func(r Rule) bool { return !keep(r) })
}

// unusedWord is what stands in none of the rules, for samples that none of them
// names.
func (rs Rules) unusedWord() string {
	word := "x"
	for slices.ContainsFunc(rs, func(r Rule) bool {
		return strings.Contains(strings.ToLower(r.Host+" "+r.Path+" "+strings.Join(r.Methods, " ")), word)
	}) {
		word += "x"
	}
	return word
}

// sampleHosts has each host that a rule names, and one more below each wildcard.
func (rs Rules) sampleHosts(baseHost, word string) (hosts []string) {
	for _, r := range rs {
		if below, wild := strings.CutPrefix(r.Host, "*"); wild {
			hosts = append(hosts, word+strings.ToLower(below))
			continue
		}
		hosts = append(hosts, cmp.Or(strings.ToLower(r.Host), baseHost))
	}
	return distinct(hosts)
}

// sampleMethods has each method that a rule names, HEAD, which GET takes along, and
// one more.
func (rs Rules) sampleMethods(word string) []string {
	methods := []string{strings.ToUpper(word), http.MethodHead}
	for _, r := range rs {
		methods = append(methods, r.Methods...)
	}
	return distinct(methods)
}

// samplePaths has each path that a rule names, and one more below each.
func (rs Rules) samplePaths(word string) (paths []string) {
	for _, r := range rs {
		path := strings.TrimPrefix(r.Path, "=")
		paths = append(paths, cmp.Or(path, "/"), strings.TrimSuffix(path, "/")+"/"+word)
	}
	return distinct(paths)
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
