package initcmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/term"

	"github.com/construct-server/infra/cmd/construct/pulumicli"
	"github.com/construct-server/infra/config"
)

// cli runs the pulumi command on one stack of one project.
type cli struct {
	program, dir, stack string
	passphrase          *string // nil: pulumi finds what it needs by itself
}

func newCLI(dir, stack string) (*cli, error) {
	program, err := pulumicli.Find(dir)
	if err != nil {
		return nil, err
	}
	return &cli{program: program, dir: dir, stack: stack}, nil
}

// run runs a pulumi command with stdin, and returns what it printed.
func (c *cli) run(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.program, append(args, "--non-interactive")...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true")
	if c.passphrase != nil {
		cmd.Env = append(cmd.Env, "PULUMI_CONFIG_PASSPHRASE="+*c.passphrase)
	}
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run pulumi %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// unlock asks for a passphrase where the stack's secrets will need one: on any
// backend but Pulumi's service, unless another secrets provider was named.
func (c *cli) unlock(ctx context.Context, provider string, ask *prompter) error {
	_, given := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE")
	_, inFile := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE_FILE")
	if given || inFile || (provider != "" && provider != "default" && provider != "passphrase") {
		return nil
	}
	out, err := c.run(ctx, "", "whoami", "--json")
	if err != nil {
		return err
	}
	var backend struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(out, &backend); err != nil {
		return fmt.Errorf("parse pulumi whoami: %w", err)
	}
	if strings.HasPrefix(backend.URL, "http") && provider != "passphrase" {
		return nil
	}
	passphrase, err := ask.secret("Passphrase that encrypts the stack's secrets")
	if err != nil {
		return err
	}
	c.passphrase = &passphrase
	return nil
}

// secret asks for a passphrase without showing it.
func (p *prompter) secret(question string) (string, error) {
	file, ok := p.in.(*os.File)
	if !p.enabled || !ok {
		return "", errors.New("no passphrase for the stack's secrets (want PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE)")
	}
	fmt.Fprint(p.out, question+": ")
	text, err := term.ReadPassword(int(file.Fd()))
	fmt.Fprintln(p.out)
	if err != nil {
		return "", fmt.Errorf("read passphrase: %w", err)
	}
	return string(text), nil
}

// selectStack creates the stack unless it exists.
func (c *cli) selectStack(ctx context.Context, provider string) error {
	args := []string{"stack", "select", "--create", "--stack", c.stack}
	if provider != "" {
		args = append(args, "--secrets-provider", provider)
	}
	_, err := c.run(ctx, "", args...)
	return err
}

func (c *cli) setSecret(ctx context.Context, key, value string) error {
	_, err := c.run(ctx, value, "config", "set", "--secret", "--path", key, "--stack", c.stack)
	return err
}

// check reads the configuration back as the program will get it.
func (c *cli) check(ctx context.Context, stackFile string) error {
	out, err := c.run(ctx, "", "config", "--json", "--show-secrets", "--stack", c.stack)
	if err != nil {
		return err
	}
	var settings map[string]struct {
		Value  string `json:"value"`
		Secret bool   `json:"secret"`
	}
	if json.Unmarshal(out, &settings) != nil { // its error could quote a secret
		return errors.New("parse pulumi config: not the JSON that was asked for")
	}
	src := &config.Values{ProjectName: "construct", StackName: c.stack, BaseDir: c.dir, Config: map[string]string{}}
	var secretKeys []string
	for key, setting := range settings {
		src.Config[key] = setting.Value
		if setting.Secret {
			secretKeys = append(secretKeys, key)
		}
	}
	if src.Secret, err = config.SecretsIn(stackFile, secretKeys); err != nil {
		return err
	}
	_, err = config.Parse(src)
	return err
}
