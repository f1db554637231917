package fleetcmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/ssh"
)

// streams are a remote command's. Without in, it reads nothing.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run runs a command on a host. Its error is an exit with the command's code,
// or with ssh's where there was none.
func (d *dialer) run(ctx context.Context, h host, command string, s streams) error {
	client, err := d.connect(ctx, h)
	if err != nil {
		return coded(codeNoSSH, fmt.Errorf("%s: %w", h.Name, err))
	}
	session, err := client.NewSession()
	if err != nil {
		return coded(codeNoSSH, fmt.Errorf("%s: open a session: %w", h.Name, err))
	}
	defer func() { _ = session.Close() }() // its end is what Run returns
	stop := context.AfterFunc(ctx, func() { _ = session.Close() })
	defer stop()
	session.Stdout, session.Stderr = s.out, s.err
	if err := feed(session, s.in); err != nil {
		return coded(codeNoSSH, fmt.Errorf("%s: %w", h.Name, err))
	}
	return remote(h, session.Run(command))
}

// feed copies standard input beside the session, which otherwise would not end
// before it: at a terminal, that is never.
func feed(session *ssh.Session, in io.Reader) error {
	if in == nil {
		return nil
	}
	pipe, err := session.StdinPipe()
	if err != nil {
		return fmt.Errorf("open standard input: %w", err)
	}
	go func() {
		_, _ = io.Copy(pipe, in) // fails when the command has ended before
		_ = pipe.Close()
	}()
	return nil
}

// remote makes of a session's end this program's.
func remote(h host, err error) error {
	var ended *ssh.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ended) && ended.Signal() == "":
		return &exit{code: ended.ExitStatus()}
	}
	return coded(codeNoSSH, fmt.Errorf("%s: the connection ended: %w", h.Name, err))
}
