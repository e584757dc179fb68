package cli

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

// The colours. All escapes that can stand in one column are of one length, which
// keeps tabwriter's columns straight.
const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	plain  = "\x1b[39m"
	reset  = "\x1b[0m"
)

// paint puts a colour around a text where colours are shown.
func (a *app) paint(colour, text string) string {
	if !a.colour {
		return text
	}
	return colour + text + reset
}

// stateColour gives each state its one colour; the word stands beside it always.
func stateColour[S ~string](state S) string {
	switch string(state) {
	case string(hallpass.StateActive), string(hallpass.UseSettled), string(hallpass.UseForwarded), findingOK:
		return green
	case string(hallpass.StateNotYetValid), string(hallpass.UsePending), string(hallpass.KeyVerifying), findingWarning:
		return yellow
	case string(hallpass.StateExpired), string(hallpass.StateSpent), string(hallpass.StateRevoked),
		string(hallpass.UseUnknown), string(hallpass.KeyRetired), findingFault:
		return red
	}
	return plain
}

// table prints aligned columns. The column with the given number holds states.
func (a *app) table(w io.Writer, stateColumn int, head []string, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for n, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			cell = clean(cell)
			if i == stateColumn && n > 0 {
				cell = a.paint(stateColour(cell), cell)
			} else if i == stateColumn {
				cell = a.paint(plain, cell)
			}
			if i > 0 {
				cell = "\t" + cell
			}
			if _, err := io.WriteString(tw, cell); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(tw, "\n"); err != nil {
			return err
		}
	}
	return tw.Flush()
}

// clean shows what could move the cursor, or the text around it, as escapes: a
// user agent must not write into an operator's terminal.
func clean(text string) string { return look.Visible(text) }

// moment is a time in a table.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// count is how often a pass was used and may be.
func count(e hallpass.Entry) string {
	if e.MaxUses <= 0 {
		return fmt.Sprintf("%d of any", e.Used)
	}
	return fmt.Sprintf("%d of %d", e.Used, e.MaxUses)
}

// orDash stands in for what is empty.
func orDash[S ~string](text S) string {
	if text == "" {
		return "-"
	}
	return string(text)
}

// line prints one sentence to stdout.
func (a *app) line(format string, args ...any) error {
	_, err := fmt.Fprintf(a.stdout, format+"\n", args...)
	return err
}
