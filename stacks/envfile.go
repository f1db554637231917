package stacks

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
)

var bareValue = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,~^{}\[\]?&!*;-]*$`)

// envFile writes an environment file as Compose reads it: a value is bare or
// in single quotes, in which Compose expands nothing. A key given twice and a
// value that is empty are refused: the later one would win silently, and the
// services take an empty value for a value (lessons 1 and 2).
func envFile(vars []variable) ([]byte, error) {
	sorted := append([]variable(nil), vars...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].key < sorted[j].key })
	var b strings.Builder
	for i, v := range sorted {
		switch {
		case i > 0 && sorted[i-1].key == v.key:
			return nil, fmt.Errorf("variable %q: given twice", v.key)
		case v.value == "":
			return nil, fmt.Errorf("variable %q: empty", v.key)
		case bareValue.MatchString(v.value):
			fmt.Fprintf(&b, "%s=%s\n", v.key, v.value)
		case strings.ContainsAny(v.value, "'\\\n\r\x00"):
			return nil, fmt.Errorf("variable %q: holds a quote, a backslash or a line break, which an environment file cannot carry", v.key)
		default:
			fmt.Fprintf(&b, "%s='%s'\n", v.key, v.value)
		}
	}
	return []byte(b.String()), nil
}
