package adminui

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/bulk"
	"github.com/hallpass-go/hallpass/internal/wire"
)

const (
	// maxUpload bounds a file, in bytes: some ten million lines.
	maxUpload = 1 << 30
	// inMemory is how much of it is kept in memory; what is longer goes to a file that
	// has no name.
	inMemory = 4 << 20
	// maxFormField bounds any other field of the form.
	maxFormField = 64 << 10
)

// spool keeps an upload until it is read again. A browser does not read the answer
// before it has sent the whole request, so neither can wait for the other.
type spool struct {
	memory bytes.Buffer
	file   *os.File
	size   int64
	lines  int64
}

func (s *spool) Write(p []byte) (int, error) {
	if s.size += int64(len(p)); s.size > maxUpload {
		return 0, &hallpass.FieldError{Field: "file", Reason: fmt.Sprintf("the file is larger than %d MiB; use the command line for it: hallpass issue --from FILE", maxUpload>>20)}
	}
	s.lines += int64(bytes.Count(p, []byte{'\n'}))
	if s.file == nil && s.memory.Len()+len(p) <= inMemory {
		return s.memory.Write(p)
	}
	if s.file == nil {
		file, err := os.CreateTemp("", "hallpass-upload-*")
		if err != nil {
			return 0, fmt.Errorf("%w: no room for the upload: %w", hallpass.ErrUnavailable, err)
		}
		s.file = file
		_ = os.Remove(file.Name()) // it goes with the last who has it open
	}
	return s.file.Write(p)
}

