package language

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"
)

// program writes a Go program and returns its directory.
func program(t *testing.T, body string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"go.mod":  "module program\n\ngo 1.26.0\n",
		"main.go": "package main\n\nimport \"os\"\n\nfunc main() {\n" + body + "\n}\n",
	}
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func run(t *testing.T, dir string, options map[string]any) (*pulumirpc.RunResponse, error) {
	t.Helper()
	o, err := structpb.NewStruct(options)
	require.NoError(t, err)
	// No engine listens there: messages are best effort.
	return NewHost("127.0.0.1:1").Run(t.Context(), &pulumirpc.RunRequest{
		Project: "p", Stack: "s", Pwd: dir, DryRun: true, Parallel: 4, MonitorAddress: "127.0.0.1:2",
		Config: map[string]string{"p:key": "value"}, ConfigSecretKeys: []string{"p:key"}, Organization: "o",
		Info: &pulumirpc.ProgramInfo{RootDirectory: dir, ProgramDirectory: dir, EntryPoint: ".", Options: o},
	})
}

func TestRunTellsHowTheProgramEnded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code, want string
		bail       bool
	}{
		"well":            {code: "0"},
		"error logged":    {code: "32", bail: true},
		"error of others": {code: "3", want: "program exited with non-zero exit code: 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp, err := run(t, program(t, "os.Exit("+c.code+")"), nil)
			require.NoError(t, err)
			require.Equal(t, c.want, resp.GetError())
			require.Equal(t, c.bail, resp.GetBail())
		})
	}
}

func TestRunGivesTheEnvironment(t *testing.T) {
	t.Parallel()
	dir := program(t, `out := ""
	for _, n := range []string{"PROJECT", "STACK", "ORGANIZATION", "DRY_RUN", "PARALLEL", "MONITOR", "ENGINE", "CONFIG", "CONFIG_SECRET_KEYS"} {
		out += n + "=" + os.Getenv("PULUMI_"+n) + "\n"
	}
	if os.WriteFile("seen", []byte(out), 0o600) != nil {
		os.Exit(1)
	}`)
	resp, err := run(t, dir, nil)
	require.NoError(t, err)
	require.Empty(t, resp.GetError())
	seen, err := os.ReadFile(filepath.Join(dir, "seen"))
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		"PROJECT=p", "STACK=s", "ORGANIZATION=o", "DRY_RUN=true", "PARALLEL=4", "MONITOR=127.0.0.1:2",
		"ENGINE=127.0.0.1:1", `CONFIG={"p:key":"value"}`, `CONFIG_SECRET_KEYS=["p:key"]`,
	}, "\n")+"\n", string(seen))
}

func TestRunTakesABinary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bin := filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(bin, []byte("#!/bin/sh\nexit 7\n"), 0o700)) //nolint:gosec // a program
	resp, err := run(t, dir, map[string]any{"binary": bin})
	require.NoError(t, err)
	require.Contains(t, resp.GetError(), "exit code: 7")

	_, err = run(t, dir, map[string]any{"binary": "no-such-program-here"})
	require.ErrorContains(t, err, `find program "no-such-program-here"`)
}

func TestRunQuotesTheCompiler(t *testing.T) {
	t.Parallel()
	_, err := run(t, program(t, "undefinedFunction()"), nil)
	require.ErrorContains(t, err, "undefined: undefinedFunction")
}

func TestRequiredPackages(t *testing.T) {
	t.Parallel()
	resp, err := NewHost("").GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{
		Info: &pulumirpc.ProgramInfo{ProgramDirectory: filepath.Join("..", "..", "..")},
	})
	require.NoError(t, err)
	found := map[string]string{}
	for _, p := range resp.GetPackages() {
		found[p.GetName()] = p.GetVersion()
	}
	require.Equal(t, map[string]string{"command": "v1.2.1", "digitalocean": "v4.76.0", "hcloud": "v1.39.1"}, found)

	none, err := NewHost("").GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{
		Info: &pulumirpc.ProgramInfo{ProgramDirectory: t.TempDir()},
	})
	require.NoError(t, err, "a program without modules needs no plugins in advance")
	require.Empty(t, none.GetPackages())
}
