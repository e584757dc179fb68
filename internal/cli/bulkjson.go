package cli

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass/internal/strictjson"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// jsonLines is a file with one JSON object a line. What an object holds beside
// the fields of a request comes back as it was.
type jsonLines struct {
	in       *bufio.Scanner
	out      *bufio.Writer
	defaults wire.Request
	number   int
}

func newJSONLines(in io.Reader, out io.Writer, defaults wire.Request, before int) *jsonLines {
	l := &jsonLines{in: bufio.NewScanner(in), out: bufio.NewWriterSize(out, 64<<10), defaults: defaults, number: before}
	l.in.Buffer(make([]byte, 64<<10), maxLine)
	return l
}

// answered are the names the answer adds. A line that has them already would lose
// something; the base URL is the one that is meant to be replaced.
var answered = []string{"id", "token"}

func (l *jsonLines) read() (bulkLine, error) {
	for l.in.Scan() {
		l.number++
		text := strings.TrimSpace(l.in.Text())
		if text == "" {
			continue
		}
		line := bulkLine{number: l.number, request: l.defaults, text: text}
		line.err = fill(&line.request, text)
		return line, nil
	}
	if errors.Is(l.in.Err(), bufio.ErrTooLong) {
		return bulkLine{}, fieldError("from", "line %d is longer than %d bytes", l.number+1, maxLine)
	}
	if err := l.in.Err(); err != nil {
		return bulkLine{}, fieldError("from", "cannot be read: %v", err)
	}
	return bulkLine{}, io.EOF
}

// fill sets the fields an object names.
func fill(r *wire.Request, text string) error {
	err := strictjson.Members(text, func(name string, v strictjson.Value) error {
		switch {
		case wire.IsRequestField(name):
			return r.SetJSON(name, v)
		case isAnswered(name):
			return fieldError(name, "is what the answer adds; give yours another name")
		}
		return checkCarried(name)
	})
	if errors.Is(err, strictjson.ErrSyntax) {
		return fieldError("line", "must be one JSON object without duplicate names")
	}
	return err
}

// stated are names by which a pass is shown. In a request they would say nothing,
// where somebody who writes them means a limit.
var stated = []string{"expires_at", "issued_at", "revoked_at", "used", "uses_left", "state", "recorded", "key"}

// checkCarried refuses a name that would be carried through although it was meant
// for us: a misspelt limit that is ignored makes a pass wider than it should be.
func checkCarried(name string) error {
	if slices.Contains(stated, name) {
		return fieldError(name, "says nothing about a pass to be made; for its end give ttl")
	}
	if near, ok := nearest(strings.ToLower(strings.ReplaceAll(name, "-", "_")), wire.RequestFields()); ok {
		return fieldError(name, "is no field; did you mean %q? If it is yours to carry through, give it another name", near)
	}
	return nil
}

func isAnswered(name string) bool {
	for _, a := range answered {
		if name == a {
			return true
		}
	}
	return false
}

func (l *jsonLines) write(line bulkLine, issued wire.Issued, problem *wire.Problem) error {
	if problem != nil {
		return wire.Write(l.out, map[string]any{"line": line.number, "error": problem})
	}
	return writeObject(l.out, line.text, issued)
}

// writeObject writes an object with id, token and url put in, and the rest of it
// as it stood there.
func writeObject(out io.Writer, text string, issued wire.Issued) error {
	var b bytes.Buffer
	b.WriteByte('{')
	err := strictjson.Members(text, func(name string, v strictjson.Value) error {
		if name == "url" && issued.URL != "" {
			return nil
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.Write(strictjson.AppendString(nil, name))
		b.WriteByte(':')
		b.WriteString(v.Raw)
		return nil
	})
	if err != nil {
		return err
	}
	added, err := wire.Marshal(struct {
		ID    string `json:"id"`
		Token string `json:"token"`
		URL   string `json:"url,omitempty"`
	}{issued.ID, issued.Token, issued.URL})
	if err != nil {
		return err
	}
	if b.Len() > 1 {
		b.WriteByte(',')
	}
	b.Write(added[1:])
	b.WriteByte('\n')
	_, err = out.Write(b.Bytes())
	return err
}

func (l *jsonLines) flush() error { return l.out.Flush() }
