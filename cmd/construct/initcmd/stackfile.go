package initcmd

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"text/template"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/construct-server/infra/config"
)

//go:embed stack.yaml.tmpl
var stackTemplate string

// example is what the repository's Pulumi.prod.yaml was made from. A stack
// file with just this configuration is nobody's, so it may be replaced.
var example = answers{
	Cloud: "digitalocean", Region: "fra1", Domain: "chat.example.com", Email: "ops@example.com",
	PublicKeyPath: "~/.ssh/id_ed25519.pub", AllowedCIDRs: []string{"203.0.113.7/32"}, Media: true,
	Repository: "ghcr.io/example/construct-server", Tag: "0.7.0",
}

// render returns the text of a stack file.
func render(a answers) (string, error) {
	tmpl, err := template.New("stack").Option("missingkey=error").
		Funcs(template.FuncMap{"yaml": scalar}).Parse(stackTemplate)
	if err != nil {
		return "", fmt.Errorf("parse stack template: %w", err)
	}
	var text strings.Builder
	if err := tmpl.Execute(&text, a); err != nil {
		return "", fmt.Errorf("render stack file: %w", err)
	}
	return text.String(), nil
}

// scalar writes text as a YAML value, in quotes where it needs them.
func scalar(text string) (string, error) {
	var plain any
	if yaml.Unmarshal([]byte(text), &plain) == nil && plain == text && !strings.Contains(text, "\n") {
		return text, nil
	}
	if !utf8.ValidString(text) {
		return "", errors.New("not UTF-8")
	}
	quoted, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: text})
	return strings.TrimSuffix(string(quoted), "\n"), err
}

// stackFile is Pulumi.<stack>.yaml, as found and as it is to be.
type stackFile struct {
	path   string
	fresh  bool           // there is none yet, or only the example
	config map[string]any // what is under `config:`
	text   string         // to be written; only when fresh
	// rest is what Pulumi itself keeps beside `config:`, such as the salt.
	rest map[string]any
}

func (f *stackFile) read() error {
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		f.fresh = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("read stack file: %w", err)
	}
	if f.config, f.rest, err = parseStack(string(text)); err != nil {
		return fmt.Errorf("parse stack file %q: %w", f.path, err)
	}
	exampleText, err := render(example)
	if err != nil {
		return err
	}
	exampleConfig, _, err := parseStack(exampleText)
	if err != nil {
		return fmt.Errorf("parse the example: %w", err)
	}
	f.fresh = len(f.config) == 0 || reflect.DeepEqual(f.config, exampleConfig)
	return nil
}

func parseStack(text string) (stackConfig, rest map[string]any, err error) {
	if err := yaml.Unmarshal([]byte(text), &rest); err != nil {
		return nil, nil, err
	}
	stackConfig, _ = rest["config"].(map[string]any)
	delete(rest, "config")
	return stackConfig, rest, nil
}

func (f *stackFile) write() error {
	if !f.fresh {
		return nil
	}
	text := f.text
	if len(f.rest) > 0 {
		rest, err := yaml.Marshal(f.rest)
		if err != nil {
			return fmt.Errorf("encode %q: %w", f.path, err)
		}
		text += "\n" + string(rest)
	}
	if err := os.WriteFile(f.path, []byte(text), 0o644); err != nil { //nolint:gosec // it is meant to be committed
		return fmt.Errorf("write stack file: %w", err)
	}
	return nil
}

// plan decides, before anything is written, what the file will say and which
// secrets are to be added. A new configuration that has problems ends here.
func plan(o *options, f *stackFile, ask *prompter) ([]config.Entry, error) {
	secrets, err := config.GenerateSecrets()
	if err != nil {
		return nil, err
	}
	if !f.fresh {
		return missing(secrets, f.config)
	}
	if err := o.complete(ask); err != nil {
		return nil, err
	}
	if f.text, err = render(o.answers); err != nil {
		return nil, err
	}
	if f.config, _, err = parseStack(f.text); err != nil {
		return nil, fmt.Errorf("parse what was rendered: %w", err)
	}
	f.config["construct:secrets"] = secrets.Tree()
	src, err := config.FromTree("construct", o.stack, o.dir, f.config)
	if err != nil {
		return nil, err
	}
	if _, err := config.Parse(src); err != nil {
		return nil, fmt.Errorf("nothing is written, since the answers have problems:\n%w", err)
	}
	return secrets.Entries(), nil
}

// missing returns the secrets that a stack file lacks. The two halves of the
// token key pair come together or not at all.
func missing(secrets config.Secrets, stackConfig map[string]any) ([]config.Entry, error) {
	present, _ := stackConfig["construct:secrets"].(map[string]any)
	var list []config.Entry
	for _, entry := range secrets.Entries() {
		if present[strings.TrimPrefix(entry.Key, "construct:secrets.")] == nil {
			list = append(list, entry)
		}
	}
	if (present["jwtPrivateKey"] == nil) != (present["jwtPublicKey"] == nil) {
		return nil, errors.New("construct:secrets has one half of the JWT key pair " +
			"(want both, or none to have a new pair generated: pulumi config rm --path)")
	}
	return list, nil
}
