package fleetcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/spf13/cobra"

	"github.com/construct-server/infra/deploy"
)

// defaultTail is how many lines of the past are shown.
const defaultTail = 100

// logs prints what containers write.
func logs() *cobra.Command {
	var o options
	var follow bool
	var tail int
	cmd := &cobra.Command{
		Use:   "logs HOST|SERVICE",
		Short: "Print what a service, or every service of a host, logs",
		Example: `  construct logs messaging-service --follow
  construct logs db-1 --tail 20`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, d, err := o.open(cmd.Context())
			if err != nil {
				return err
			}
			defer d.close()
			hosts, command, err := f.logs(args[0], tail, follow)
			if err != nil {
				return err
			}
			return d.runAll(cmd.Context(), hosts, command, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until interrupted")
	cmd.Flags().IntVar(&tail, "tail", defaultTail, "how many lines of the past; a negative number: all")
	return cmd
}

// logs finds whose logs are meant, and the command that prints them there.
func (f *fleet) logs(name string, tail int, follow bool) ([]host, string, error) {
	options := " --tail " + strconv.Itoa(tail)
	if tail < 0 {
		options = " --tail all"
	}
	if follow {
		options += " --follow"
	}
	if hosts := f.running(name); len(hosts) > 0 {
		word, err := deploy.Quote(name)
		return hosts, "exec sudo /usr/local/sbin/construct-release logs " + word + options, err
	}
	hosts := f.role(name)
	if len(hosts) == 0 {
		h, err := f.find(name)
		if err != nil {
			return nil, "", fmt.Errorf("%w, nor is it a service of one", err)
		}
		hosts = []host{h}
	}
	return hosts, "exec sudo docker compose --project-name construct logs" + options, nil
}

// runAll runs a command on several hosts at once; with more than one, each line
// begins with its host. The first error is returned, an interruption is none.
func (d *dialer) runAll(ctx context.Context, hosts []host, command string, out, errOut io.Writer) error {
	if len(hosts) == 1 {
		return uninterrupted(ctx, d.run(ctx, hosts[0], command, streams{out: out, err: errOut}))
	}
	errs := make([]error, len(hosts))
	var all sync.WaitGroup
	var turn sync.Mutex
	for i, h := range hosts {
		all.Go(func() {
			to, toErr := &lines{to: out, turn: &turn, prefix: h.Name + " | "}, &lines{to: errOut, turn: &turn, prefix: h.Name + " | "}
			errs[i] = uninterrupted(ctx, d.run(ctx, h, command, streams{out: to, err: toErr}))
			to.end()
			toErr.end()
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func uninterrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
