package django_test

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestAWrongExpectationIsNoDocumentedDifference: rules that covered whole vectors hid
// every difference in them, so half of all wrong counts passed for a choice.
func TestAWrongExpectationIsNoDocumentedDifference(t *testing.T) {
	t.Parallel()
	nobody := "nobody at all"
	f := readVectors(t, "testdata/vectors.json")
	f.ours = true
	for name, change := range map[string]func(last *vectorStep){
		"a count too high": func(s *vectorStep) {
			var after map[string]int64
			unmarshal(t, s.Expect.Tokens, &after)
			for id := range after {
				after[id]++
			}
			s.Expect.Tokens, _ = json.Marshal(after)
		},
		"a log row too many": func(s *vectorStep) {
			logs := *s.Expect.LogsAfter + 1
			s.Expect.LogsAfter = &logs
		},
		"a status that no view answers": func(s *vectorStep) { s.Expect.Status = 299 },
		"another user":                  func(s *vectorStep) { s.Expect.SeenUser = &nobody },
	} {
		for _, v := range f.Vectors {
			if v.Kind != "http" {
				continue
			}
			last := len(v.Steps) - 1
			v.Steps = slices.Clone(v.Steps)
			change(&v.Steps[last])
			d := runners[v.Kind](t, v)
			// A user is compared where both answer the same.
			if category := categoryOf(v, d); category != "" && (name != "another user" || d.mention(nobody)) {
				t.Errorf("%s with %s differs as %q: %v", v.ID, name, category, d)
			}
		}
	}
}

// TestAnotherVerdictIsNoDocumentedDifference turns what decoders said.
func TestAnotherVerdictIsNoDocumentedDifference(t *testing.T) {
	t.Parallel()
	f := readVectors(t, "testdata/vectors.json")
	f.ours = true
	for _, v := range f.Vectors {
		if v.Kind != "jwt-decode" && v.Kind != "signing-loads" && v.Kind != "jea-token" || v.Expect.Verdict == "server_error" || v.publishedKey() {
			continue
		}
		if v.Expect.Verdict == "valid" {
			v.Expect.Verdict = "refused"
		} else {
			v.Expect.Verdict = "valid"
		}
		if category := categoryOf(v, runners[v.Kind](t, v)); category != "" {
			t.Errorf("%s, turned, differs as %q", v.ID, category)
		}
	}
}
