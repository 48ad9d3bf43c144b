package main

import (
	"fmt"
	"slices"
	"strings"
)

func unknownCommand(name string, known []string) error {
	return fmt.Errorf("unknown command %q%s", name, didYouMean(name, "", known))
}

// didYouMean suggests the known word that begins with word, or a similar one, or help.
func didYouMean(word, dash string, known []string) string {
	best := suggest(word, known)
	if i := slices.IndexFunc(known, func(k string) bool { return strings.HasPrefix(k, word) }); i >= 0 && word != "" {
		best = known[i]
	}
	if best == "" {
		return "; see s3-sign-srv help"
	}
	return fmt.Sprintf("; did you mean %s%s?", dash, best)
}

// suggest returns the known word with the fewest edits to word, empty if that takes more than two.
func suggest(word string, known []string) (best string) {
	fewest := 3
	for _, k := range known {
		if n := distance(word, k); n < fewest {
			best, fewest = k, n
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
