// Package configtest holds stack files for tests: a reader that needs neither
// an engine nor a passphrase, a valid example, and the corpus of invalid ones
// with the messages that they must give.
//
// Its stack files are those of Pulumi, with clear text after `secure:`.
package configtest

import (
	"fmt"
	"maps"

	"github.com/construct-server/infra/config"
	"gopkg.in/yaml.v3"
)

// Source reads the text of a Pulumi.<stack>.yaml, as the engine would hand it
// to a program of project "construct". Relative paths start at dir.
func Source(stackName, dir, text string) (*config.Values, error) {
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	return config.FromTree("construct", stackName, dir, tree)
}

func parse(text string) (map[string]any, error) {
	var stack struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal([]byte(text), &stack); err != nil {
		return nil, fmt.Errorf("parse stack file: %w", err)
	}
	return stack.Config, nil
}

// Merge lays one stack configuration over another. Objects merge by key, null
// removes, everything else replaces. Neither argument is changed.
func Merge(base, over map[string]any) map[string]any {
	merged := maps.Clone(base)
	for key, value := range over {
		inner, isObject := value.(map[string]any)
		below, wasObject := merged[key].(map[string]any)
		_, secure := inner["secure"]
		switch {
		case value == nil:
			delete(merged, key)
		case isObject && wasObject && !secure:
			merged[key] = Merge(below, inner)
		default:
			merged[key] = value
		}
	}
	return merged
}
