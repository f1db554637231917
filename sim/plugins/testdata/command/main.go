// A program with one remote command, to try the stand-ins with the engine.
package main

import (
	"github.com/pulumi/pulumi-command/sdk/go/command/remote"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg := config.New(ctx, "")
		args := &remote.CommandArgs{
			Connection: remote.ConnectionArgs{
				Host:           pulumi.String(cfg.Require("host")),
				Port:           pulumi.Float64(cfg.RequireFloat64("port")),
				User:           pulumi.String("root"),
				PrivateKey:     cfg.RequireSecret("privateKey"),
				HostKey:        pulumi.String(cfg.Require("hostKey")),
				DialErrorLimit: pulumi.Int(2),
			},
			Create:                 pulumi.String(cfg.Require("create")),
			Update:                 pulumi.String(cfg.Require("update")),
			Delete:                 pulumi.String("echo deleted"),
			Stdin:                  cfg.RequireSecret("stdin"),
			Logging:                remote.LoggingNone,
			AddPreviousOutputInEnv: pulumi.Bool(false),
		}
		if trigger := cfg.Get("trigger"); trigger != "" {
			args.Triggers = pulumi.Array{pulumi.String(trigger)}
		}
		cmd, err := remote.NewCommand(ctx, "run", args)
		if err != nil {
			return err
		}
		ctx.Export("stdout", cmd.Stdout)
		return nil
	})
}
