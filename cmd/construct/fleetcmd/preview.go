package fleetcmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/construct-server/infra/cmd/construct/pulumicli"
)

// preview says what the next `pulumi up` does to what runs.
func preview() *cobra.Command {
	var o options
	var file string
	cmd := &cobra.Command{
		Use:   "preview",
		Short: "Say which services the next pulumi up replaces or restarts, and for how long",
		Long: `Run pulumi preview and say what it means for the services that run: which are
replaced beside the one that serves, so that no request fails, and which stop
before they start anew. Of those with data, their host is asked how long the last
time was. Servers, networks, volumes and names are pulumi preview's to show.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			printed, err := o.preview(cmd.Context(), file)
			if err != nil {
				return err
			}
			changes, err := parseChanges(printed)
			if err != nil {
				return err
			}
			return o.explain(cmd.Context(), changes, cmd.OutOrStdout())
		},
	}
	o.register(cmd)
	cmd.Flags().StringVar(&file, "preview", "", "`file` with what pulumi preview --json printed, instead of running it")
	return cmd
}

// preview is what `pulumi preview --json` prints.
func (o *options) preview(ctx context.Context, file string) ([]byte, error) {
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the preview: %w", err)
		}
		return data, nil
	}
	pulumi, err := pulumicli.New(o.dir, o.stack)
	if err != nil {
		return nil, err
	}
	return pulumi.Preview(ctx)
}

// explain prints each change; to those that take a service with data away, how
// long the last took.
func (o *options) explain(ctx context.Context, changes []change, out io.Writer) error {
	var answers map[string]answer
	var unknown error // why nobody was asked
	if slices.ContainsFunc(changes, change.restarts) {
		answers, unknown = o.askThose(ctx, changes)
	}
	restarts := 0
	for _, c := range changes {
		fmt.Fprintln(out, c)
		if !c.restarts() {
			continue
		}
		restarts++
		if unknown == nil {
			fmt.Fprint(out, lastTime(c, answers[c.host]))
		}
	}
	if unknown != nil {
		fmt.Fprintf(out, "How long services with data were away the last time is not known: %v\n", unknown)
	}
	_, err := fmt.Fprintf(out, "services that change: %d; that restart: %d\n", len(changes), restarts)
	return err
}

// askThose asks the hosts on which something restarts, by name.
func (o *options) askThose(ctx context.Context, changes []change) (map[string]answer, error) {
	f, d, err := o.open(ctx)
	if err != nil {
		return nil, err
	}
	defer d.close()
	concerned := f.where(func(h host) bool {
		return slices.ContainsFunc(changes, func(c change) bool { return c.restarts() && c.host == h.Name })
	})
	answers := map[string]answer{}
	for _, a := range d.ask(ctx, concerned) {
		answers[a.host.Name] = a
	}
	return answers, nil
}

// lastTime is the line below a restart; nothing for what keeps no data, which no
// host takes the time of.
func lastTime(c change, a answer) string {
	if !slices.ContainsFunc(a.host.Services, func(s service) bool { return s.Name == c.service && s.Stateful }) {
		return ""
	}
	if a.facts == nil {
		return fmt.Sprintf("  how long the last time took is not known: %s\n", silence(a.err))
	}
	for _, i := range a.facts.interruptions {
		if i.Service == c.service {
			return fmt.Sprintf("  the last time, %s, all was healthy again within %d s\n", i.At, i.Seconds)
		}
	}
	return "  it has not restarted for a release before\n"
}
