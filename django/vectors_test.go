package django_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/internal/needs"
)

// vectorFile holds what the real packages made and decided.
type vectorFile struct {
	Keys    map[string]vectorKey
	DBs     map[string]vectorDB
	Vectors []vector

	// ours says that docs/django.md lists its differences.
	ours bool
}

type vectorKey struct {
	Alg, Secret, B64 string
	SigningKeyEnv    string `json:"signing_key_env"`
}

// text is the key as hallpass is given it.
func (k vectorKey) text() string {
	if k.SigningKeyEnv != "" {
		return k.SigningKeyEnv
	}
	return k.Secret
}

type vectorDB struct {
	Users []struct {
		ID       int64
		Username string
		IsActive *bool `json:"is_active"`
	}
	Tokens     []vectorRow
	SiteDomain string `json:"site_domain"`
}

type vectorRow struct {
	ID            int64
	Mode, Scope   string
	User          *string
	Exp, NBF, IAT *float64
	MaxUses       int64 `json:"max_uses"`
	Used          int64
	Data          json.RawMessage
	TargetURL     *string `json:"target_url"`
}

type vector struct {
	ID, Category, Name, System, Version, Kind string
	Now                                       json.Number
	Key                                       string
	CipherKey                                 string `json:"cipher_key"`
	Token                                     string
	DB                                        json.RawMessage
	Input                                     json.RawMessage
	Config                                    vectorConfig
	Flow                                      flowConfig `json:"-"` // the rest of Config
	TokenClass                                string     `json:"token_class"`
	Request                                   vectorRequest
	Steps                                     []vectorStep
	Expect                                    vectorExpect
	Quirk                                     *string

	file *vectorFile
}

type vectorConfig struct {
	Leeway         float64           `json:"LEEWAY"`
	NotBefore      *float64          `json:"NOT_BEFORE_TIME"`
	Issuer         string            `json:"ISSUER"`
	Audience       string            `json:"AUDIENCE"`
	ExpectedClaims []string          `json:"EXPECTED_CLAIMS"`
	Rotate         bool              `json:"ROTATE_REFRESH_TOKENS"`
	CipherKey      string            `json:"CIPHER_KEY"`
	Headers        map[string]string `json:"EXTRA_HEADERS"`
	AccessTTL      float64           `json:"ACCESS_TOKEN_LIFETIME"`
	RefreshTTL     float64           `json:"REFRESH_TOKEN_LIFETIME"`
}

type vectorRequest struct {
	Method, Target string
	Headers        map[string]string
	Body           string
	BodyBase64     string          `json:"body_base64"`
	ContentType    string          `json:"content_type"`
	AsUser         json.RawMessage `json:"as_user"`
	DT             float64
}

type vectorStep struct {
	Request vectorRequest
	DT      float64
	Expect  struct {
		Status    int
		SeenUser  *string         `json:"seen_user"`
		SeenData  json.RawMessage `json:"seen_data"`
		LogsAfter *int            `json:"logs_after"`
		// Of a jea-flow:
		Body         json.RawMessage
		CodesSent    int             `json:"codes_sent"`
		RotationRows int             `json:"rotation_rows"`
		Tokens       json.RawMessage `json:"tokens_after"`
		LastLog      *struct {
			ClientIP   string `json:"client_ip"`
			StatusCode int    `json:"status_code"`
		} `json:"last_log"`
	}
}

type vectorExpect struct {
	Verdict    string
	Claims     json.RawMessage
	Token, URL string
	ViewStatus int  `json:"http_status_required_view"`
	Status     int  `json:"http_status"`
	User       *any `json:"user"`
	Recipient  any
}

func (v vector) now(t testing.TB) time.Time {
	t.Helper()
	r, ok := new(big.Rat).SetString(v.Now.String())
	if !ok {
		t.Fatalf("%s: now %q", v.ID, v.Now)
	}
	micros := new(big.Rat).Mul(r, big.NewRat(1e6, 1))
	return time.UnixMicro(new(big.Int).Quo(micros.Num(), micros.Denom()).Int64()).UTC()
}

func (v vector) key(t testing.TB) django.Key {
	t.Helper()
	key, err := django.ParseKey(v.file.Keys[v.Key].text())
	if err != nil {
		t.Fatalf("%s: %v", v.ID, err)
	}
	return key
}

func (v vector) db(t testing.TB) vectorDB {
	t.Helper()
	var name string
	if json.Unmarshal(v.DB, &name) == nil {
		return v.file.DBs[name]
	}
	var db vectorDB
	if err := json.Unmarshal(v.DB, &db); err != nil {
		t.Fatalf("%s: db: %v", v.ID, err)
	}
	return db
}

