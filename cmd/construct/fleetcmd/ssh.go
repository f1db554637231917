package fleetcmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"
	"golang.org/x/term"
)

// shell opens a shell on a host.
func shell() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "ssh HOST",
		Short: "Open a shell on a host",
		Long: `Open a shell on a host, through the gateway, with the host keys that the stack
knows. Without a terminal, the shell reads its commands from standard input.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, d, err := o.open(cmd.Context())
			if err != nil {
				return coded(codeNoSSH, err)
			}
			defer d.close()
			h, err := f.find(args[0])
			if err != nil {
				return coded(codeNoSSH, err)
			}
			return d.shell(cmd.Context(), h, streams{in: cmd.InOrStdin(), out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()})
		},
	}
	o.register(cmd)
	return cmd
}

func (d *dialer) shell(ctx context.Context, h host, s streams) error {
	client, err := d.connect(ctx, h)
	if err != nil {
		return coded(codeNoSSH, fmt.Errorf("%s: %w", h.Name, err))
	}
	session, err := client.NewSession()
	if err != nil {
		return coded(codeNoSSH, fmt.Errorf("%s: open a session: %w", h.Name, err))
	}
	defer func() { _ = session.Close() }() // its end is what Wait returns
	stop := context.AfterFunc(ctx, func() { _ = session.Close() })
	defer stop()
	session.Stdout, session.Stderr = s.out, s.err
	restore, err := terminal(session, s.in)
	if err != nil {
		return coded(codeNoSSH, fmt.Errorf("%s: %w", h.Name, err))
	}
	defer restore()
	if err := feed(session, s.in); err != nil {
		return coded(codeNoSSH, fmt.Errorf("%s: %w", h.Name, err))
	}
	if err := session.Shell(); err != nil {
		return coded(codeNoSSH, fmt.Errorf("%s: start a shell: %w", h.Name, err))
	}
	return remote(h, session.Wait())
}

// terminal gives the session a terminal like the operator's, whose keys go to
// the host as they are, until restore. Without one it does nothing.
func terminal(session *ssh.Session, in io.Reader) (restore func(), err error) {
	file, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return func() {}, nil
	}
	fd := int(file.Fd())
	width, height, err := term.GetSize(fd)
	if err != nil {
		return nil, fmt.Errorf("size of the terminal: %w", err)
	}
	kind := os.Getenv("TERM")
	if kind == "" {
		kind = "xterm"
	}
	if err := session.RequestPty(kind, height, width, ssh.TerminalModes{ssh.ECHO: 1}); err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	before, err := term.MakeRaw(fd)
	if err != nil {
		return nil, fmt.Errorf("set the terminal: %w", err)
	}
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	go func() {
		for range resized {
			if width, height, err := term.GetSize(fd); err == nil {
				_ = session.WindowChange(height, width) // the next one may arrive
			}
		}
	}()
	return func() {
		signal.Stop(resized)
		close(resized)
		_ = term.Restore(fd, before) // there is nothing left to do about it
	}, nil
}
