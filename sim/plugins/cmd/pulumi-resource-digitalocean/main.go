// Command pulumi-resource-digitalocean is the stand-in for the Pulumi provider
// "digitalocean".
package main

import (
	"os"

	"github.com/construct-server/infra/sim/plugins/digitalocean"
	"github.com/construct-server/infra/sim/plugins/provider"
)

func main() { os.Exit(provider.Main(digitalocean.New())) }
