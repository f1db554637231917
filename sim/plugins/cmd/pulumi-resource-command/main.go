// Command pulumi-resource-command is the stand-in for the Pulumi provider
// "command".
package main

import (
	"os"

	"github.com/construct-server/infra/sim/plugins/command"
	"github.com/construct-server/infra/sim/plugins/provider"
)

func main() { os.Exit(provider.Main(command.New())) }
