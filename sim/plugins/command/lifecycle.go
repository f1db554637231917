package command

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// runner runs text as the inputs say, given what the run before it printed.
type runner func(ctx context.Context, in provider.Values, text string, before printed) (provider.Output, error)

// commandResource is a resource whose create, update and delete texts run
// through run.
func commandResource(inputs map[string]provider.Property, run runner) *provider.Resource {
	return &provider.Resource{
		Inputs:     inputs,
		Outputs:    map[string]provider.Type{"stdout": provider.String, "stderr": provider.String},
		DiffInputs: true,
		Unsettled:  everyOutput,
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			return created(in.String("create"), func(text string) (provider.Output, error) {
				return run(ctx, in, text, printed{})
			})
		},
		Update: func(ctx context.Context, _ string, old, in provider.Values) (provider.Output, error) {
			return runOr(updateText(in), previous(old), func(text string) (provider.Output, error) {
				return run(ctx, in, text, previous(old))
			})
		},
		Delete: func(ctx context.Context, _ string, state provider.Values) error {
			_, err := runOr(state.String("delete"), previous(state), func(text string) (provider.Output, error) {
				return run(ctx, state, text, previous(state))
			})
			return err
		},
	}
}

// printed is what a run left on stdout and stderr.
type printed struct{ stdout, stderr string }

func previous(state provider.Values) printed {
	return printed{stdout: state.String("stdout"), stderr: state.String("stderr")}
}

func (p printed) output() provider.Output {
	return provider.Output{"stdout": p.stdout, "stderr": p.stderr}
}

// updateText is `update`, or `create` where there is none.
func updateText(in provider.Values) string {
	if in.Has("update") {
		return in.String("update")
	}
	return in.String("create")
}

// runOr runs text; where there is none the previous output stands.
func runOr(text string, before printed, run func(string) (provider.Output, error)) (provider.Output, error) {
	if text == "" {
		return before.output(), nil
	}
	return run(text)
}

// created runs `create` and gives the resource an id; a failed command leaves
// no resource behind.
func created(text string, run func(string) (provider.Output, error)) (string, provider.Output, error) {
	out, err := runOr(text, printed{}, run)
	if err != nil {
		return "", nil, err
	}
	id, err := resource.NewUniqueHex("", 16, 0)
	if err != nil {
		return "", nil, fmt.Errorf("make up an id: %w", err)
	}
	return id, out, nil
}
