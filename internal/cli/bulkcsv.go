package cli

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass/internal/wire"
)

// csvLines is a table whose header names the fields of a request. Other columns
// come back as they were.
type csvLines struct {
	app      *app
	in       *csv.Reader
	limit    *lineLimit
	out      *csv.Writer
	raw      *bufio.Writer
	defaults wire.Request
	header   []string
	fields   []string // by column: the field of a request, or ""
	before   int      // empty lines that were skipped before the header
	wrote    bool
}

// lineLimit ends the reading of a line that never ends.
type lineLimit struct {
	io.Reader
	left int
}

var errLongLine = errors.New("line too long")

func (l *lineLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLongLine
	}
	n, err := l.Reader.Read(p)
	l.left -= n
	return n, err
}

func (a *app) newCSVLines(in *bufio.Reader, defaults wire.Request, before int) (*csvLines, error) {
	raw := bufio.NewWriterSize(a.stdout, 64<<10)
	l := &csvLines{
		app: a, limit: &lineLimit{in, maxLine}, out: csv.NewWriter(raw), raw: raw, defaults: defaults, before: before,
	}
	l.in = csv.NewReader(l.limit)
	l.in.Comma = separator(in)
	l.out.Comma = l.in.Comma
	l.in.FieldsPerRecord = -1
	header, err := l.in.Read()
	if err != nil {
		return nil, fieldError("from", "the header cannot be read: %v", err)
	}
	for i, name := range header {
		name = strings.TrimSpace(name)
		if slices.Contains(header[:i], name) {
			return nil, fieldError("from", "the column %q is there twice", name)
		}
		if isAnswered(name) || name == "error" {
			return nil, fieldError("from", "the column %q is what the answer adds; give yours another name", name)
		}
		header[i] = name
		if name == "grant" { // as the flag is called
			name = "grants"
		}
		if !wire.IsRequestField(name) {
			if err := checkCarried(name); err != nil {
				return nil, err
			}
			name = ""
		}
		l.fields = append(l.fields, name)
	}
	l.header = header
	return l, nil
}

// separator is what the header is divided by: a comma, unless there is none.
func separator(in *bufio.Reader) rune {
	start, _ := in.Peek(in.Buffered()) // without waiting for more
	line, _, _ := strings.Cut(string(start), "\n")
	for _, c := range ",;\t" {
		if strings.ContainsRune(line, c) {
			return c
		}
	}
	return ','
}

func (l *csvLines) read() (bulkLine, error) {
	l.limit.left = maxLine
	columns, err := l.in.Read()
	if errors.Is(err, io.EOF) {
		return bulkLine{}, io.EOF
	}
	line := bulkLine{request: l.defaults}
	var wrong *csv.ParseError
	switch {
	case errors.Is(err, errLongLine):
		return line, fieldError("from", "a line is longer than %d bytes; is a quote missing?", maxLine)
	case errors.As(err, &wrong):
		line.number = wrong.StartLine + l.before
		line.err = fieldError("line", "is no CSV: %v", wrong.Err)
		line.columns = make([]string, len(l.header))
		return line, nil
	case err != nil:
		return line, fieldError("from", "cannot be read: %v", err)
	}
	line.number, _ = l.in.FieldPos(0)
	line.number += l.before
	if len(columns) != len(l.header) {
		line.err = fieldError("line", "has %d columns, the header %d", len(columns), len(l.header))
		line.columns = append(columns, make([]string, len(l.header))...)[:len(l.header)]
		return line, nil
	}
	line.columns = columns
	for i, field := range l.fields {
		if field != "" && line.err == nil {
			line.err = line.request.SetText(field, columns[i])
		}
	}
	return line, nil
}

// write gives the line back. A table keeps its columns: what is wrong with a line
// stands in one more of them, and on stderr. With --json it is as with JSON Lines.
func (l *csvLines) write(line bulkLine, issued wire.Issued, problem *wire.Problem) error {
	if l.app.grammar.JSON {
		return l.writeJSON(line, issued, problem)
	}
	url := slices.Index(l.header, "url")
	if err := l.writeHeader(url); err != nil {
		return err
	}
	reason := ""
	if problem != nil {
		reason = problem.Line()
		l.app.notice("line %d: %s", line.number, reason)
	}
	row := slices.Clone(line.columns)
	if url >= 0 {
		row[url] = orText(issued.URL, row[url])
	}
	row = append(row, issued.ID, issued.Token)
	if url < 0 {
		row = append(row, issued.URL)
	}
	return l.out.Write(append(row, reason))
}

func (l *csvLines) writeHeader(url int) error {
	if l.wrote {
		return nil
	}
	l.wrote = true
	head := append(slices.Clone(l.header), "id", "token")
	if url < 0 {
		head = append(head, "url")
	}
	return l.out.Write(append(head, "error"))
}

func (l *csvLines) writeJSON(line bulkLine, issued wire.Issued, problem *wire.Problem) error {
	if problem != nil {
		return wire.Write(l.raw, map[string]any{"line": line.number, "error": problem})
	}
	row := map[string]string{}
	for i, name := range l.header {
		if line.columns[i] != "" {
			row[name] = line.columns[i]
		}
	}
	row["id"], row["token"] = issued.ID, issued.Token
	if issued.URL != "" {
		row["url"] = issued.URL
	}
	return wire.Write(l.raw, row)
}

func (l *csvLines) flush() error {
	l.out.Flush()
	return errors.Join(l.out.Error(), l.raw.Flush())
}
