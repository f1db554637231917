package initcmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// project is a copy of the cli project file and example, on a backend of its
// own, with a pulumi that notes how it is called.
type project struct {
	t        *testing.T
	dir, log string
	cli      string // the pulumi that is behind
	example  string
}

func newProject(t *testing.T) *project {
	t.Helper()
	cli, err := exec.LookPath("pulumi")
	if err != nil {
		if cli, err = filepath.Abs(filepath.Join(root, ".tools/bin/pulumi")); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(cli); err != nil {
			t.Skip("no pulumi on PATH or in .tools/bin: run make tools")
		}
	}
	p := &project{t: t, dir: t.TempDir(), log: filepath.Join(t.TempDir(), "calls"), cli: cli}
	for _, name := range []string{"Pulumi.yaml", "Pulumi.prod.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		p.write(filepath.Join(p.dir, name), string(text), 0o644)
	}
	p.example = p.read("Pulumi.prod.yaml")
	p.write(filepath.Join(p.dir, "id.pub"), publicKey, 0o644)
	bin := t.TempDir()
	p.write(filepath.Join(bin, "pulumi"), fmt.Sprintf("#!/bin/sh\n{ echo \"$@\"; env; } >>'%s'\nexec '%s' \"$@\"\n", p.log, cli), 0o755)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PULUMI_HOME", t.TempDir())
	t.Setenv("PULUMI_BACKEND_URL", "file://"+t.TempDir())
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse")
	t.Setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
	return p
}

func (p *project) write(file, text string, mode os.FileMode) {
	p.t.Helper()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) read(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// init runs the command without a terminal.
func (p *project) init(args ...string) (string, error) {
	cmd := New()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetIn(strings.NewReader(""))
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(append([]string{"--dir", p.dir}, args...))
	err := cmd.ExecuteContext(context.Background())
	return out.String(), err
}

func (p *project) pulumi(args ...string) []byte {
	p.t.Helper()
	cmd := exec.Command(p.cli, args...)
	cmd.Dir = p.dir
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("pulumi %v: %v", args, err)
	}
	return out
}

// secrets decrypts construct:secrets.
func (p *project) secrets() map[string]string {
	p.t.Helper()
	var settings map[string]struct {
		Object map[string]string `json:"objectValue"`
		Secret bool              `json:"secret"`
	}
	var known map[string]json.RawMessage
	if err := json.Unmarshal(p.pulumi("config", "--json", "--show-secrets", "--stack", "prod"), &known); err != nil {
		p.t.Fatal(err)
	}
	one, err := json.Marshal(map[string]json.RawMessage{"s": known["construct:secrets"]})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal(one, &settings); err != nil {
		p.t.Fatal(err)
	}
	if len(settings["s"].Object) != 13 || !settings["s"].Secret {
		p.t.Fatalf("%d secrets, encrypted: %v", len(settings["s"].Object), settings["s"].Secret)
	}
	return settings["s"].Object
}

// requireNothingLeaked fails if a secret was in an argument, in the environment
// of a pulumi process, or stands in the stack file.
func (p *project) requireNothingLeaked(secrets map[string]string) {
	p.t.Helper()
	calls, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	if n := bytes.Count(calls, []byte("config set --secret --path construct:secrets.")); n != 13 {
		p.t.Errorf("%d secrets set by the command line, want 13", n)
	}
	for key, value := range secrets {
		for _, line := range strings.Split(value, "\n") {
			if strings.HasPrefix(line, "-----") {
				continue
			}
			if bytes.Contains(calls, []byte(line)) {
				p.t.Errorf("%s is in an argument or in the environment", key)
			}
			if strings.Contains(p.read("Pulumi.prod.yaml"), line) {
				p.t.Errorf("%s is in the stack file", key)
			}
		}
	}
}
