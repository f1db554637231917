package repaircmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/construct-server/infra/cmd/construct/pulumicli"
)

// cli is pulumi on the stack that is repaired.
type cli struct{ *pulumicli.CLI }

func newCLI(dir, stack string) (*cli, error) {
	pulumi, err := pulumicli.New(dir, stack)
	if err != nil {
		return nil, err
	}
	return &cli{pulumi}, nil
}

// settings are the stack's configuration, secrets in clear.
func (c *cli) settings(ctx context.Context) (map[string]string, error) {
	out, err := c.Run(ctx, "config", "--json", "--show-secrets")
	if err != nil {
		return nil, err
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
	_, err = c.Run(ctx, append(args, "--file", file)...)
	var failed *pulumicli.Failure
	if errors.As(err, &failed) { // what goes wrong in an import is among what it prints
		return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(failed.Printed))
	}
	return err
}
