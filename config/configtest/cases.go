package configtest

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/construct-server/infra/config"
	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"
)

//go:embed testdata
var testdata embed.FS

// Case is one stack file of the corpus.
type Case struct {
	Name  string // file name without extension
	Stack string // stack name; "prod" unless the case is about it
	// Config is the whole stack configuration: the case's own keys over the
	// valid base. An encrypted value is {"secure": clear text}.
	Config map[string]any
	// Files are what the stack file refers to, by path relative to the project.
	Files map[string]string
	// Want are the exact messages, sorted as reported. Empty: it is valid.
	Want []string
}

// Invalid is the corpus of stack files that must be refused.
func Invalid() ([]Case, error) { return cases("testdata/invalid") }

// Valid is the corpus of stack files that must be accepted.
func Valid() ([]Case, error) { return cases("testdata/valid") }

// Base is a small valid stack configuration with generated secrets.
func Base() (map[string]any, error) {
	text, err := testdata.ReadFile("testdata/base.yaml")
	if err != nil {
		return nil, fmt.Errorf("read base: %w", err)
	}
	tree, err := parse(string(text))
	if err != nil {
		return nil, err
	}
	m, err := material()
	if err != nil {
		return nil, err
	}
	return Merge(tree, map[string]any{"construct:secrets": m.secrets.Tree()}), nil
}

// Source writes the case's files to dir and returns the case as a source.
func (c Case) Source(dir string) (*config.Values, error) {
	for name, content := range c.Files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, fmt.Errorf("create directory for %q: %w", name, err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return nil, fmt.Errorf("write %q: %w", name, err)
		}
	}
	return config.FromTree("construct", c.Stack, dir, c.Config)
}

// YAML is the case as the text of a stack file, secrets in clear.
func (c Case) YAML() (string, error) {
	text, err := yaml.Marshal(map[string]any{"config": c.Config})
	if err != nil {
		return "", fmt.Errorf("encode case %q: %w", c.Name, err)
	}
	return string(text), nil
}

func cases(dir string) ([]Case, error) {
	files, err := fs.Glob(testdata, dir+"/*.txtar")
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", dir, err)
	}
	var list []Case
	for _, file := range files {
		c, err := readCase(file)
		if err != nil {
			return nil, fmt.Errorf("read case %q: %w", file, err)
		}
		list = append(list, c)
	}
	return list, nil
}

// readCase reads a txtar archive: Pulumi.<stack>.yaml lies over the base, want
// has one message a line, the rest are files.
func readCase(file string) (Case, error) {
	text, err := testdata.ReadFile(file)
	if err != nil {
		return Case{}, err
	}
	c := Case{Name: strings.TrimSuffix(path.Base(file), ".txtar"), Files: map[string]string{}}
	if c.Config, err = Base(); err != nil {
		return Case{}, err
	}
	m, err := material()
	if err != nil {
		return Case{}, err
	}
	for _, f := range txtar.Parse(text).Files {
		stack, isStack := strings.CutPrefix(f.Name, "Pulumi.")
		switch {
		case f.Name == "want":
			c.Want = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
		case isStack:
			over, err := parse(m.expand(string(f.Data), quoted))
			if err != nil {
				return Case{}, err
			}
			c.Stack, c.Config = strings.TrimSuffix(stack, ".yaml"), Merge(c.Config, over)
		default:
			c.Files[f.Name] = m.expand(string(f.Data), plain)
		}
	}
	return c, nil
}

func plain(text string) string { return text }

// quoted makes text of several lines one YAML scalar.
func quoted(text string) string {
	b, _ := json.Marshal(text) // a string always encodes
	return string(b)
}
