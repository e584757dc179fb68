package wire

import (
	"fmt"
	"slices"
	"strings"
)

// answered are the names the answer adds. A line that has them already would lose
// something; the base URL is the one that is meant to be replaced.
var answered = []string{"id", "token"}

// IsAnswered reports whether a name is one that the answer adds.
func IsAnswered(name string) bool { return slices.Contains(answered, name) }

// stated are names by which a pass is shown. In a request they would say nothing,
// where somebody who writes them means a limit.
var stated = []string{"expires_at", "issued_at", "revoked_at", "used", "uses_left", "state", "recorded", "key"}

// CheckCarried refuses a name that would be carried through although it was meant
// for us: a misspelt limit that is ignored makes a pass wider than it should be.
func CheckCarried(name string) error {
	if slices.Contains(stated, name) {
		return invalid(name, "says nothing about a pass to be made; for its end give ttl")
	}
	if near, ok := Nearest(strings.ToLower(strings.ReplaceAll(name, "-", "_")), requestFields); ok {
		return invalid(name, fmt.Sprintf("is no field; did you mean %q? If it is yours to carry through, give it another name", near))
	}
	return nil
}

// Nearest returns the known name that a misspelt one is nearest to, if one is near.
func Nearest(name string, known []string) (best string, ok bool) {
	least := min(3, len(name)/2+1)
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best, best != ""
}

// distance is how many letters must be put in, taken out or changed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
