package adminui

import "strings"

// safeCell keeps a spreadsheet from taking a cell for a formula: what begins like
// one gets an apostrophe before it, which spreadsheets do not show (OWASP, CSV
// injection). Whoever wants the texts as they are takes JSON Lines.
func safeCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

func safeCells(row []string) []string {
	out := make([]string, len(row))
	for n, text := range row {
		out[n] = safeCell(text)
	}
	return out
}
