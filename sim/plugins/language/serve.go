package language

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Main runs the language host as the engine starts it: the engine's address is
// the one argument, the chosen port goes to stdout. It returns an exit code.
func Main() int {
	flags := flag.NewFlagSet("pulumi-language-go", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	for _, name := range []string{"tracing", "binary", "buildTarget", "root"} {
		flags.String(name, "", "")
	}
	flags.Bool("logtostderr", false, "")
	flags.Bool("logflow", false, "")
	flags.Int("v", 0, "")
	if err := flags.Parse(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "parse arguments:", err)
		return 2
	}
	if err := serve(flags.Arg(0), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(engine string, stdout io.Writer) error {
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(g *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(g, NewHost(engine))
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("serve language host: %w", err)
	}
	if _, err := fmt.Fprintln(stdout, handle.Port); err != nil {
		return fmt.Errorf("tell the port: %w", err)
	}
	if err := <-handle.Done; err != nil {
		return fmt.Errorf("serve language host: %w", err)
	}
	return nil
}
