package provider

import (
	"context"
	"fmt"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// server answers the engine from a Provider's table.
type server struct {
	plugin.UnimplementedProvider
	p      *Provider
	engine *engine
	// cancelled is done once the engine asks to stop.
	cancelled context.Context
	cancel    context.CancelFunc
}

// NewServer returns the provider as the engine's interface. engineAddress may
// be empty: nothing is logged then.
func NewServer(p *Provider, engineAddress string) (plugin.Provider, error) {
	e, err := dialEngine(engineAddress)
	if err != nil {
		return nil, fmt.Errorf("dial engine %q: %w", engineAddress, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &server{p: p, engine: e, cancelled: ctx, cancel: cancel}, nil
}

// scope is a call's context: ends with the call or with a cancellation, and
// carries the resource that messages are about.
func (s *server) scope(ctx context.Context, urn resource.URN) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(withLog(ctx, s.engine, urn))
	stop := context.AfterFunc(s.cancelled, cancel)
	return ctx, func() { stop(); cancel() }
}

func (s *server) resource(urn resource.URN) (*Resource, error) {
	r, ok := s.p.Resources[string(urn.Type())]
	if !ok {
		return nil, fmt.Errorf("resource type %q of %q is not modelled by the stand-in for provider %s %s",
			urn.Type(), urn.Name(), s.p.Name, s.p.Version)
	}
	return r, nil
}

func (s *server) Close() error { s.cancel(); return s.engine.close() }

func (s *server) SignalCancellation(context.Context) error { s.cancel(); return nil }

// Attach lets the engine hand over its address after the start.
func (s *server) Attach(address string) error {
	e, err := dialEngine(address)
	if err != nil {
		return fmt.Errorf("dial engine %q: %w", address, err)
	}
	s.engine = e
	return nil
}

func (s *server) Handshake(
	context.Context, plugin.ProviderHandshakeRequest,
) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{
		AcceptSecrets: s.p.Secrets, AcceptResources: false, AcceptOutputs: false,
	}, nil
}

func (s *server) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	v, err := semver.Parse(s.p.Version)
	if err != nil {
		return plugin.PluginInfo{}, fmt.Errorf("parse version %q: %w", s.p.Version, err)
	}
	return plugin.PluginInfo{Version: &v}, nil
}

// GetSchema returns a schema that names the package only: the stand-ins are
// for running programs, not for generating SDKs.
func (s *server) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	return plugin.GetSchemaResponse{
		Schema: fmt.Appendf(nil, `{"name":%q,"version":%q}`, s.p.Name, s.p.Version),
	}, nil
}

func (s *server) GetMapping(context.Context, plugin.GetMappingRequest) (plugin.GetMappingResponse, error) {
	return plugin.GetMappingResponse{}, nil
}

func (s *server) GetMappings(context.Context, plugin.GetMappingsRequest) (plugin.GetMappingsResponse, error) {
	return plugin.GetMappingsResponse{}, nil
}

func (s *server) CheckConfig(
	_ context.Context, req plugin.CheckConfigRequest,
) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: req.News, Failures: validate(s.p.Config, "", req.News)}, nil
}

// DiffConfig lets any change of configuration be taken in place.
func (s *server) DiffConfig(_ context.Context, req plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	if req.OldInputs.DeepEquals(req.NewInputs) {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	return plugin.DiffResult{Changes: plugin.DiffSome}, nil
}

func (s *server) Configure(ctx context.Context, req plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	if s.p.Configure == nil {
		return plugin.ConfigureResponse{}, nil
	}
	if err := s.p.Configure(ctx, NewValues(req.Inputs)); err != nil {
		return plugin.ConfigureResponse{}, fmt.Errorf("configure provider %s: %w", s.p.Name, err)
	}
	return plugin.ConfigureResponse{}, nil
}

func (s *server) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	r, err := s.resource(req.URN)
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	in, err := fill(r.Inputs, req)
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	failures := validate(r.Inputs, "", in)
	for name, p := range r.Inputs {
		k := resource.PropertyKey(name)
		if v, ok := in[k]; ok && p.Secret && s.p.Secrets && !v.IsSecret() {
			in[k] = resource.MakeSecret(v)
		}
	}
	return plugin.CheckResponse{Properties: in, Failures: failures}, nil
}

func (s *server) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResult, error) {
	r, err := s.resource(req.URN)
	if err != nil {
		return plugin.DiffResult{}, err
	}
	return r.diff(req), nil
}

func (s *server) Invoke(ctx context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	f, ok := s.p.Functions[string(req.Tok)]
	if !ok {
		return plugin.InvokeResponse{}, fmt.Errorf("function %q is not modelled by the stand-in for provider %s %s",
			req.Tok, s.p.Name, s.p.Version)
	}
	if failures := validate(f.Args, "", req.Args); len(failures) > 0 {
		return plugin.InvokeResponse{Failures: failures}, nil
	}
	ctx, done := s.scope(ctx, "")
	defer done()
	out, err := f.Call(ctx, NewValues(req.Args))
	if err != nil {
		return plugin.InvokeResponse{}, fmt.Errorf("invoke %s: %w", req.Tok, err)
	}
	return plugin.InvokeResponse{Properties: out.properties()}, nil
}
