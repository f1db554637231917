package command

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
)

func remoteCommand() *provider.Resource {
	inputs := lifecycleInputs()
	inputs["connection"] = connectionProperty()
	return commandResource(inputs, runRemote)
}

// runRemote runs one command on the host that the inputs connect to.
func runRemote(ctx context.Context, in provider.Values, text string, before printed) (provider.Output, error) {
	client, err := dial(ctx, in.Object("connection"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	defer func() { _ = session.Close() }()
	if err := setEnvironment(ctx, session, in, before); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer stop()
	out := newCapture(ctx, in)
	session.Stdin = out.stdin(in)
	session.Stdout, session.Stderr = out.writers()
	err = session.Run(text)
	out.flush()
	if err != nil {
		return nil, out.failure(err, text)
	}
	return out.printed().output(), nil
}
