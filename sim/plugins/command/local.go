package command

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"

	"github.com/construct-server/infra/sim/plugins/provider"
)

func localCommand() *provider.Resource {
	inputs := lifecycleInputs()
	inputs["dir"] = provider.Property{Type: provider.String}
	inputs["interpreter"] = provider.Property{Type: provider.ListOf(provider.String)}
	return commandResource(inputs, runLocal)
}

// runLocal runs one command on this machine, by default with /bin/sh -c.
func runLocal(ctx context.Context, in provider.Values, text string, before printed) (provider.Output, error) {
	argv := in.Strings("interpreter")
	if len(argv) == 0 {
		argv = []string{"/bin/sh", "-c"}
	}
	argv = append(argv, text)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // running the program's command is the purpose
	cmd.Dir = in.String("dir")
	cmd.Env = os.Environ()
	env := in.StringMap("environment")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	for _, v := range previousEnvironment(in, before) {
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%s", v.name, v.value))
	}
	out := newCapture(ctx, in)
	cmd.Stdin = out.stdin(in)
	cmd.Stdout, cmd.Stderr = out.writers()
	err := cmd.Run()
	out.flush()
	if err != nil {
		return nil, out.failure(err, text)
	}
	return out.printed().output(), nil
}
