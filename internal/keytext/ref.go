package keytext

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// ReadRef resolves the value of a --key option: "@file" is the content of that
// file less one trailing line break (\n or \r\n), anything else is the key
// text itself.
//
// The error leaves the file name out, as it may be a secret that happens to
// begin with @. It wraps the cause, so that errors.Is finds fs.ErrNotExist.
func ReadRef(ref string) (string, error) {
	name, isFile := strings.CutPrefix(ref, "@")
	if !isFile {
		return ref, nil
	}
	if name == "" {
		return "", errors.New("there is no file name after the @")
	}
	text, err := readKeyFile(name)
	if err != nil {
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = failed.Err
		}
		return "", fmt.Errorf("the key file named after the @ cannot be read: %w", err)
	}
	if cut, ok := strings.CutSuffix(text, "\n"); ok {
		text = strings.TrimSuffix(cut, "\r")
	}
	return text, nil
}

func readKeyFile(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	// Two bytes more than Parse takes, for the line break.
	text, err := io.ReadAll(io.LimitReader(file, MaxSize+3))
	if err != nil {
		return "", err
	}
	if len(text) > MaxSize+2 {
		return "", errSize
	}
	return string(text), nil
}
