package strictjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/strictjson"
)

func TestValid(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	rows := []struct {
		name, text string
		want       bool
	}{
		{"an empty object", `{}`, true},
		{"space around parts", " { \"a\" : [ 1 , 2.5e-3 , -0 ] } \n", true},
		{"escapes", `"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`, true},
		{"the same name in two objects", `{"a":{"x":1},"b":{"x":1}}`, true},
		{"names that differ in case", `{"a":1,"A":2}`, true},
		{"thirty-two levels", deep(32), true},
		{"thirty-three levels", deep(33), false},
		{"a duplicate name", `{"a":1,"a":2}`, false},
		{"a duplicate name behind an escape", `{"a":1,"\u0061":2}`, false},
		{"a duplicate name inside", `{"d":{"a":1,"a":1}}`, false},
		{"a duplicate name inside an array", `[{"a":1,"a":1}]`, false},
		{"trailing data", `{} {}`, false},
		{"nothing", ``, false},
		{"a lone high surrogate", `"\ud83d"`, false},
		{"a lone low surrogate", `"\ude00"`, false},
		{"a surrogate pair the wrong way round", `"\ude00\ud83d"`, false},
		{"invalid UTF-8", "\"\xff\"", false},
		{"a raw control character", "\"\n\"", false},
		{"a leading zero", `01`, false},
		{"a plus sign", `+1`, false},
		{"a bare point", `1.`, false},
		{"NaN", `NaN`, false},
		{"a trailing comma", `[1,]`, false},
		{"a cut-off escape", `"\u00`, false},
		{"a cut-off string", `"abc`, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := strictjson.Valid(row.text); got != row.want {
				t.Errorf("Valid(%q) = %v, want %v", row.text, got, row.want)
			}
		})
	}
}

func TestMembersStopsAtTheVisitorsError(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	var names []string
	err := strictjson.Members(`{"a":1,"b":2,"c":3}`, func(name string, _ strictjson.Value) error {
		names = append(names, name)
		if name == "b" {
			return mine
		}
		return nil
	})
	if !errors.Is(err, mine) || strings.Join(names, "") != "ab" {
		t.Errorf("visited %v, error %v", names, err)
	}
}

func TestAMegabyteOfMembersIsBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteByte('{')
	for i := range 100_000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + `":0`)
	}
	b.WriteByte('}')
	if strictjson.Valid(b.String()) {
		t.Error("a huge object passed")
	}
}

// FuzzAgainstEncodingJSON holds the scanner against the standard library: what
// it accepts, the standard library accepts with the same meaning.
func FuzzAgainstEncodingJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,true,null,"x\u00e9"]}`, `"\ud83d\ude00"`, `-1.5e+10`, `{"a":1,"a":2}`, `[[[]]]`, ` {"":{}} `} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !strictjson.Valid(text) {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("accepted %q, which is not JSON", text)
		}
		compact := strictjson.Compact(text)
		if !strictjson.Valid(compact) {
			t.Fatalf("compacting broke %q: %q", text, compact)
		}
		_ = strictjson.Members(text, func(name string, v strictjson.Value) error {
			s, ok := v.Text()
			if !ok {
				return nil
			}
			var want string
			if err := json.Unmarshal([]byte(v.Raw), &want); err != nil || want != s {
				t.Fatalf("%s read as %q, want %q (%v)", v.Raw, s, want, err)
			}
			var back string
			if err := json.Unmarshal(strictjson.AppendString(nil, s), &back); err != nil || back != s {
				t.Fatalf("%q written and read back as %q (%v)", s, back, err)
			}
			return nil
		})
	})
}
