package configtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Everything is the valid configuration with every optional part, without files:
// what its case's files hold is in it.
func Everything() (map[string]any, error) {
	list, err := Valid()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(c Case) bool { return c.Name == "everything" })
	if i < 0 {
		return nil, errors.New("no case everything")
	}
	tree := list[i].Config
	for key, part := range tree {
		settings, _ := part.(map[string]any)
		for name, value := range settings {
			twin, isFile := strings.CutSuffix(name, "Path")
			file, _ := value.(string)
			if !isFile {
				continue
			}
			var content any = list[i].Files[file]
			if twin != "caRoot" {
				content = map[string]any{"secure": content}
			}
			tree = Merge(tree, map[string]any{key: map[string]any{name: nil, twin: content}})
		}
	}
	return tree, nil
}

// Leaf is one scalar of a stack configuration: keys and indices that lead to it.
type Leaf []any

// Leaves lists every scalar of a configuration in a fixed order. An encrypted
// value is one, with its wrapping: {"secure": …}.
func Leaves(tree map[string]any) []Leaf { return leaves(nil, tree) }

func leaves(path Leaf, value any) []Leaf {
	var found []Leaf
	switch value := value.(type) {
	case map[string]any:
		if _, secure := value["secure"]; secure {
			return []Leaf{path}
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			found = append(found, leaves(append(slices.Clone(path), key), value[key])...)
		}
	case []any:
		for i, inner := range value {
			found = append(found, leaves(append(slices.Clone(path), i), inner)...)
		}
	default:
		return []Leaf{path}
	}
	return found
}

// Replace returns a copy of the configuration with another value at a leaf,
// encrypted if the one before is.
func Replace(tree map[string]any, at Leaf, value any) map[string]any {
	return replace(tree, at, value).(map[string]any)
}

func replace(tree any, at Leaf, value any) any {
	if len(at) == 0 {
		if was, ok := tree.(map[string]any); ok && was["secure"] != nil {
			return map[string]any{"secure": fmt.Sprint(value)}
		}
		return value
	}
	switch tree := tree.(type) {
	case map[string]any:
		key := at[0].(string)
		tree = maps.Clone(tree)
		tree[key] = replace(tree[key], at[1:], value)
		return tree
	case []any:
		i := at[0].(int)
		tree = slices.Clone(tree)
		tree[i] = replace(tree[i], at[1:], value)
		return tree
	}
	return tree
}
