package cli

import "github.com/hallpass-go/hallpass/internal/wire"

// didYouMean returns `; did you mean "…"?` for the known name nearest to a
// misspelt one, or nothing when none is near.
func didYouMean(name string, known []string) string {
	if near, ok := wire.Nearest(name, known); ok {
		return `; did you mean "` + near + `"?`
	}
	return ""
}
