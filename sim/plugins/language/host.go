package language

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Host implements the engine's contract for a language.
type Host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	engine string
	// cancelled is done once the engine asks to stop.
	cancelled context.Context
	cancel    context.CancelFunc
}

// NewHost returns a host for the engine at an address, which may be empty if
// the engine gives it by Handshake.
func NewHost(engine string) *Host {
	ctx, cancel := context.WithCancel(context.Background())
	return &Host{engine: engine, cancelled: ctx, cancel: cancel}
}

// Handshake takes the engine's address.
func (h *Host) Handshake(
	_ context.Context, req *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	if req.GetEngineAddress() == "" {
		return nil, errors.New("handshake: engine address is missing")
	}
	h.engine = req.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo reports the SDK's version.
func (h *Host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

// GetRequiredPackages lists the provider plugins that the program's modules
// name. A program whose modules cannot be read needs none in advance.
func (h *Host) GetRequiredPackages(
	ctx context.Context, req *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	packages, err := requiredPackages(ctx, req.GetInfo().GetProgramDirectory())
	if err != nil {
		h.log(ctx, pulumirpc.LogSeverity_DEBUG, "list required packages: "+err.Error())
		return &pulumirpc.GetRequiredPackagesResponse{}, nil //nolint:nilerr // the engine does without; a missing plugin fails later, by name
	}
	return &pulumirpc.GetRequiredPackagesResponse{Packages: packages}, nil
}

// InstallDependencies downloads the program's modules.
func (h *Host) InstallDependencies(
	req *pulumirpc.InstallDependenciesRequest, server pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(server, req.GetIsTerminal())
	if err != nil {
		return fmt.Errorf("open streams: %w", err)
	}
	defer func() { _ = closer.Close() }()
	cmd := exec.CommandContext(server.Context(), "go", "mod", "download")
	cmd.Dir = req.GetInfo().GetProgramDirectory()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("download modules of %q: %w", cmd.Dir, err)
	}
	return closer.Close()
}

// RuntimeOptionsPrompts asks nothing.
func (h *Host) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// Template changes nothing.
func (h *Host) Template(context.Context, *pulumirpc.TemplateRequest) (*pulumirpc.TemplateResponse, error) {
	return &pulumirpc.TemplateResponse{}, nil
}

// About tells the Go version.
func (h *Host) About(ctx context.Context, _ *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("find go: %w", err)
	}
	out, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return nil, fmt.Errorf("run %q: %w", path+" version", err)
	}
	return &pulumirpc.AboutResponse{
		Executable: path,
		Version:    strings.TrimSpace(string(out)),
		Metadata:   map[string]string{"host": "stand-in of the simulator"},
	}, nil
}

// GetProgramDependencies lists the program's modules.
func (h *Host) GetProgramDependencies(
	ctx context.Context, req *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	modules, err := listModules(ctx, req.GetInfo().GetProgramDirectory(), req.GetTransitiveDependencies())
	if err != nil {
		return nil, err
	}
	resp := &pulumirpc.GetProgramDependenciesResponse{}
	for _, m := range modules {
		resp.Dependencies = append(resp.Dependencies, &pulumirpc.DependencyInfo{Name: m.path, Version: m.version})
	}
	return resp, nil
}

// Cancel stops a running program.
func (h *Host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.cancel()
	return &emptypb.Empty{}, nil
}

// log shows a message in the engine's output. It is best effort.
func (h *Host) log(ctx context.Context, severity pulumirpc.LogSeverity, message string) {
	if h.engine == "" {
		return
	}
	conn, err := grpc.NewClient(h.engine,
		grpc.WithTransportCredentials(insecure.NewCredentials()), rpcutil.GrpcChannelOptions())
	if err != nil {
		fmt.Fprintln(os.Stderr, message)
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = pulumirpc.NewEngineClient(conn).Log(ctx, &pulumirpc.LogRequest{
		Severity: severity, Message: message, Ephemeral: true,
	})
}
