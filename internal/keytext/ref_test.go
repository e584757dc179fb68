package keytext_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/keytext"
)

func TestReadRefReadsAFileLessOneLineBreak(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ content, want string }{
		"no line break":                {"secret", "secret"},
		"one line break":               {"secret\n", "secret"},
		"one Windows line break":       {"secret\r\n", "secret"},
		"two line breaks, one is kept": {"secret\n\n", "secret\n"},
		"a lone carriage return":       {"secret\r", "secret\r"},
		"other white space":            {" secret \n", " secret "},
		"an empty file":                {"", ""},
		"the longest key":              {strings.Repeat("k", keytext.MaxSize) + "\r\n", strings.Repeat("k", keytext.MaxSize)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(row.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := keytext.ReadRef("@" + path)
			if err != nil || got != row.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestReadRefTakesOtherTextAsItIs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "secret", "secret\n", " @file", "a@b"} {
		if got, err := keytext.ReadRef(text); err != nil || got != text {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}

func TestReadRefRefusesWithoutRepeatingWhatItWasGiven(t *testing.T) {
	t.Parallel()
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, []byte(strings.Repeat("k", keytext.MaxSize+3)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, ref := range map[string]string{
		"nothing after the @":                      "@",
		"a file that does not exist":               "@hunter2-is-my-secret",
		"a secret that no file name can be":        "@hunter2-is-my-secret\x00",
		"a folder":                                 "@" + t.TempDir(),
		"a file that is too large to hold one key": "@" + large,
	} {
		_, err := keytext.ReadRef(ref)
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if len(ref) > 1 && strings.Contains(err.Error(), ref[1:]) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error repeats it: %v", name, err)
		}
	}
	if _, err := keytext.ReadRef("@hunter2-is-my-secret"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}
