// Command pulumi-resource-hcloud is the stand-in for the Pulumi provider
// "hcloud".
package main

import (
	"os"

	"github.com/construct-server/infra/sim/plugins/hcloud"
	"github.com/construct-server/infra/sim/plugins/provider"
)

func main() { os.Exit(provider.Main(hcloud.New())) }
