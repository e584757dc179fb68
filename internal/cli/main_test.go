package cli_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/cli"
)

// countingReader says how much was read.
type countingReader struct {
	strings.Reader
	read int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.read += n
	return n, err
}

func TestAMegabyteByStandardInputIsBounded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{".", "..", "a.", "rt=", "https://x/?rt=", "%", " ", "\x00"} {
		in := &countingReader{Reader: *strings.NewReader(strings.Repeat(text, 1<<20))}
		var stdout, stderr bytes.Buffer
		began := time.Now()
		code := cli.Main(t.Context(), []string{"verify", "--json", "--as", "pass", "--key", "a secret that only this test suite uses!", "-"}, in, &stdout, &stderr, nil)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%q took %s", text, took)
		}
		if code != 1 || !strings.Contains(stdout.String(), `"valid":false`) {
			t.Errorf("%q: exit code %d, %s%s", text, code, &stdout, &stderr)
		}
		if in.read > 1<<17 {
			t.Errorf("%q: %d bytes were read", text, in.read)
		}
	}
}
