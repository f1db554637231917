package config

// nearest returns the known word that a misspelt one most likely meant: the
// one at the smallest edit distance, if that is at most a third of its length.
func nearest(word string, known []string) string {
	best, bestDistance := "", len(word)+1
	for _, candidate := range known {
		d := distance(word, candidate)
		if d <= max(1, len(candidate)/3) && d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance counts the insertions, deletions and substitutions of bytes that
// turn a into b, letter case aside.
func distance(a, b string) int {
	previous := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		current := make([]int, len(b)+1)
		current[0] = i + 1
		for j := range len(b) {
			cost := 1
			if lower(a[i]) == lower(b[j]) {
				cost = 0
			}
			current[j+1] = min(previous[j+1]+1, current[j]+1, previous[j]+cost)
		}
		previous = current
	}
	return previous[len(b)]
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
