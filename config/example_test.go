package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const exampleFile = "../Pulumi.prod.yaml"

func readExample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func exampleTree(t *testing.T, text string) map[string]any {
	t.Helper()
	var stack struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal([]byte(text), &stack); err != nil {
		t.Fatal(err)
	}
	return stack.Config
}

func TestProductionExampleIsValid(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	key := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFLQZJLsq+J9wcfnDLr4V3AFkcuw8qBbzrNHQ9458UNn you@example.com\n"
	if err := os.WriteFile(filepath.Join(home, ".ssh", "id_ed25519.pub"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	tree := exampleTree(t, readExample(t))
	if _, has := tree["construct:secrets"]; has {
		t.Error("the example holds secrets")
	}
	secrets, err := GenerateSecrets()
	if err != nil {
		t.Fatal(err)
	}
	tree["construct:secrets"] = secrets.Tree()
	src, err := FromTree("construct", "prod", "..", tree)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(src); err != nil {
		t.Error(err)
	}
}

// A line that begins with # and no space is a setting that is commented out.
var commentedOut = regexp.MustCompile(`(?m)^(\s*)#(\S)`)

func TestProductionExampleShowsEveryKeyAndDefault(t *testing.T) {
	t.Parallel()
	tree := exampleTree(t, commentedOut.ReplaceAllString(readExample(t), "$1$2"))
	src, err := FromTree("construct", "prod", "..", tree)
	if err != nil {
		t.Fatal(err)
	}
	s := &shaper{isSecret: src.IsSecret}
	s.fit(reflect.TypeFor[stackFile](), topLevel(src), "")
	if err := s.problems.err(); err != nil {
		t.Errorf("with every comment removed:\n%v", err)
	}
	shown := map[string]any{}
	collect(shown, "", tree)
	for _, setting := range flatten(t) {
		value, ok := shown[setting.Path]
		if !ok {
			t.Errorf("%s does not show %s", exampleFile, setting.Path)
		}
		if text, err := yaml.Marshal(value); err != nil || setting.Default != "" && setting.Default != "false" &&
			strings.Trim(strings.TrimSpace(string(text)), `"`) != setting.Default {
			t.Errorf("%s shows %s: %v, the default is %s", exampleFile, setting.Path, value, setting.Default)
		}
	}
}

// collect lists the values of a tree by the paths that the reference uses.
func collect(into map[string]any, path string, value any) {
	into[path] = value
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if path == "release.overrides" {
				key = "<name>"
			}
			collect(into, join(path, strings.TrimPrefix(key, namespace)), inner)
		}
	case []any:
		for _, inner := range value {
			collect(into, path+"[]", inner)
		}
	}
}
