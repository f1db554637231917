// Command prober runs on the hosts of the packet test: "prober serve" answers
// on the ports that it is told on standard input, "prober probe" tries those
// that it is told and prints who answered.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/construct-server/infra/e2e/packets"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "prober:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == "serve" {
		// As an argument: a container has no standard input.
		var l packets.Listen
		if err := json.Unmarshal([]byte(args[1]), &l); err != nil {
			return fmt.Errorf("read what to serve: %w", err)
		}
		return packets.Serve(ctx, l, func() { fmt.Println("ready") })
	}
	if len(args) == 1 && args[0] == "probe" {
		var t packets.Try
		if err := json.NewDecoder(os.Stdin).Decode(&t); err != nil {
			return fmt.Errorf("read what to probe: %w", err)
		}
		return json.NewEncoder(os.Stdout).Encode(packets.Run(ctx, t))
	}
	return errors.New("usage: prober serve JSON | prober probe <JSON")
}
