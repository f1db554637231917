// Command infra is the Pulumi program: it turns a stack's configuration into
// a running deployment of Construct Server. Run it by "pulumi up".
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/cloud/digitalocean"
	"github.com/construct-server/infra/cloud/hetzner"
	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/program"
)

func main() { pulumi.Run(run) }

// run loads the configuration, chooses the cloud, builds and exports.
func run(ctx *pulumi.Context) error {
	source, err := config.Environment(ctx.Project(), ctx.Stack(), ctx.RootDirectory())
	if err != nil {
		return err
	}
	cfg, err := config.Parse(source)
	if err != nil {
		return err
	}
	scope := cloud.Scope{Project: cfg.Project, Stack: cfg.Stack, Region: cfg.Region}
	provider, err := choose(ctx, cfg.Cloud, scope)
	if err != nil {
		return err
	}
	outputs, err := program.Build(ctx, cfg, scope, provider)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		ctx.Export(name, outputs[name])
	}
	return nil
}

// choose is the only place where the clouds are told apart.
func choose(ctx *pulumi.Context, name config.Cloud, scope cloud.Scope) (cloud.Provider, error) {
	switch name {
	case config.DigitalOcean:
		return digitalocean.New(scope), nil
	case config.Hetzner:
		// Where Pulumi's own provider finds them.
		return hetzner.New(scope).WithPrices(hetzner.Account{
			Token: setting(ctx, "hcloud:token", "HCLOUD_TOKEN"), Endpoint: setting(ctx, "hcloud:endpoint", "HCLOUD_ENDPOINT"),
		}), nil
	}
	return nil, fmt.Errorf("construct:cloud: %q is unknown (want digitalocean or hetzner)", name)
}

// setting is a provider's setting, from the stack's configuration or else from
// the environment.
func setting(ctx *pulumi.Context, key, variable string) string {
	if value, ok := ctx.GetConfig(key); ok {
		return value
	}
	return os.Getenv(variable)
}
