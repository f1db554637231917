package pulumicli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// CLI runs the pulumi command on one project.
type CLI struct {
	Dir   string   // the project: where Pulumi.yaml is
	Stack string   // "": the selected one, or what a command's own flags say
	Env   []string // beside this process's own

	program string
}

// New finds the command. It runs nothing.
func New(dir, stack string) (*CLI, error) {
	program, err := find(dir)
	if err != nil {
		return nil, err
	}
	return &CLI{Dir: dir, Stack: stack, program: program}, nil
}

// Failure is a command that failed. Its text has what was said on standard error,
// and nothing of standard output, which may hold secrets that were asked for.
type Failure struct {
	Command string // "config get": without flags
	Said    string // on standard error
	Printed []byte // on standard output
	Err     error
}

func (f *Failure) Error() string {
	return strings.TrimSpace(fmt.Sprintf("run pulumi %s: %v: %s", f.Command, f.Err, f.Said))
}

func (f *Failure) Unwrap() error { return f.Err }

// Run runs a command and returns what it printed. Its error is a *Failure.
func (c *CLI) Run(ctx context.Context, args ...string) ([]byte, error) {
	return c.RunWith(ctx, "", args...)
}

// RunWith is Run with something to read.
func (c *CLI) RunWith(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	command := strings.Join(args[:flags(args)], " ")
	if c.Stack != "" {
		args = append(args[:len(args):len(args)], "--stack", c.Stack)
	}
	cmd := exec.CommandContext(ctx, c.program, append(args[:len(args):len(args)], "--non-interactive")...)
	cmd.Dir = c.Dir
	cmd.Env = append(append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true"), c.Env...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, &Failure{Command: command, Said: strings.TrimSpace(stderr.String()), Printed: stdout.Bytes(), Err: err}
	}
	return stdout.Bytes(), nil
}

// flags is where the first flag is.
func flags(args []string) int {
	for i, arg := range args {
		if strings.HasPrefix(arg, "-") {
			return i
		}
	}
	return len(args)
}

// Preview is what `pulumi preview --json` prints, secrets masked. The error has
// what the program and the engine complain about, which is printed there as well.
func (c *CLI) Preview(ctx context.Context) ([]byte, error) {
	out, err := c.Run(ctx, "preview", "--json")
	var failed *Failure
	if errors.As(err, &failed) {
		failed.Said = strings.TrimSpace(failed.Said + "\n" + complaints(failed.Printed))
	}
	return out, err
}

// complaints are the errors among a preview's diagnostics; if there are none to
// be read, all that it printed.
func complaints(preview []byte) string {
	var printed struct {
		Diagnostics []struct{ Severity, Message string }
	}
	var all []string
	if json.Unmarshal(preview, &printed) == nil {
		for _, d := range printed.Diagnostics {
			if d.Severity == "error" {
				all = append(all, strings.TrimSpace(d.Message))
			}
		}
	}
	if len(all) == 0 {
		return string(bytes.TrimSpace(preview))
	}
	return strings.Join(all, "\n")
}
