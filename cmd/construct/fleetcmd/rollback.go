package fleetcmd

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

var hexDigest = regexp.MustCompile(`^[0-9a-f]+$`)

// rollback takes a role's hosts back to a release that they keep.
func rollback() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "rollback ROLE [DIGEST]",
		Short: "Take a role back to the release before, or to one that its hosts keep",
		Long: `Take a role's hosts, one after the other, back to the good release before the
one that runs, or to the one of that digest (construct-release history, on the
host). If it does not get healthy, the host puts back what ran, and the hosts
after it are left alone. A release whose services are older than the database is
refused before anything is touched: they would not start.

Pulumi does not see it: an up without a change leaves it as it is, the next one
that changes something of the role releases what the configuration says.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			digest := strings.Join(args[1:], "")
			if len(args) == 2 && !hexDigest.MatchString(digest) {
				return fmt.Errorf("%q is not a digest (want a release of construct-release history)", digest)
			}
			f, d, err := o.open(cmd.Context())
			if err != nil {
				return err
			}
			defer d.close()
			hosts := f.role(args[0])
			if len(hosts) == 0 {
				return fmt.Errorf("%q is no role (want one of %s)", args[0], f.names(func(h host) string { return h.Role }))
			}
			return d.rollback(cmd.Context(), hosts, digest, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.register(cmd)
	return cmd
}

// rollback takes the hosts back to a release; "": the one before.
func (d *dialer) rollback(ctx context.Context, hosts []host, digest string, out, errOut io.Writer) error {
	if err := d.askSchema(ctx, hosts, digest, errOut); err != nil {
		return err
	}
	command := strings.TrimSpace("exec sudo /usr/local/sbin/construct-release rollback " + digest)
	differs := false
	for i, h := range hosts {
		before, err := d.askOne(ctx, h)
		if err != nil {
			return fmt.Errorf("%s: %w; nothing was changed there", h.Name, err)
		}
		fmt.Fprintf(out, "%s: release %s runs; going back\n", h.Name, orDash(before.release))
		failed := d.run(ctx, h, command, streams{out: out, err: errOut})
		now, err := d.askOne(ctx, h)
		if err != nil {
			fmt.Fprintf(errOut, "%s: what runs now is not known: %v\n", h.Name, err)
		} else {
			differs = differs || now.release != h.Release
			fmt.Fprintf(out, "%s: release %s runs, %d of %d services are well\n", h.Name, orDash(now.release), now.well(h.Services), len(h.Services))
		}
		if failed != nil {
			if left := len(hosts) - i - 1; left > 0 {
				fmt.Fprintf(errOut, "%d more hosts of the role were left alone\n", left)
			}
			return failed
		}
	}
	if differs {
		fmt.Fprintf(out, `
The configuration still says release %s. pulumi up leaves %s as it is now until
something of it changes in the configuration; then it brings the configured
release back. So put the version that runs now there as well, or one that is
better. Until then construct status says that it differs.
`, hosts[0].Release, hosts[0].Role)
	}
	return nil
}
