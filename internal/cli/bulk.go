package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/bulk"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// bulkReader reads lines; a line that is wrong comes with err set. read itself
// fails, or is io.EOF, when there is nothing more to come.
type bulkReader interface {
	read() (bulk.Line, error)
	// write gives a line back with what was issued for it, or with what was wrong.
	write(line bulk.Line, issued wire.Issued, problem *wire.Problem) error
	flush() error
}

func (c *issueCmd) bulk(ctx context.Context, a *app, defaults wire.Request) error {
	in := a.stdin
	if c.From != "-" {
		f, err := os.Open(c.From)
		if err != nil {
			return fieldError("from", "cannot be read: %v", err)
		}
		defer f.Close()
		in = f
	}
	lines, err := a.bulkReader(bufio.NewReaderSize(in, 64<<10), defaults)
	if errors.Is(err, io.EOF) {
		return fieldError("from", "is empty; it holds a pass a line, as CSV with a header or as JSON Lines")
	}
	if err != nil {
		return err
	}
	s, err := c.open(ctx, a)
	if err != nil {
		return err
	}
	defer s.Close()
	b := bulkRun{app: a, service: s, lines: lines, began: time.Now()}
	err = b.run(ctx)
	b.report(true)
	switch {
	case err != nil:
		return err
	case b.bad > 0:
		return fieldError("from", "%d of %d lines could not be issued; the others were", b.bad, b.bad+b.good)
	}
	return nil
}

// bulkReader tells the two kinds of input apart by the first character: JSON
// begins with a brace, the header of a table does not.
func (a *app) bulkReader(in *bufio.Reader, defaults wire.Request) (bulkReader, error) {
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	first, blank, err := firstByte(in)
	if err != nil {
		return nil, err
	}
	if first == '{' {
		return newJSONLines(in, a.stdout, defaults, blank), nil
	}
	return a.newCSVLines(in, defaults, blank)
}

// firstByte skips space, counting the lines it skips, and looks at what follows.
func firstByte(in *bufio.Reader) (first byte, lines int, err error) {
	for {
		c, err := in.ReadByte()
		if err != nil {
			return 0, lines, err
		}
		switch c {
		case '\n':
			lines++
		case ' ', '\t', '\r':
		default:
			return c, lines, in.UnreadByte()
		}
	}
}

// bulkRun is a run over a file.
type bulkRun struct {
	*service
	app       *app
	lines     bulkReader
	good, bad int
	began     time.Time
	told      int
}

func (b *bulkRun) run(ctx context.Context) error {
	for {
		chunk, readErr := b.read()
		if err := b.issue(ctx, chunk); err != nil {
			return err
		}
		b.report(false)
		switch {
		case errors.Is(readErr, io.EOF):
			return nil
		case readErr != nil:
			return readErr
		}
	}
}

func (b *bulkRun) read() (chunk []bulk.Line, err error) {
	for len(chunk) < bulk.Chunk {
		line, err := b.lines.read()
		if err != nil {
			return chunk, err
		}
		chunk = append(chunk, line)
	}
	return chunk, nil
}

// issue issues a chunk and writes every line of it, in order.
func (b *bulkRun) issue(ctx context.Context, chunk []bulk.Line) error {
	return errors.Join(bulk.Issue(ctx, b.Issuer, chunk, b.write), b.lines.flush())
}

func (b *bulkRun) write(line bulk.Line, issued hallpass.Issued, err error) error {
	var out wire.Issued
	if err == nil {
		out, err = line.Request.Answer(b.Issuer, issued)
	}
	if err == nil {
		b.good++
		return b.lines.write(line, out, nil)
	}
	b.bad++
	problem := wire.ProblemOf(err)
	return b.lines.write(line, out, &problem)
}

// report tells on stderr how far it is: to a person after each chunk, into a log
// now and then.
func (b *bulkRun) report(end bool) {
	const everyInLogs = 100_000
	done := b.good + b.bad
	switch {
	case b.app.watched && end:
		_, _ = fmt.Fprintf(b.app.stderr, "\r\x1b[K")
		fallthrough
	case end:
		if done >= everyInLogs || b.app.watched {
			b.app.notice("%d issued in %s", b.good, time.Since(b.began).Round(time.Millisecond))
		}
	case b.app.watched:
		_, _ = fmt.Fprintf(b.app.stderr, "\r\x1b[K%d issued", b.good)
	case done/everyInLogs > b.told:
		b.told = done / everyInLogs
		b.app.notice("%d issued", b.good)
	}
}
