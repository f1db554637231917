// Command pulumi-language-go is the stand-in for Pulumi's Go language host.
package main

import (
	"os"

	"github.com/construct-server/infra/sim/plugins/language"
)

func main() { os.Exit(language.Main()) }
