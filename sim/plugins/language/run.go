package language

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/executable"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const (
	// exitLogged is the status of a program that has told the engine of its
	// error already.
	exitLogged = 32
	// stopWait is how long an interrupted program may take to end.
	stopWait = 5 * time.Second
)

// Run runs the program. A program's failure is part of the response; an error
// means that it could not be run.
func (h *Host) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	if h.engine == "" {
		return nil, errors.New("run program: the engine's address is not known")
	}
	env, err := h.environment(req)
	if err != nil {
		return nil, fmt.Errorf("prepare environment: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.cancelled, cancel)()
	bin, remove, err := h.program(ctx, req)
	if err != nil {
		return nil, err
	}
	defer remove()
	return runProgram(ctx, bin, req.GetPwd(), env), nil
}

// program returns the binary to run: the runtime option `binary` if set, else
// one built from the program's directory, which remove deletes unless the
// option `buildTarget` says where to keep it.
func (h *Host) program(ctx context.Context, req *pulumirpc.RunRequest) (bin string, remove func(), err error) {
	keep := func() {}
	options := req.GetInfo().GetOptions().AsMap()
	if name, ok := options["binary"].(string); ok && name != "" {
		bin, err := executable.FindExecutable(name)
		if err != nil {
			return "", nil, fmt.Errorf("find program %q: %w", name, err)
		}
		return bin, keep, nil
	}
	dir := req.GetInfo().GetProgramDirectory()
	if target, ok := options["buildTarget"].(string); ok && target != "" {
		return target, keep, h.build(ctx, dir, target)
	}
	temp, err := os.MkdirTemp("", "pulumi-go-")
	if err != nil {
		return "", nil, fmt.Errorf("make directory for the program: %w", err)
	}
	remove = func() { _ = os.RemoveAll(temp) }
	bin = filepath.Join(temp, "program")
	if err := h.build(ctx, dir, bin); err != nil {
		remove()
		return "", nil, err
	}
	return bin, remove, nil
}

// build compiles the program. Unlike the official host it does not trim paths,
// so that the build cache of an ordinary `go build` and `go test` is used.
func (h *Host) build(ctx context.Context, dir, target string) error {
	h.log(ctx, pulumirpc.LogSeverity_INFO, "Compiling the program ...")
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", "-w -s", "-o", target)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = os.Stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build program in %q: %w\n%s", dir, err, stderr.String())
	}
	h.log(ctx, pulumirpc.LogSeverity_INFO, "Finished compiling")
	return nil
}

// runProgram runs the binary to its end; what it prints goes where the engine
// reads it.
func runProgram(ctx context.Context, bin, dir string, env []string) *pulumirpc.RunResponse {
	cmd := exec.CommandContext(ctx, bin) //nolint:gosec // running the program is the purpose
	cmd.Dir, cmd.Env = dir, env
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			return cmd.Process.Kill()
		}
		return nil
	}
	cmd.WaitDelay = stopWait
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}
	case !errors.As(err, &exit):
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("run program %q: %v", bin, err)}
	case exit.ExitCode() == exitLogged:
		return &pulumirpc.RunResponse{Bail: true}
	default:
		return &pulumirpc.RunResponse{
			Error: fmt.Sprintf("program exited with non-zero exit code: %d", exit.ExitCode()),
		}
	}
}

// environment is the engine's request as variables: all that a Go program
// gets to know.
func (h *Host) environment(req *pulumirpc.RunRequest) ([]string, error) {
	config, err := jsonOr(req.GetConfig() != nil, req.GetConfig(), "")
	if err != nil {
		return nil, fmt.Errorf("encode configuration: %w", err)
	}
	keys, err := jsonOr(req.GetConfigSecretKeys() != nil, req.GetConfigSecretKeys(), "[]")
	if err != nil {
		return nil, fmt.Errorf("encode secret keys: %w", err)
	}
	env := os.Environ()
	for _, v := range []struct{ name, value string }{
		{pulumi.EnvOrganization, req.GetOrganization()},
		{pulumi.EnvProject, req.GetProject()},
		{pulumi.EnvPulumiRootDirectory, req.GetInfo().GetRootDirectory()},
		{pulumi.EnvStack, req.GetStack()},
		{pulumi.EnvConfig, config},
		{pulumi.EnvConfigSecretKeys, keys},
		{pulumi.EnvDryRun, strconv.FormatBool(req.GetDryRun())},
		{pulumi.EnvParallel, strconv.Itoa(int(req.GetParallel()))},
		{pulumi.EnvMonitor, req.GetMonitorAddress()},
		{pulumi.EnvEngine, h.engine},
	} {
		if v.value != "" {
			env = append(env, v.name+"="+v.value)
		}
	}
	return env, nil
}

func jsonOr(present bool, v any, otherwise string) (string, error) {
	if !present {
		return otherwise, nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}