// differences are what does not match, in words; none is a match.
type differences []string

func (d *differences) want(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		*d = append(*d, fmt.Sprintf("%s is %v, not %v", what, got, want))
	}
}

// wantJSON compares values; numbers by what they are, not by how they are written.
func (d *differences) wantJSON(what string, got, want json.RawMessage) {
	if !sameJSON(got, want) {
		*d = append(*d, fmt.Sprintf("%s is %s, not %s", what, got, want))
	}
}

func sameJSON(a, b json.RawMessage) bool {
	x, err := decodeJSON(a)
	y, err2 := decodeJSON(b)
	return err == nil && err2 == nil && reflect.DeepEqual(x, y)
}

func decodeJSON(text json.RawMessage) (any, error) {
	if len(text) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return canonical(v), err
}

func canonical(v any) any {
	switch v := v.(type) {
	case json.Number:
		if r, ok := new(big.Rat).SetString(v.String()); ok {
			return r.RatString()
		}
	case []any:
		for i := range v {
			v[i] = canonical(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = canonical(v[name])
		}
	}
	return v
}

// runners judge one vector each.
var runners = map[string]func(t *testing.T, v vector) differences{
	"jwt-decode":    try(runRequestTokenDecode),
	"jwt-encode":    try(runRequestTokenEncode),
	"http":          try(runHTTP),
	"tokenise":      try(runTokenise),
	"signing-loads": try(runSigningLoads),
	"signing-dumps": try(runSigningDumps),
	"dts-auth":      try(runScopedAuth),
	"jea-token":     try(runEmailAuthToken),
	"jea-issue":     try(runEmailAuthIssue),
	"jea-flow":      try(runEmailAuthFlow),
}

func readVectors(t testing.TB, name string) *vectorFile {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var f vectorFile
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var again struct {
		Vectors []struct{ Config flowConfig }
	}
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for i := range f.Vectors {
		f.Vectors[i].file, f.Vectors[i].Flow = &f, again.Vectors[i].Config
	}
	return &f
}

// TestVectors runs what the real packages made and decided, from testdata and from
// the file that HALLPASS_VECTORS names. A difference must be one that docs/django.md
// lists, and what it lists must differ.
func TestVectors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	extra := needs.Vectors(t)
	if extra != "" {
		files = append(files, extra)
	}
	listed := readDifferences(t)
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			f := readVectors(t, name)
			f.ours = name != extra
			runVectors(t, f, listed)
		})
	}
}

type tally struct{ matched, differ, failed int }

func runVectors(t *testing.T, f *vectorFile, listed listedDifferences) {
	tallies := map[string]*tally{}
	found := listedDifferences{}
	for _, v := range f.Vectors {
		count := tallies[v.Kind]
		if count == nil {
			count = &tally{}
			tallies[v.Kind] = count
		}
		run := runners[v.Kind]
		if run == nil {
			count.failed++
			t.Errorf("%s: nothing runs vectors of kind %q", v.ID, v.Kind)
			continue
		}
		diff := run(t, v)
		if len(diff) == 0 {
			count.matched++
			continue
		}
		category := categoryOf(v, diff)
		switch {
		case category == "":
			count.failed++
			t.Errorf("%s (%s): %s", v.ID, v.Name, strings.Join(diff, "; "))
		case categoryOf(v.inOtherWords(), diff) != category:
			count.failed++
			t.Errorf("%s differs as %q, and as another in other words", v.ID, category)
		case listed[category] == nil:
			count.failed++
			t.Errorf("%s differs as %q, which docs/django.md does not list: %s", v.ID, category, strings.Join(diff, "; "))
		default:
			count.differ++
			found[category] = append(found[category], v.ID)
		}
	}
	for _, kind := range slices.Sorted(mapsKeys(tallies)) {
		n := tallies[kind]
		line := fmt.Sprintf("%s: %d matched, %d differ by a documented choice, %d failed", kind, n.matched, n.differ, n.failed)
		t.Log(line)
	}
	if f.ours {
		listed.check(t, found)
	}
}

// inOtherWords is the same vector with other names and texts for people: no rule may
// depend on those.
func (v vector) inOtherWords() vector {
	v.ID, v.Category, v.Name = "other", "other", "other"
	if v.Quirk != nil {
		text := "other"
		v.Quirk = &text
	}
	return v
}

func mapsKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// mention reports whether one of the differences ends with a text.
func (d differences) mention(text string) bool {
	return slices.ContainsFunc(d, func(one string) bool { return strings.HasSuffix(one, text) })
}
