package cli

import (
	"bufio"
	"encoding/csv"
	"errors"

	"github.com/hallpass-go/hallpass/internal/bulk"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// csvLines is a table that comes back as one.
type csvLines struct {
	*bulk.Table
	app   *app
	out   *csv.Writer
	raw   *bufio.Writer
	wrote bool
}

func (a *app) newCSVLines(in *bufio.Reader, defaults wire.Request, before int) (*csvLines, error) {
	table, err := bulk.NewTable(in, &bulk.TableOptions{Defaults: defaults, Before: before})
	if err != nil {
		return nil, err
	}
	raw := bufio.NewWriterSize(a.stdout, 64<<10)
	l := &csvLines{Table: table, app: a, out: csv.NewWriter(raw), raw: raw}
	l.out.Comma = table.Comma
	return l, nil
}

func (l *csvLines) read() (bulk.Line, error) { return l.Read() }

// write gives the line back. A table keeps its columns: what is wrong with a line
// stands in one more of them, and on stderr. With --json it is as with JSON Lines.
func (l *csvLines) write(line bulk.Line, issued wire.Issued, problem *wire.Problem) error {
	if l.app.grammar.JSON {
		return l.writeJSON(line, issued, problem)
	}
	if !l.wrote {
		l.wrote = true
		if err := l.out.Write(l.Head()); err != nil {
			return err
		}
	}
	reason := ""
	if problem != nil {
		reason = problem.Line()
		l.app.notice("line %d: %s", line.Number, reason)
	}
	return l.out.Write(l.Row(line, issued, reason))
}

func (l *csvLines) writeJSON(line bulk.Line, issued wire.Issued, problem *wire.Problem) error {
	if problem != nil {
		return wire.Write(l.raw, map[string]any{"line": line.Number, "error": problem})
	}
	row := map[string]string{}
	for i, name := range l.Header {
		if line.Columns[i] != "" {
			row[name] = line.Columns[i]
		}
	}
	row["id"], row["token"] = issued.ID, issued.Token
	if issued.URL != "" {
		row["url"] = issued.URL
	}
	if issued.Code != "" {
		row["code"] = issued.Code
	}
	return wire.Write(l.raw, row)
}

func (l *csvLines) flush() error {
	l.out.Flush()
	return errors.Join(l.out.Error(), l.raw.Flush())
}
