package bulk

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// Table reads a CSV file whose header names the fields of a request. Other columns
// are carried through.
type Table struct {
	in       *csv.Reader
	limit    *lineLimit
	defaults wire.Request
	fields   []string // by column: the field of a request, or ""
	// before is how many lines were read already, last the first line of the last row.
	before, last int

	// Header is the names of the columns.
	Header []string
	// coded says that the answer has a column for the code to be typed.
	coded bool
	// Comma is what the columns are divided by.
	Comma rune
}

// TableOptions are the rarer settings of a Table; nil means all defaults.
type TableOptions struct {
	// Defaults are for the fields that a line leaves empty.
	Defaults wire.Request
	// Before is how many lines of the file were read already.
	Before int
	// Columns says which field a column is, for columns with names of their own. A
	// field that is named here is no other column's. An error about it names the field
	// with "column_" before it.
	Columns map[string]string
}

// lineLimit ends the reading of a line that never ends.
type lineLimit struct {
	io.Reader
	left int
}

var errLongLine = errors.New("bulk: line too long")

func (l *lineLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLongLine
	}
	n, err := l.Reader.Read(p)
	l.left -= n
	return n, err
}

// NewTable reads the header. Its errors are *hallpass.FieldError.
func NewTable(in *bufio.Reader, opts *TableOptions) (*Table, error) {
	if opts == nil {
		opts = &TableOptions{}
	}
	t := &Table{limit: &lineLimit{in, MaxLine}, defaults: opts.Defaults, before: opts.Before, Comma: separator(in)}
	t.in = csv.NewReader(t.limit)
	t.in.Comma = t.Comma
	t.in.FieldsPerRecord = -1
	header, err := t.in.Read()
	switch {
	case errors.Is(err, errLongLine):
		return nil, invalid("from", "its first line, the names of the columns, is longer than %d bytes; a quote may be missing", MaxLine)
	case errors.Is(err, io.EOF):
		return nil, invalid("from", "it is empty; its first line names the columns")
	case err != nil:
		return nil, invalid("from", "the header cannot be read: %v", err)
	}
	t.last = 1 + t.before
	for i, name := range header {
		name = strings.TrimSpace(name)
		if slices.Contains(header[:i], name) {
			return nil, invalid("from", "the column %q is there twice", name)
		}
		if wire.IsAnswered(name) || name == "error" {
			return nil, invalid("from", "the column %q is what the answer adds; give yours another name", name)
		}
		header[i] = name
	}
	t.Header = header
	if err := t.assign(opts.Columns); err != nil {
		return t, err
	}
	// No column of theirs is called code: it is too close to mode (wire.CheckCarried).
	t.coded = opts.Defaults.TypedCode || slices.Contains(t.fields, "typed_code")
	return t, nil
}

// assign decides which column is which field.
func (t *Table) assign(columns map[string]string) error {
	taken := map[string]bool{}
	for column, field := range columns {
		switch {
		case !slices.Contains(t.Header, column):
			return invalid("column_"+field, "there is no column %q; the first line has %s", column, t.names())
		case !wire.IsRequestField(field):
			return invalid("from", "%q is no field of a pass", field)
		case taken[field]:
			return invalid("from", "two columns are to be %s", field)
		}
		taken[field] = true
	}
	for _, name := range t.Header {
		if field := columns[name]; field != "" {
			t.fields = append(t.fields, field)
			continue
		}
		if name == "grant" { // as the flag is called
			name = "grants"
		}
		switch {
		case !wire.IsRequestField(name):
			if err := wire.CheckCarried(name); err != nil {
				return err
			}
			name = ""
		case taken[name]:
			name = ""
		}
		t.fields = append(t.fields, name)
	}
	return nil
}

// names is the first of the columns' names, as an error has them.
func (t *Table) names() string {
	const most = 10
	var named []string
	for _, name := range t.Header[:min(most, len(t.Header))] {
		named = append(named, strconv.Quote(name))
	}
	if more := len(t.Header) - most; more > 0 {
		named = append(named, strconv.Itoa(more)+" more")
	}
	return strings.Join(named, ", ")
}

// Column is the index of the column that is a field; -1 where none is.
func (t *Table) Column(field string) int {
	if field == "" {
		return -1
	}
	return slices.Index(t.fields, field)
}

// separator is what the header is divided by: a comma, unless there is none.
func separator(in *bufio.Reader) rune {
	_, _ = in.Peek(1)
	start, _ := in.Peek(in.Buffered()) // without waiting for more
	line, _, _ := strings.Cut(string(start), "\n")
	for _, c := range ",;\t" {
		if strings.ContainsRune(line, c) {
			return c
		}
	}
	return ','
}

// Read returns the next line; one that is wrong has its Err set. Read itself fails,
// or is io.EOF, when there is nothing more to come.
func (t *Table) Read() (Line, error) {
	t.limit.left = MaxLine
	columns, err := t.in.Read()
	if errors.Is(err, io.EOF) {
		return Line{}, io.EOF
	}
	line := Line{Request: t.defaults}
	var wrong *csv.ParseError
	switch {
	case errors.Is(err, errLongLine):
		return line, invalid("from", "the row after the one in line %d is longer than %d bytes; a quote may be missing", t.last, MaxLine)
	case errors.As(err, &wrong):
		line.Number = wrong.StartLine + t.before
		t.last = line.Number
		line.Err = invalid("line", "is no CSV: %v", wrong.Err)
		line.Columns = make([]string, len(t.Header))
		return line, nil
	case err != nil:
		return line, invalid("from", "cannot be read: %v", err)
	}
	line.Number, _ = t.in.FieldPos(0)
	line.Number += t.before
	t.last = line.Number
	if len(columns) != len(t.Header) {
		line.Err = invalid("line", "has %d columns, the header %d", len(columns), len(t.Header))
		line.Columns = append(columns, make([]string, len(t.Header))...)[:len(t.Header)]
		return line, nil
	}
	line.Columns = columns
	for i, field := range t.fields {
		if field != "" && line.Err == nil {
			line.Err = line.Request.SetText(field, columns[i])
		}
	}
	return line, nil
}

// Head is the header of the answer: that of the table with id, token, url, where it
// was asked for the code, and error added. A url column of the table is the one that is replaced.
func (t *Table) Head() []string {
	head := append(slices.Clone(t.Header), "id", "token")
	if t.url() < 0 {
		head = append(head, "url")
	}
	if t.coded {
		head = append(head, "code")
	}
	return append(head, "error")
}

// Row is a line of the answer, under Head.
func (t *Table) Row(line Line, issued wire.Issued, reason string) []string {
	row, url := slices.Clone(line.Columns), t.url()
	if url >= 0 && issued.URL != "" {
		row[url] = issued.URL
	}
	row = append(row, issued.ID, issued.Token)
	if url < 0 {
		row = append(row, issued.URL)
	}
	if t.coded {
		row = append(row, issued.Code)
	}
	return append(row, reason)
}

func (t *Table) url() int { return slices.Index(t.Header, "url") }

func invalid(field, format string, args ...any) error {
	return &hallpass.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}
