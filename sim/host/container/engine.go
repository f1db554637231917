package container

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// docker runs the docker command line and returns its standard output,
// trimmed. The error quotes standard error.
func docker(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String())
		return strings.TrimSpace(stdout.String()), fmt.Errorf("docker %s: %w: %s", verb(args), err, said)
	}
	return strings.TrimSpace(stdout.String()), nil
}

// verb is the part of a command line worth quoting.
func verb(args []string) string {
	if len(args) > 1 && (args[0] == "network" || args[0] == "volume" || args[0] == "image") {
		return args[0] + " " + args[1]
	}
	return args[0]
}

// missing reports whether docker failed because the object does not exist.
func missing(err error) bool {
	if err == nil {
		return false
	}
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "no such") || strings.Contains(text, "not found")
}

// shell runs a script in a container, with arguments as $1, $2 …
func shell(ctx context.Context, container, script string, args ...string) (string, error) {
	return docker(ctx, nil, append([]string{"exec", container, "sh", "-ec", script, "sh"}, args...)...)
}

// list returns the names of an instance's containers, networks or volumes,
// all instances' for instance "".
func list(ctx context.Context, kind, instance string) ([]string, error) {
	args := map[string][]string{
		"container": {"ps", "--all", "--format", "{{.Names}}"},
		"network":   {"network", "ls", "--format", "{{.Name}}"},
		"volume":    {"volume", "ls", "--format", "{{.Name}}"},
	}[kind]
	label := labelInstance
	if instance != "" {
		label += "=" + instance
	}
	out, err := docker(ctx, nil, append(args, "--filter", "label="+label)...)
	if err != nil {
		return nil, err
	}
	return strings.Fields(out), nil
}

const (
	labelSim      = "construct.sim=1"
	labelInstance = "construct.sim.instance"
)

func labels(instance string) []string {
	return []string{"--label", labelSim, "--label", labelInstance + "=" + instance}
}
