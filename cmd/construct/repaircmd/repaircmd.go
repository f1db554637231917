package repaircmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

type options struct {
	dir, stack, address string
	yes                 bool
}

// New returns the command `repair`.
func New() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Find what a killed run left in the cloud, and take it into Pulumi's state",
		Long: `Compare what the next 'pulumi up' would create with what the cloud already has
under the same names, and show it. After a yes, take it into Pulumi's state;
delete a server instead, if it holds no volume, so that it is made again. Volumes
are never deleted. A server that is off is started: a run that is killed while it
resizes one leaves it so. Volumes and servers that were being changed are read back.
Operations that Pulumi saw begin and not end are struck from the state: the next run
does them again.

For after a run that was killed (pulumi cancel first) or that lost its connection
to the cloud while it created something.`,
		Example: "  pulumi cancel && construct repair && pulumi up",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), &o, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.stack, "stack", "", "name of the stack (default the selected one)")
	f.StringVar(&o.dir, "dir", ".", "directory of the project")
	f.StringVar(&o.address, "address", "", "the reserved IP that is ours, on DigitalOcean, which does not name them")
	f.BoolVar(&o.yes, "yes", false, "ask nothing")
	return cmd
}

func run(ctx context.Context, o *options, in io.Reader, out io.Writer) error {
	c, err := newCLI(o.dir, o.stack)
	if err != nil {
		return err
	}
	settings, err := c.settings(ctx)
	if err != nil {
		return err
	}
	asked, err := choose(ctx, settings, o.address)
	if err != nil {
		return err
	}
	s, err := c.export(ctx)
	if err != nil {
		return err
	}
	all, err := c.search(ctx, s, asked)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d operations of an earlier run were not seen to end.\n", s.total)
	for _, f := range all {
		fmt.Fprintln(out, f)
	}
	for _, changed := range s.resized {
		fmt.Fprintf(out, "read    %s %s: it was being changed, and may be by now\n", changed.kind(), changed.name())
	}
	if len(all) == 0 && s.total == 0 {
		fmt.Fprintln(out, "The cloud has nothing that the state does not know.")
		return nil
	}
	if err := confirm(o, in, out); err != nil {
		return err
	}
	return c.apply(ctx, s, all, out)
}

// search asks the cloud for each step, and whether the servers run.
func (c *cli) search(ctx context.Context, s *state, asked cloud) ([]*found, error) {
	steps, err := c.plan(ctx, s)
	if err != nil {
		return nil, err
	}
	var all []*found
	for _, step := range steps {
		f, err := asked.find(ctx, step)
		if err != nil {
			return nil, fmt.Errorf("look for %s %q: %w", step.kind(), step.name(), err)
		}
		if f != nil {
			f.step = step
			all = append(all, f)
		}
	}
	twins, err := asked.twins(ctx, s.servers)
	if err != nil {
		return nil, fmt.Errorf("look for servers of one name: %w", err)
	}
	all = append(all, twins...)
	for _, known := range s.servers {
		start, err := asked.stopped(ctx, known.ID)
		if err != nil {
			return nil, fmt.Errorf("look for server %s: %w", known.ID, err)
		}
		if start != nil {
			all = append(all, &found{step: step{URN: known.URN, Type: known.Type}, id: known.ID, start: start})
		}
	}
	return all, nil
}

func confirm(o *options, in io.Reader, out io.Writer) error {
	if o.yes {
		return nil
	}
	if file, ok := in.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		return errors.New("nothing was changed: no terminal to ask on (want --yes)")
	}
	fmt.Fprint(out, "Do this? [y/N] ")
	line, err := bufio.NewReader(in).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); err != nil || answer != "y" && answer != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

func (c *cli) apply(ctx context.Context, s *state, all []*found, out io.Writer) error {
	if err := c.settle(ctx, s); err != nil {
		return err
	}
	var kept []*found
	left := 0
	for _, f := range all {
		switch {
		case f.leave != "":
			left++
		case f.start != nil:
			if err := f.start(ctx); err != nil {
				return fmt.Errorf("start %s %s: %w", f.kind(), f.label(), err)
			}
		case f.remove == nil:
			kept = append(kept, f)
		default:
			if err := f.remove(ctx); err != nil {
				return fmt.Errorf("delete %s %s: %w", f.kind(), f.label(), err)
			}
		}
	}
	if err := c.adopt(ctx, s, kept); err != nil {
		return err
	}
	if err := c.readBack(ctx, s); err != nil {
		return err
	}
	if left > 0 {
		return fmt.Errorf("%d resources were left as they are; the reasons are above", left)
	}
	_, err := fmt.Fprintln(out, "Done. Next: pulumi up")
	return err
}
