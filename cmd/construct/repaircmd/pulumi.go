package repaircmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// cli runs the pulumi command on one stack of one project.
type cli struct{ program, dir, stack string }

// newCLI finds pulumi: the one on PATH, else the one that make built.
func newCLI(dir, stack string) (*cli, error) {
	program, err := exec.LookPath("pulumi")
	if err == nil {
		return &cli{program, dir, stack}, nil
	}
	if program, err = filepath.Abs(filepath.Join(dir, ".tools", "bin", "pulumi")); err != nil {
		return nil, fmt.Errorf("find pulumi: %w", err)
	}
	if _, err := os.Stat(program); err != nil {
		return nil, errors.New("no pulumi on PATH, nor one built by make (want https://www.pulumi.com/docs/install, or make tools)")
	}
	return &cli{program, dir, stack}, nil
}

// run returns what a command printed. The error has both of its streams, since
// pulumi says in either why it failed; never those of a command that was asked
// for secrets.
func (c *cli) run(ctx context.Context, args ...string) ([]byte, error) {
	out, said, err := c.start(ctx, args)
	if err != nil {
		return nil, fmt.Errorf("run pulumi %s: %w: %s\n%s", args[0], err, said, bytes.TrimSpace(out))
	}
	return out, nil
}

func (c *cli) start(ctx context.Context, args []string) (out []byte, said string, err error) {
	if c.stack != "" {
		args = append(args, "--stack", c.stack)
	}
	cmd := exec.CommandContext(ctx, c.program, append(args, "--non-interactive")...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err = cmd.Output()
	return out, strings.TrimSpace(stderr.String()), err
}

// settings are the stack's configuration, secrets in clear.
func (c *cli) settings(ctx context.Context) (map[string]string, error) {
	out, said, err := c.start(ctx, []string{"config", "--json", "--show-secrets"})
	if err != nil {
		return nil, fmt.Errorf("run pulumi config: %w: %s", err, said)
	}
	var entries map[string]struct{ Value string }
	if json.Unmarshal(out, &entries) != nil { // its error could quote a secret
		return nil, errors.New("parse pulumi config: not the JSON that was asked for")
	}
	all := map[string]string{}
	for key, entry := range entries {
		all[key] = entry.Value
	}
	return all, nil
}

// withFile runs a command that reads value as a JSON file.
func (c *cli) withFile(ctx context.Context, value any, args ...string) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	dir, err := os.MkdirTemp("", "construct-repair-")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // holds no secret in clear
	file := filepath.Join(dir, "file.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return fmt.Errorf("write a file for pulumi: %w", err)
	}
	_, err = c.run(ctx, append(args, "--file", file)...)
	return err
}
