package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
)

func (s *server) Create(ctx context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	r, err := s.resource(req.URN)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	if req.Preview {
		return plugin.CreateResponse{Properties: r.planned(req.Properties, nil, nil)}, nil
	}
	ctx, done := s.scope(ctx, req.URN)
	defer done()
	id, out, err := r.Create(ctx, NewValues(req.Properties))
	props := merge(req.Properties, out)
	switch {
	case err != nil && id != "":
		return plugin.CreateResponse{}, s.incomplete(id, props, fmt.Errorf("create %q: %w", req.URN.Name(), err))
	case err != nil:
		return plugin.CreateResponse{}, fmt.Errorf("create %q: %w", req.URN.Name(), err)
	}
	return plugin.CreateResponse{ID: resource.ID(id), Properties: props}, nil
}

// incomplete is the error for a resource that exists but is not as it should
// be: the engine keeps it, and updates it next time.
func (s *server) incomplete(id string, props resource.PropertyMap, err error) error {
	m, merr := plugin.MarshalProperties(props, plugin.MarshalOptions{KeepSecrets: s.p.Secrets})
	if merr != nil {
		return errors.Join(err, fmt.Errorf("marshal state of %q: %w", id, merr))
	}
	return rpcerror.WithDetails(rpcerror.New(codes.Unknown, err.Error()), &pulumirpc.ErrorResourceInitFailed{
		Id: id, Properties: m, Reasons: []string{err.Error()},
	})
}

func (s *server) Update(ctx context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	r, err := s.resource(req.URN)
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	if r.Update == nil {
		return plugin.UpdateResponse{}, fmt.Errorf("update %q: every change of %q replaces it", req.URN.Name(), req.Type)
	}
	if req.Preview {
		d := r.diff(plugin.DiffRequest{OldInputs: req.OldInputs, OldOutputs: req.OldOutputs, NewInputs: req.NewInputs})
		changed := make([]string, 0, len(d.ChangedKeys))
		for _, k := range d.ChangedKeys {
			changed = append(changed, string(k))
		}
		return plugin.UpdateResponse{Properties: r.planned(req.NewInputs, req.OldOutputs, changed)}, nil
	}
	ctx, done := s.scope(ctx, req.URN)
	defer done()
	out, err := r.Update(ctx, string(req.ID), NewValues(req.OldOutputs), NewValues(req.NewInputs))
	if err != nil {
		return plugin.UpdateResponse{}, fmt.Errorf("update %q: %w", req.URN.Name(), err)
	}
	return plugin.UpdateResponse{Properties: merge(req.NewInputs, out)}, nil
}

func (s *server) Delete(ctx context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	r, err := s.resource(req.URN)
	if err != nil {
		return plugin.DeleteResponse{}, err
	}
	ctx, done := s.scope(ctx, req.URN)
	defer done()
	if err := r.Delete(ctx, string(req.ID), NewValues(req.Outputs)); err != nil {
		return plugin.DeleteResponse{}, fmt.Errorf("delete %q: %w", req.URN.Name(), err)
	}
	return plugin.DeleteResponse{}, nil
}

func (s *server) Read(ctx context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	r, err := s.resource(req.URN)
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	if r.Read == nil {
		return plugin.ReadResponse{ReadResult: plugin.ReadResult{
			ID: req.ID, Inputs: req.Inputs, Outputs: req.State,
		}}, nil
	}
	ctx, done := s.scope(ctx, req.URN)
	defer done()
	out, err := r.Read(ctx, string(req.ID), NewValues(req.State))
	if errors.Is(err, ErrNotFound) {
		return plugin.ReadResponse{}, nil
	}
	if err != nil {
		return plugin.ReadResponse{}, fmt.Errorf("read %q: %w", req.URN.Name(), err)
	}
	state := merge(req.State, out)
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{
		ID: req.ID, Outputs: state, Inputs: r.readInputs(req.Inputs, state),
	}}, nil
}

// readInputs brings the inputs in line with what was read: those that the
// program gave, or, on import, all that are set.
func (r *Resource) readInputs(in, state resource.PropertyMap) resource.PropertyMap {
	out := resource.PropertyMap{}
	for k, v := range in {
		out[k] = v
	}
	for _, name := range names(r.Inputs) {
		k, p := resource.PropertyKey(name), r.Inputs[name]
		have, given := in[k]
		now, ok := state[k]
		switch {
		case !ok, !given && len(in) > 0:
		case given && len(p.diff(name, p.normal(now), p.normal(have))) == 0:
		case !given && zero(now):
		default:
			out[k] = now
		}
	}
	return out
}

// planned is what a preview says of a resource: the inputs, unknown where
// only the cloud can tell; an existing resource keeps what it has.
func (r *Resource) planned(in, state resource.PropertyMap, changed []string) resource.PropertyMap {
	unknown := resource.MakeComputed(resource.NewStringProperty(""))
	out := resource.PropertyMap{}
	for name := range r.Outputs {
		k := resource.PropertyKey(name)
		if v, ok := state[k]; ok {
			out[k] = v
		} else {
			out[k] = unknown
		}
	}
	for name, p := range r.Inputs {
		k := resource.PropertyKey(name)
		if v, ok := in[k]; ok && !v.IsNull() {
			out[k] = v
			continue
		}
		if v, ok := state[k]; ok && p.Computed {
			out[k] = v
		} else if p.Computed {
			out[k] = unknown
		}
	}
	if r.Unsettled != nil && len(changed) > 0 {
		slices.Sort(changed)
		for _, name := range r.Unsettled(changed, NewValues(state), NewValues(in)) {
			out[resource.PropertyKey(name)] = unknown
		}
	}
	return out
}

// merge lays results over what was there before, keeping secret marks.
func merge(base resource.PropertyMap, out Output) resource.PropertyMap {
	m := resource.PropertyMap{}
	for k, v := range base {
		if k != defaultsKey {
			m[k] = v
		}
	}
	for k, v := range out.properties() {
		if old, ok := m[k]; ok && old.ContainsSecrets() {
			if bare(old).DeepEquals(v) {
				continue
			}
			v = resource.MakeSecret(v)
		}
		if v.IsNull() {
			delete(m, k)
			continue
		}
		m[k] = v
	}
	return m
}

// properties converts to the engine's values.
func (o Output) properties() resource.PropertyMap {
	m := resource.PropertyMap{}
	for k, v := range o {
		m[resource.PropertyKey(k)] = resource.NewPropertyValue(v)
	}
	return m
}
