package initcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/construct-server/infra/cmd/construct/pulumicli"
	"github.com/construct-server/infra/config"
)

// cli is pulumi on the stack that is made.
type cli struct {
	*pulumicli.CLI

	stack string // named where a command wants it: not all take the flag
}

func newCLI(dir, stack string) (*cli, error) {
	pulumi, err := pulumicli.New(dir, "")
	if err != nil {
		return nil, err
	}
	return &cli{CLI: pulumi, stack: stack}, nil
}

// unlock asks for a passphrase where the stack's secrets will need one: on any
// backend but Pulumi's service, unless another secrets provider was named.
func (c *cli) unlock(ctx context.Context, provider string, ask *prompter) error {
	_, given := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE")
	_, inFile := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE_FILE")
	if given || inFile || (provider != "" && provider != "default" && provider != "passphrase") {
		return nil
	}
	out, err := c.Run(ctx, "whoami", "--json")
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
	c.Env = append(c.Env, "PULUMI_CONFIG_PASSPHRASE="+passphrase)
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
	_, err := c.Run(ctx, args...)
	return err
}

func (c *cli) setSecret(ctx context.Context, key, value string) error {
	_, err := c.RunWith(ctx, value, "config", "set", "--secret", "--path", key, "--stack", c.stack)
	return err
}

// check reads the configuration back as the program will get it.
func (c *cli) check(ctx context.Context, stackFile string) error {
	out, err := c.Run(ctx, "config", "--json", "--show-secrets", "--stack", c.stack)
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
	src := &config.Values{ProjectName: "construct", StackName: c.stack, BaseDir: c.Dir, Config: map[string]string{}}
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
