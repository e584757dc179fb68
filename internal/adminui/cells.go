package adminui

import "regexp"

// formula is where a spreadsheet would begin one: at the start of a cell, or, where
// it splits a line at more than commas, behind what it takes for the end of one.
// Blanks before it do not help, and full-width signs count as the others do.
var formula = regexp.MustCompile(`(^|[;|\t]|\r?\n|\r)([\p{Z}\t\r\n]*[=+\-@＝＋－＠]|[\t\r\n])`)

// safeCell keeps a spreadsheet from taking a cell for a formula: what begins like
// one gets an apostrophe before it, which spreadsheets do not show (OWASP, CSV
// injection). Whoever wants the texts as they are takes JSON Lines.
func safeCell(text string) string { return formula.ReplaceAllString(text, "${1}'${2}") }

func safeCells(row []string) []string {
	out := make([]string, len(row))
	for n, text := range row {
		out[n] = safeCell(text)
	}
	return out
}
