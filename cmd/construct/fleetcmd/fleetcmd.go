package fleetcmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// defaultTimeout bounds reaching a host, and status's question to it.
const defaultTimeout = 10 * time.Second

// options are the flags that all commands have.
type options struct {
	dir     string // the project: where Pulumi.yaml is
	stack   string // empty: the selected one
	outputs string // file with the stack's outputs; empty: pulumi is asked
	key     string // file of the private key; empty: as configured, else the agent
	timeout time.Duration
}

// New returns the commands status, preview, logs, ssh, exec and rollback.
func New() []*cobra.Command {
	return []*cobra.Command{status(), preview(), logs(), shell(), execute(), rollback()}
}

func (o *options) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.stack, "stack", "", "name of the stack (default the selected one)")
	f.StringVar(&o.dir, "dir", ".", "directory of the project")
	f.StringVar(&o.outputs, "outputs", "", "`file` with what pulumi stack output --json printed, instead of asking")
	f.StringVar(&o.key, "ssh-private-key", "", "file of your private key (default construct:ssh.privateKeyPath, else the SSH agent)")
	f.DurationVar(&o.timeout, "timeout", defaultTimeout, "how long to wait for a host")
}

// open reads what the stack says and prepares to log in. The caller closes the
// dialer.
func (o *options) open(ctx context.Context) (*fleet, *dialer, error) {
	f, key, err := o.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	login, err := newLogin(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	return f, &dialer{fleet: f, login: login, timeout: o.timeout, hops: map[string]*hop{}}, nil
}
