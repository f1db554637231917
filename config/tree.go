package config

import (
	"encoding/json"
	"fmt"
)

// FromTree is a [Source] of a stack file that was parsed without Pulumi: tree
// is what it has under `config:`, with clear text after `secure:`. Relative
// paths in it start at dir.
func FromTree(project, stack, dir string, tree map[string]any) (*Values, error) {
	secret := map[string]bool{}
	v := &Values{
		ProjectName: project, StackName: stack, BaseDir: dir,
		Config: map[string]string{}, Secret: func(path string) bool { return secret[path] },
	}
	for key, value := range tree {
		switch value := reveal(secret, key, value).(type) {
		case nil:
		case map[string]any, []any:
			text, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("encode %q: %w", key, err)
			}
			v.Config[key] = string(text)
		default:
			v.Config[key] = fmt.Sprint(value)
		}
	}
	return v, nil
}

// reveal replaces {secure: text} by text and notes where it stood.
func reveal(secret map[string]bool, path string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		if text, secure := value["secure"]; secure && len(value) == 1 {
			secret[path] = true
			return text
		}
		revealed := map[string]any{}
		for key, inner := range value {
			revealed[key] = reveal(secret, path+"."+key, inner)
		}
		return revealed
	case []any:
		revealed := make([]any, len(value))
		for i, inner := range value {
			revealed[i] = reveal(secret, fmt.Sprintf("%s[%d]", path, i), inner)
		}
		return revealed
	}
	return value
}
