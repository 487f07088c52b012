package option

import "strings"

// Nearest returns the name that is closest to s, "" if none is close: within a
// third of its length in edits, or with s as its beginning.
func Nearest(s string, names []string) string {
	s = Normal(s)
	best, least := "", len(s)/3+1
	for _, n := range names {
		d := distance(s, n)
		if len(s) > 2 && strings.HasPrefix(n, s) {
			d = min(d, 1)
		}
		if d <= least && (best == "" || d < least) {
			best, least = n, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to get from a to b (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
