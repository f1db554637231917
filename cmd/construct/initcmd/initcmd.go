package initcmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/construct-server/infra/config"
)

// options are the command's flags.
type options struct {
	answers
	dir             string // the project: where Pulumi.yaml is
	stack           string
	secretsProvider string // of pulumi stack init; empty: the backend's own
	yes             bool   // never ask
}

// New returns the command `init`.
func New() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a complete stack configuration, with every secret generated",
		Long: `Write Pulumi.<stack>.yaml, create the stack, generate every secret and encrypt
it with the stack's secrets provider. What no flag gives is asked for on a
terminal. On a stack that has a configuration already, only the secrets that
are missing are added; nothing that exists is changed.`,
		Example: `  construct init --stack prod --cloud hetzner --region fsn1 --domain chat.example.com \
    --email ops@example.com --allowed-cidr 203.0.113.7/32 \
    --image ghcr.io/example/construct-server --tag 0.7.0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask := &prompter{in: cmd.InOrStdin(), out: cmd.ErrOrStderr()}
			ask.enabled = !o.yes && isTerminal(cmd.InOrStdin())
			return run(cmd.Context(), &o, ask, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.stack, "stack", "prod", "name of the stack")
	f.StringVar(&o.dir, "dir", ".", "directory of the project")
	f.StringVar(&o.Cloud, "cloud", "", "digitalocean or hetzner")
	f.StringVar(&o.Region, "region", "", "the cloud's region or location")
	f.StringVar(&o.Domain, "domain", "", "public name of the gateway; none: reached by address")
	f.StringVar(&o.Email, "email", "", "address for the certificate authority's notices")
	f.StringVar(&o.PublicKeyPath, "ssh-public-key", "", "file of your public key (default the first in ~/.ssh)")
	f.StringVar(&o.PrivateKeyPath, "ssh-private-key", "", "file of your private key (default the SSH agent)")
	f.StringSliceVar(&o.AllowedCIDRs, "allowed-cidr", nil, "network that may connect by SSH; repeatable")
	f.BoolVar(&o.AllowAnywhere, "allow-anywhere", false, "permit 0.0.0.0/0 as an --allowed-cidr")
	f.BoolVar(&o.Media, "media", true, "run the media server")
	f.StringVar(&o.Repository, "image", "", "image of the Construct services, without tag")
	f.StringVar(&o.Tag, "tag", "", "version of the image")
	f.StringVar(&o.Digest, "digest", "", "the same by content, sha256:…")
	f.StringVar(&o.secretsProvider, "secrets-provider", "", "as for pulumi stack init")
	f.BoolVar(&o.yes, "yes", false, "ask nothing")
	return cmd
}

func isTerminal(in io.Reader) bool {
	file, ok := in.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

func run(ctx context.Context, o *options, ask *prompter, out io.Writer) error {
	cli, err := newCLI(o.dir, o.stack)
	if err != nil {
		return err
	}
	file := stackFile{path: filepath.Join(o.dir, "Pulumi."+o.stack+".yaml")}
	if err := file.read(); err != nil {
		return err
	}
	secrets, err := plan(o, &file, ask)
	if err != nil {
		return err
	}
	if err := cli.unlock(ctx, o.secretsProvider, ask); err != nil {
		return err
	}
	if err := file.write(); err != nil {
		return err
	}
	if err := cli.selectStack(ctx, o.secretsProvider); err != nil {
		return err
	}
	for i, secret := range secrets {
		if err := cli.setSecret(ctx, secret.Key, secret.Value); err != nil {
			return fmt.Errorf("%w (%d of %d secrets are set; run construct init again for the rest)", err, i, len(secrets))
		}
	}
	if err := cli.check(ctx, file.path); err != nil {
		return fmt.Errorf("stack %q is written, but its configuration has problems:\n%w", o.stack, err)
	}
	return report(out, o, &file, len(secrets))
}

// report says what was done and what comes next.
func report(out io.Writer, o *options, file *stackFile, secrets int) error {
	done := "Wrote " + file.path
	if !file.fresh {
		done = "Kept " + file.path + " as it is"
	}
	token := "digitalocean:token"
	if file.config["construct:cloud"] == string(config.Hetzner) {
		token = "hcloud:token"
	}
	_, err := fmt.Fprintf(out, `%s, with %d new secrets, encrypted.

Next:
  give the cloud's token: pulumi config set --secret %s --stack %s
  see what would be made: pulumi preview --stack %s
  make it:                pulumi up --stack %s
`, done, secrets, token, o.stack, o.stack, o.stack)
	if err != nil {
		return fmt.Errorf("print summary: %w", err)
	}
	return nil
}
