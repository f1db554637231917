package command

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/construct-server/infra/sim/plugins/provider"
)

// The variables that carry the previous run's output.
const (
	previousStdout = "PULUMI_COMMAND_STDOUT"
	previousStderr = "PULUMI_COMMAND_STDERR"
)

const acceptEnvHint = `unable to set %q: this works only if the SSH server accepts the variable through ` +
	`AcceptEnv; a shell on the remote host takes it in front of the command, as 'VAR=value command'`

// setter is the part of an SSH session that sets variables.
type setter interface {
	Setenv(name, value string) error
}

// setEnvironment sets the program's variables, each of which must be accepted,
// and the previous output, which is only warned about.
func setEnvironment(ctx context.Context, session setter, in provider.Values, before printed) error {
	env := in.StringMap("environment")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if err := session.Setenv(name, env[name]); err != nil {
			provider.Fail(ctx, acceptEnvHint, name)
			return fmt.Errorf("could not set environment variable %q: %w", name, err)
		}
	}
	for _, v := range previousEnvironment(in, before) {
		if err := session.Setenv(v.name, v.value); err != nil {
			provider.Warn(ctx, acceptEnvHint, v.name)
		}
	}
	return nil
}

type variable struct{ name, value string }

// previousEnvironment is the previous output as variables, unless switched off.
func previousEnvironment(in provider.Values, before printed) []variable {
	if in.Has("addPreviousOutputInEnv") && !in.Bool("addPreviousOutputInEnv") {
		return nil
	}
	var vars []variable
	if before.stdout != "" {
		vars = append(vars, variable{previousStdout, before.stdout})
	}
	if before.stderr != "" {
		vars = append(vars, variable{previousStderr, before.stderr})
	}
	return vars
}
