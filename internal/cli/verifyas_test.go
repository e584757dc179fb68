package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math/big"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/internal/cli"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// decodeVector is what a package's own decoder said to a token; see package django.
type decodeVector struct {
	ID, Kind, Key, Token string
	CipherKey            string `json:"cipher_key"`
	TokenClass           string `json:"token_class"`
	Now                  json.Number
	Input                struct {
		Salt   string
		MaxAge *float64 `json:"max_age"`
	}
	Config struct {
		Leeway   float64 `json:"LEEWAY"`
		Issuer   string  `json:"ISSUER"`
		Audience string  `json:"AUDIENCE"`
		// No flag says these.
		NotBefore      *float64 `json:"NOT_BEFORE_TIME"`
		ExpectedClaims []string `json:"EXPECTED_CLAIMS"`
		Rotate         bool     `json:"ROTATE_REFRESH_TOKENS"`
	}
	Expect struct {
		Verdict string
		Claims  json.RawMessage
	}
}

// args are the flags for a vector; false where no flags say what it is about.
func (v decodeVector) args(t *testing.T) ([]string, bool) {
	seconds := func(s float64) string {
		return time.Duration(s * float64(time.Second)).String()
	}
	now, err := strconv.ParseFloat(v.Now.String(), 64)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--at", time.UnixMicro(int64(now * 1e6)).UTC().Format(time.RFC3339Nano)}
	switch v.Kind {
	case "jwt-decode":
		return append(args, "--as", "django-request-token"), true
	case "signing-loads":
		args = append(args, "--as", "django-signing")
		if v.Input.Salt != "" {
			args = append(args, "--salt", v.Input.Salt)
		}
		if v.Input.MaxAge != nil {
			args = append(args, "--max-age="+seconds(*v.Input.MaxAge))
		}
		return args, true
	case "jea-token":
		args = append(args, "--as", "jwt-email-auth", "--type", strings.ToLower(strings.TrimSuffix(v.TokenClass, "Token")))
		if v.Config.Leeway != 0 {
			args = append(args, "--leeway", seconds(v.Config.Leeway))
		}
		if v.Config.Issuer != "" {
			args = append(args, "--issuer", v.Config.Issuer)
		}
		if v.Config.Audience != "" {
			args = append(args, "--audience", v.Config.Audience)
		}
		return args, v.Config.NotBefore == nil && len(v.Config.ExpectedClaims) == 0 && !v.Config.Rotate
	}
	return nil, false
}

// TestVerifyAsSaysWhatThePackagesSay runs the vectors of package django through the
// command line.
func TestVerifyAsSaysWhatThePackagesSay(t *testing.T) {
	t.Parallel()
	const own = "../../django/testdata/vectors.json"
	names := []string{own}
	if extra := needs.Vectors(t); extra != "" {
		names = append(names, extra)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Keys map[string]struct {
				Secret, B64   string
				SigningKeyEnv string `json:"signing_key_env"`
			}
			Vectors []decodeVector
		}
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		ran := 0
		for _, v := range file.Vectors {
			if !slices.Contains([]string{"jwt-decode", "signing-loads", "jea-token"}, v.Kind) {
				continue
			}
			args, expressible := v.args(t)
			if !expressible {
				continue
			}
			key := file.Keys[v.Key]
			keyText := key.Secret + key.SigningKeyEnv
			args = append(args, "--key="+keyText)
			if v.CipherKey != "" {
				args = append(args, "--cipher-key="+file.Keys[v.CipherKey].B64)
			}
			ran++
			if _, err := django.ParseKey(keyText); err != nil { // it is published
				code, out := runCLI(append(args, "--", v.Token)...)
				if code != wire.ExitInvalid || out != "" {
					t.Errorf("%s: %v: exit %d, %s", v.ID, err, code, out)
				}
				continue
			}
			checkVerdict(t, v, args)
		}
		if name == own && ran < 150 {
			t.Errorf("only %d vectors ran", ran)
		}
	}
}

func checkVerdict(t *testing.T, v decodeVector, args []string) {
	t.Helper()
	code, out := runCLI(append(args, "--", v.Token)...)
	var verdict struct {
		Valid  bool
		Reason string
		Claims json.RawMessage
	}
	if err := json.Unmarshal([]byte(out), &verdict); err != nil {
		t.Errorf("%s: exit %d, %v in %q", v.ID, code, err, out)
		return
	}
	valid := v.Expect.Verdict == "valid" // what the package fails on is refused
	switch {
	case valid != verdict.Valid, valid != (code == wire.ExitDone), !valid && (code != wire.ExitRefused || verdict.Reason == ""):
		t.Errorf("%s: exit %d, %s, want %s", v.ID, code, out, v.Expect.Verdict)
	case valid && !reflect.DeepEqual(numbers(t, verdict.Claims), numbers(t, v.Expect.Claims)):
		t.Errorf("%s: claims %s, want %s", v.ID, verdict.Claims, v.Expect.Claims)
	}
}

func runCLI(args ...string) (int, string) {
	var out, errs bytes.Buffer
	code := cli.Main(context.Background(), append([]string{"--json", "verify"}, args...), strings.NewReader(""), &out, &errs, nil)
	return code, out.String()
}

// numbers decodes JSON with numbers by what they are, not by how they are written.
func numbers(t *testing.T, text json.RawMessage) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case json.Number:
			if r, ok := new(big.Rat).SetString(v.String()); ok {
				return r.RatString()
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for name := range v {
				v[name] = walk(v[name])
			}
		}
		return v
	}
	return walk(v)
}
