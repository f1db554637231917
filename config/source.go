package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Source is raw stack configuration, as Pulumi hands it to a program: full
// keys ("construct:ssh") to text, objects and lists as JSON.
type Source interface {
	Project() string // Pulumi project name
	Stack() string   // Pulumi stack name
	Dir() string     // where relative paths in the configuration start
	// Keys lists the full keys of the construct namespace.
	Keys() []string
	// Get returns a key's value.
	Get(key string) (value string, ok bool)
	// IsSecret says whether the value at a path ("construct:kafka.password")
	// was encrypted in the stack file.
	IsSecret(path string) bool
}

// Values is a [Source] of values at hand.
type Values struct {
	ProjectName, StackName, BaseDir string
	// Config holds values by full key; other namespaces are passed over.
	Config map[string]string
	// Secret answers IsSecret. nil: nothing is secret.
	Secret func(path string) bool
}

// Project implements [Source].
func (v *Values) Project() string { return v.ProjectName }

// Stack implements [Source].
func (v *Values) Stack() string { return v.StackName }

// Dir implements [Source].
func (v *Values) Dir() string { return v.BaseDir }

// Keys implements [Source].
func (v *Values) Keys() []string {
	var keys []string
	for key := range v.Config {
		if strings.HasPrefix(key, namespace) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Get implements [Source].
func (v *Values) Get(key string) (string, bool) {
	value, ok := v.Config[key]
	return value, ok
}

// IsSecret implements [Source].
func (v *Values) IsSecret(path string) bool { return v.Secret != nil && v.Secret(path) }

// Environment is the [Source] of a running Pulumi program: what the engine put
// into its environment, which the SDK reads too but does not let a program
// enumerate. project, stack and dir come from the pulumi.Context (Project,
// Stack, RootDirectory); an empty dir means the working directory.
//
// The engine says only which top-level keys have some encrypted part. So that
// a plain password among encrypted ones is found, the stack's own file is
// asked, where there is one.
func Environment(project, stack, dir string) (*Values, error) {
	v := &Values{ProjectName: project, StackName: stack, BaseDir: dir}
	if err := unmarshalEnv("PULUMI_CONFIG", &v.Config); err != nil {
		return nil, err
	}
	var secretKeys []string
	if err := unmarshalEnv("PULUMI_CONFIG_SECRET_KEYS", &secretKeys); err != nil {
		return nil, err
	}
	secret, err := SecretsIn(filepath.Join(dir, "Pulumi."+stack+".yaml"), secretKeys)
	if err != nil {
		return nil, err
	}
	v.Secret = secret
	return v, nil
}

// SecretsIn answers [Source.IsSecret] for a stack file: a path is secret if its
// top-level key is among secretKeys, unless the file has it in plain text. A
// file that does not exist (configuration kept elsewhere) has nothing plain.
func SecretsIn(stackFile string, secretKeys []string) (func(path string) bool, error) {
	plain, err := plainPaths(stackFile)
	if err != nil {
		return nil, err
	}
	return func(path string) bool {
		top, _, _ := strings.Cut(path, ".")
		top, _, _ = strings.Cut(top, "[")
		return slices.Contains(secretKeys, top) && !plain[path]
	}, nil
}

func unmarshalEnv(name string, into any) error {
	text := os.Getenv(name)
	if text == "" {
		return nil
	}
	// The decoder's error could quote the text, which holds secrets.
	if json.Unmarshal([]byte(text), into) != nil {
		return fmt.Errorf("parse environment variable %s: not the JSON that Pulumi sets", name)
	}
	return nil
}

// plainPaths lists the paths at which a stack file holds a plain scalar.
func plainPaths(file string) (map[string]bool, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read stack file: %w", err)
	}
	var stack struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(text, &stack); err != nil {
		return nil, fmt.Errorf("parse stack file %q: %w", file, err)
	}
	plain := map[string]bool{}
	for key, value := range stack.Config {
		markPlain(plain, key, value)
	}
	return plain, nil
}

func markPlain(plain map[string]bool, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		if _, secure := value["secure"]; secure && len(value) == 1 {
			return
		}
		for key, inner := range value {
			markPlain(plain, path+"."+key, inner)
		}
	case []any:
		for i, inner := range value {
			markPlain(plain, fmt.Sprintf("%s[%d]", path, i), inner)
		}
	default:
		plain[path] = true
	}
}
