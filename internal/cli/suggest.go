package cli

// didYouMean returns `; did you mean "…"?` for the known name nearest to a
// misspelt one, or nothing when none is near.
func didYouMean(name string, known []string) string {
	if near, ok := nearest(name, known); ok {
		return `; did you mean "` + near + `"?`
	}
	return ""
}

func nearest(name string, known []string) (best string, ok bool) {
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
