package config

import (
	"fmt"
	"slices"
	"strings"
)

// namespace is the Pulumi configuration namespace of every key.
const namespace = "construct:"

// Problem is one thing wrong with a configuration. It never holds a secret.
type Problem struct {
	Path   string // "construct:ssh.allowedCidrs[0]"
	Detail string // what is wrong: "has host bits set"
	Want   string // what would be right: "203.0.113.0/24"

	// explains are the paths that can only look wrong because of this problem,
	// besides its own path and what lies below or above it.
	explains []string
}

// String is "path: problem (want …)".
func (p Problem) String() string {
	return fmt.Sprintf("%s: %s (want %s)", p.Path, p.Detail, p.Want)
}

// Problems is the error of [Load], [Parse] and [Config.Validate]: everything
// wrong, sorted by path.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// err returns the problems as an error, nil when there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	return sorted
}

// add appends a problem at a path below the namespace.
func (ps *Problems) add(path, detail, want string) {
	*ps = append(*ps, Problem{Path: namespace + path, Detail: detail, Want: want})
}

// without drops the problems that an earlier one already explains: a list
// whose only entry does not parse is not also reported as empty.
func (ps Problems) without(earlier Problems) Problems {
	return slices.DeleteFunc(slices.Clone(ps), func(p Problem) bool {
		return slices.ContainsFunc(earlier, func(e Problem) bool {
			return slices.ContainsFunc(append(e.explains, e.Path), func(path string) bool {
				return covers(path, p.Path) || covers(p.Path, path)
			})
		})
	})
}

// covers says whether inner is outer or lies below it.
func covers(outer, inner string) bool {
	rest, ok := strings.CutPrefix(inner, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
