package cli

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/hallpass-go/hallpass/internal/bulk"
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
	l.in.Buffer(make([]byte, 64<<10), bulk.MaxLine)
	return l
}

func (l *jsonLines) read() (bulk.Line, error) {
	for l.in.Scan() {
		l.number++
		text := strings.TrimSpace(l.in.Text())
		if text == "" {
			continue
		}
		line := bulk.Line{Number: l.number, Request: l.defaults, Text: text}
		line.Err = fill(&line.Request, text)
		return line, nil
	}
	if errors.Is(l.in.Err(), bufio.ErrTooLong) {
		return bulk.Line{}, fieldError("from", "line %d is longer than %d bytes", l.number+1, bulk.MaxLine)
	}
	if err := l.in.Err(); err != nil {
		return bulk.Line{}, fieldError("from", "cannot be read: %v", err)
	}
	return bulk.Line{}, io.EOF
}

// fill sets the fields an object names.
func fill(r *wire.Request, text string) error {
	err := strictjson.Members(text, func(name string, v strictjson.Value) error {
		switch {
		case wire.IsRequestField(name):
			return r.SetJSON(name, v)
		case wire.IsAnswered(name):
			return fieldError(name, "is what the answer adds; give yours another name")
		}
		return wire.CheckCarried(name)
	})
	if errors.Is(err, strictjson.ErrSyntax) {
		return fieldError("line", "must be one JSON object without duplicate names")
	}
	return err
}

func (l *jsonLines) write(line bulk.Line, issued wire.Issued, problem *wire.Problem) error {
	if problem != nil {
		return wire.Write(l.out, map[string]any{"line": line.Number, "error": problem})
	}
	return writeObject(l.out, line.Text, issued)
}

// writeObject writes an object with id, token, url and code put in, and the rest of it
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
		Code  string `json:"code,omitempty"`
	}{issued.ID, issued.Token, issued.URL, issued.Code})
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
