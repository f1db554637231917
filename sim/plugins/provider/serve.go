package provider

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Main runs a provider plugin as the engine starts it: the engine's address is
// the one argument, the chosen port goes to stdout. It returns an exit code.
func Main(p *Provider) int {
	address, err := engineAddress(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if err := serve(p, address, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// engineAddress reads the arguments that the engine passes to plugins; all but
// the address concern logging and tracing, which the stand-ins do not offer.
func engineAddress(args []string) (string, error) {
	flags := flag.NewFlagSet("plugin", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Bool("logtostderr", false, "")
	flags.Bool("logflow", false, "")
	flags.Int("v", 0, "")
	flags.String("tracing", "", "")
	if err := flags.Parse(args); err != nil {
		return "", fmt.Errorf("parse arguments: %w", err)
	}
	return flags.Arg(0), nil
}

func serve(p *Provider, address string, stdout io.Writer) error {
	s, err := NewServer(p, address)
	if err != nil {
		return err
	}
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(g *grpc.Server) error {
			pulumirpc.RegisterResourceProviderServer(g, plugin.NewProviderServer(s))
			return nil
		},
		Options: []grpc.ServerOption{grpc.MaxRecvMsgSize(maxMessage)},
	})
	if err != nil {
		return fmt.Errorf("serve provider %s: %w", p.Name, err)
	}
	if _, err := fmt.Fprintln(stdout, handle.Port); err != nil {
		return fmt.Errorf("tell the port: %w", err)
	}
	if err := <-handle.Done; err != nil {
		return fmt.Errorf("serve provider %s: %w", p.Name, err)
	}
	return nil
}

// maxMessage is the size of the largest gRPC message taken, in bytes: the
// engine's own limit.
const maxMessage = 400 << 20