// reader reads it from its beginning.
func (s *spool) reader() (io.Reader, error) {
	memory := bytes.NewReader(s.memory.Bytes())
	if s.file == nil {
		return memory, nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.MultiReader(memory, s.file), nil
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}

// upload issues a pass for each line of a table, and gives the table back with the
// links in it.
func (u *UI) upload(v *visit) error {
	file := &spool{}
	defer file.close()
	values, err := readUpload(v.Request, file)
	f := form{ID: "u", Values: values}
	var table *bulk.Table
	opts := bulk.TableOptions{Columns: map[string]string{}}
	if err == nil {
		table, err = f.table(file, &opts)
	}
	if err != nil {
		err = f.blame(err)
	}
	if err != nil {
		return err
	}
	if f.Count() > 0 {
		view := u.issueView(v, map[string]string{"url": u.cfg.LinkURL})
		view.Table = f
		return u.show(v, http.StatusUnprocessableEntity, "issue", view)
	}
	err = u.act(v, hallpass.Event{
		Action: "passes.issue", Scope: opts.Defaults.Spec.Scope, Batch: opts.Defaults.Spec.Batch, Detail: fmt.Sprintf("from a table, about %d lines", file.lines-1),
	})
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="links.csv"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Hallpass-Lines", strconv.FormatInt(max(1, file.lines-1), 10))
	run := tableRun{ui: u, visit: v, table: table, out: csv.NewWriter(v.w), values: values}
	run.out.Comma = table.Comma
	err = run.run(v.Context())
	detail := fmt.Sprintf("%d issued, %d wrong", run.good, run.bad)
	if err != nil {
		detail += ", then it broke off"
		u.cfg.Logger.ErrorContext(v.Context(), "a table was not issued whole", "issued", run.good, "error", err)
	}
	if err := u.act(v, hallpass.Event{Action: "passes.issued", Batch: opts.Defaults.Spec.Batch, Detail: detail}); err != nil {
		u.cfg.Logger.ErrorContext(v.Context(), "what came of a table was not written down", "error", err)
	}
	if err != nil {
		panic(http.ErrAbortHandler) // a file that ends too early must be seen to
	}
	return nil
}

// columnPrefix begins the names of the form's fields that say which column is what.
const columnPrefix = "column_"

// table begins to read the uploaded table as the form's other fields say. What is
// wrong with those is blamed; its error, of the table itself, is still to be.
func (f *form) table(file *spool, opts *bulk.TableOptions) (*bulk.Table, error) {
	f.read(issueFields, &opts.Defaults)
	for _, field := range issueFields {
		column := strings.TrimSpace(f.Values[columnPrefix+field])
		if column == "" {
			continue
		}
		if other := opts.Columns[column]; other != "" {
			_ = f.blame(&hallpass.FieldError{Field: columnPrefix + field, Reason: fmt.Sprintf("the column %q cannot be both %s and %s", column, other, field)})
			continue
		}
		opts.Columns[column] = field
	}
	switch {
	case file.size == 0:
		return nil, &hallpass.FieldError{Field: "file", Reason: "the file is missing or empty; choose a table as CSV, with the names of its columns in the first line"}
	case f.Count() > 0:
		return nil, nil
	}
	if err := checkTable(file, opts); err != nil {
		return nil, err
	}
	return openTable(file, opts)
}

// openTable reads the head of the table that was sent.
func openTable(file *spool, opts *bulk.TableOptions) (*bulk.Table, error) {
	source, err := file.reader()
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(source, 64<<10)
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	table, err := bulk.NewTable(in, opts)
	return table, ofFile(err)
}

// checkTable reads a table to its end before anything is issued: what is no table
// from some line on is better not begun. Lines that are wrong are told one by one
// later.
func checkTable(file *spool, opts *bulk.TableOptions) error {
	table, err := openTable(file, opts)
	for err == nil {
		_, err = table.Read()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return ofFile(err)
}

// ofFile gives an error of a table the name that the form has for it, but for those of
// the fields that say which column is what.
func ofFile(err error) error {
	field, ok := errors.AsType[*hallpass.FieldError](err)
	switch {
	case !ok || field.Field == "file" || strings.HasPrefix(field.Field, columnPrefix):
		return err
	case field.Field == "from":
		return &hallpass.FieldError{Field: "file", Reason: field.Reason}
	}
	// A name that must not be a column's.
	return &hallpass.FieldError{Field: "file", Reason: fmt.Sprintf("the column %q %s", field.Field, field.Reason)}
}

// readUpload reads the form: its file into the spool, all else into values.
func readUpload(r *http.Request, file *spool) (map[string]string, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, &hallpass.FieldError{Field: "body", Reason: "is no form with a file"}
	}
	values := map[string]string{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err == nil {
			err = readPart(part, values, file)
		}
		if _, ok := errors.AsType[*hallpass.FieldError](err); ok || errors.Is(err, hallpass.ErrUnavailable) {
			return nil, err
		}
		if err != nil {
			return nil, &hallpass.FieldError{Field: "body", Reason: "broke off"}
		}
	}
}

func readPart(part *multipart.Part, values map[string]string, file *spool) error {
	if part.FormName() == "file" {
		if file.size > 0 {
			return &hallpass.FieldError{Field: "file", Reason: "the file is there twice"}
		}
		_, err := io.Copy(file, part)
		return err
	}
	text, err := io.ReadAll(io.LimitReader(part, maxFormField+1))
	switch {
	case err != nil:
		return err
	case len(text) > maxFormField || len(values) > 100:
		return &hallpass.FieldError{Field: part.FormName(), Reason: "is too long"}
	}
	values[part.FormName()] = string(text)
	return nil
}

// tableRun is one table on its way.
type tableRun struct {
	ui        *UI
	visit     *visit
	table     *bulk.Table
	out       *csv.Writer
	good, bad int
	// values are those of the form.
	values map[string]string
}

func (t *tableRun) run(ctx context.Context) error {
	if err := t.out.Write(safeCells(t.table.Head())); err != nil {
		return err
	}
	control := http.NewResponseController(t.visit.w)
	for {
		var chunk []bulk.Line
		var readErr error
		for len(chunk) < bulk.Chunk && readErr == nil {
			var line bulk.Line
			if line, readErr = t.table.Read(); readErr == nil {
				t.judge(&line)
				chunk = append(chunk, line)
			}
		}
		if err := t.ui.stillIn(t.visit); err != nil {
			return err
		}
		if err := bulk.Issue(ctx, t.ui.issuer, chunk, t.write); err != nil {
			t.out.Flush()
			return err
		}
		t.out.Flush()
		if err := t.out.Error(); err != nil {
			return err
		}
		_ = control.Flush()
		switch {
		case errors.Is(readErr, io.EOF):
			return nil
		case readErr != nil:
			return readErr
		}
	}
}

// judge decides about a line what requestOf decides about a form.
func (t *tableRun) judge(line *bulk.Line) {
	if line.Err != nil {
		return
	}
	p, err := t.ui.issuer.Draft(line.Request.Spec)
	if err == nil {
		err = mayIssue(t.visit.op, p)
	}
	line.Err = err
}

func (t *tableRun) write(line bulk.Line, issued hallpass.Issued, err error) error {
	var out wire.Issued
	if err == nil {
		out, err = line.Request.Answer(t.ui.issuer, issued)
	}
	reason := ""
	if err != nil {
		t.bad++
		reason = t.reason(line, err)
	} else {
		t.good++
	}
	return t.out.Write(safeCells(t.table.Row(line, out, reason)))
}

// reason says what is wrong with a line, and in which of its columns, where it is not
// what the form says for every line.
func (t *tableRun) reason(line bulk.Line, err error) string {
	text := sentence(err)
	field, ok := errors.AsType[*hallpass.FieldError](err)
	if !ok {
		return text
	}
	n := t.table.Column(field.Field)
	if n < 0 || line.Columns[n] == "" && t.values[field.Field] != "" {
		return text
	}
	return fmt.Sprintf("column %q: %s", t.table.Header[n], text)
}

var errOver = fmt.Errorf("adminui: the operator's session is over: %w", hallpass.RefusalRevoked)

// stillIn judges again the operator of a request that goes on for long.
func (u *UI) stillIn(v *visit) error {
	session, err := u.session(v.Request, true)
	if err != nil {
		return err
	}
	if session == nil {
		return errOver
	}
	if op, err := operatorOf(session.Pass); err != nil || op.Role != v.op.Role || op.Subject != v.op.Subject {
		return errOver
	}
	return nil
}
