package provider_test

import (
	"context"
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/plugins/provider"
)

const (
	token = "test:index:Thing"
	urn   = resource.URN("urn:pulumi:s::p::test:index:Thing::thing")
)

// thing is a resource with a property of every sort.
func thing() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":   {Type: provider.String, Required: true, AutoName: 20},
			"image":  {Type: provider.String, Required: true, ForceNew: true},
			"region": {Type: provider.String, Computed: true},
			"backup": {Type: provider.Bool, Default: true},
			"tags":   {Type: provider.ListOf(provider.String), Set: true},
			"size":   {Type: provider.Int},
			"secret": {Type: provider.String, Secret: true},
			"mode":   {Type: provider.String, OneOf: []string{"a", "b"}},
			"rules": {Type: provider.ListOf(provider.Object(provider.Schema{
				"port": {Type: provider.String, Required: true}, "on": {Type: provider.Bool, Default: true},
			}))},
		},
		Outputs: map[string]provider.Type{"address": provider.String},
		Create: func(_ context.Context, in provider.Values) (string, provider.Output, error) {
			return "id-1", provider.Output{
				"address": "10.0.0.1", "region": "r1", "secret": in.String("secret"),
			}, nil
		},
		Read: func(context.Context, string, provider.Values) (provider.Output, error) {
			return provider.Output{"name": "renamed", "region": "r2"}, nil
		},
		Update: func(_ context.Context, _ string, old, _ provider.Values) (provider.Output, error) {
			return provider.Output{"address": old.String("address"), "region": old.String("region")}, nil
		},
		Delete:    func(context.Context, string, provider.Values) error { return nil },
		Unsettled: func([]string, provider.Values, provider.Values) []string { return []string{"address"} },
	}
}

func newServer(t *testing.T) plugin.Provider {
	t.Helper()
	s, err := provider.NewServer(&provider.Provider{
		Name: "test", Version: "1.2.3", Secrets: true,
		Resources: map[string]*provider.Resource{token: thing()},
	}, "")
	require.NoError(t, err)
	return s
}

func props(m map[string]any) resource.PropertyMap { return resource.NewPropertyMapFromMap(m) }

func TestCheckRejects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   map[string]any
		want string
	}{
		"unknown":        {map[string]any{"nmae": "x"}, `unknown property "nmae"`},
		"unknown nested": {map[string]any{"rules": []any{map[string]any{"port": "1", "prot": "tcp"}}}, `unknown property "rules[0].prot"`},
		"missing":        {map[string]any{"image": nil}, `missing required property "image"`},
		"missing nested": {map[string]any{"rules": []any{map[string]any{}}}, `missing required property "rules[0].port"`},
		"output as input": {
			map[string]any{"address": "10.0.0.9"}, `unknown property "address"`,
		},
		"wrong type":         {map[string]any{"size": true}, `property "size" is a bool (want integer)`},
		"not whole":          {map[string]any{"size": 1.5}, `property "size" is a number (want integer)`},
		"wrong element type": {map[string]any{"tags": []any{true}}, `property "tags[0]" is a bool (want string)`},
		"not one of":         {map[string]any{"mode": "c"}, `"c" is not allowed (want one of a, b)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := props(map[string]any{"image": "debian"})
			for k, v := range props(c.in) {
				in[k] = v
			}
			resp, err := newServer(t).Check(t.Context(), plugin.CheckRequest{URN: urn, News: in})
			require.NoError(t, err)
			require.Len(t, resp.Failures, 1)
			require.Contains(t, resp.Failures[0].Reason, c.want)
		})
	}
}

func TestCheckFillsIn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	unknown := resource.MakeComputed(resource.NewStringProperty(""))
	in := props(map[string]any{"image": "debian", "size": "7", "secret": "s"})
	in["mode"] = unknown
	first, err := s.Check(t.Context(), plugin.CheckRequest{URN: urn, News: in, RandomSeed: []byte("seed")})
	require.NoError(t, err)
	require.Empty(t, first.Failures)
	require.True(t, first.Properties["backup"].BoolValue())
	require.True(t, first.Properties["secret"].IsSecret())
	require.True(t, first.Properties["mode"].IsComputed())
	name := first.Properties["name"].StringValue()
	require.Regexp(t, "^thing-[0-9a-f]{7}$", name)

	again, err := s.Check(t.Context(), plugin.CheckRequest{
		URN: urn, Olds: first.Properties, News: in, RandomSeed: []byte("other"),
	})
	require.NoError(t, err)
	require.Equal(t, name, again.Properties["name"].StringValue(), "an existing resource keeps its name")
}

func TestDiff(t *testing.T) {
	t.Parallel()
	base := map[string]any{
		"name": "n", "image": "debian", "region": "r1", "backup": true, "tags": []any{"a", "b"}, "size": 1.0,
		"rules": []any{map[string]any{"port": "22", "on": true}}, "address": "10.0.0.1",
	}
	for name, c := range map[string]struct {
		change  map[string]any
		remove  string
		replace bool
		paths   []string
	}{
		"nothing":                {},
		"order of a set":         {change: map[string]any{"tags": []any{"b", "a"}}},
		"computed left out":      {remove: "region"},
		"default left out":       {change: map[string]any{"rules": []any{map[string]any{"port": "22"}}}},
		"number as a string":     {change: map[string]any{"size": "1"}},
		"update":                 {change: map[string]any{"size": 2.0}, paths: []string{"size"}},
		"removal":                {remove: "size", paths: []string{"size"}},
		"nested":                 {change: map[string]any{"rules": []any{map[string]any{"port": "23"}}}, paths: []string{"rules[0].port"}},
		"replacement":            {change: map[string]any{"image": "other"}, replace: true, paths: []string{"image"}},
		"replacement and update": {change: map[string]any{"image": "other", "size": 3.0}, replace: true, paths: []string{"image", "size"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := props(base)
			delete(in, "address")
			for k, v := range props(c.change) {
				in[k] = v
			}
			delete(in, resource.PropertyKey(c.remove))
			d, err := newServer(t).Diff(t.Context(), plugin.DiffRequest{URN: urn, OldInputs: in, OldOutputs: props(base), NewInputs: in})
			require.NoError(t, err)
			var paths []string
			for path := range d.DetailedDiff {
				paths = append(paths, path)
			}
			require.ElementsMatch(t, c.paths, paths)
			require.Equal(t, c.replace, len(d.ReplaceKeys) > 0)
			require.Equal(t, c.replace, d.DeleteBeforeReplace, "a name given by the program has to be freed first")
		})
	}
}

func TestUnknownValuesChange(t *testing.T) {
	t.Parallel()
	in := props(map[string]any{"name": "n"})
	in["image"] = resource.MakeComputed(resource.NewStringProperty(""))
	d, err := newServer(t).Diff(t.Context(), plugin.DiffRequest{
		URN: urn, OldOutputs: props(map[string]any{"name": "n", "image": "debian"}), NewInputs: in,
	})
	require.NoError(t, err)
	require.Equal(t, []resource.PropertyKey{"image"}, d.ReplaceKeys)
}

func TestPreviews(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	in := props(map[string]any{"name": "n", "image": "debian"})
	created, err := s.Create(t.Context(), plugin.CreateRequest{URN: urn, Properties: in, Preview: true})
	require.NoError(t, err)
	require.Equal(t, "n", created.Properties["name"].StringValue())
	require.True(t, created.Properties["address"].IsComputed())
	require.True(t, created.Properties["region"].IsComputed(), "the cloud chooses what the program leaves open")
	require.NotContains(t, created.Properties, resource.PropertyKey("size"))

	state := props(map[string]any{"name": "n", "image": "debian", "region": "r1", "address": "10.0.0.1"})
	same, err := s.Update(t.Context(), plugin.UpdateRequest{
		URN: urn, ID: "id-1", OldOutputs: state, OldInputs: in, NewInputs: in, Preview: true,
	})
	require.NoError(t, err)
	require.Equal(t, "10.0.0.1", same.Properties["address"].StringValue())
	in["size"] = resource.NewNumberProperty(2)
	changed, err := s.Update(t.Context(), plugin.UpdateRequest{
		URN: urn, ID: "id-1", OldOutputs: state, OldInputs: in, NewInputs: in, Preview: true,
	})
	require.NoError(t, err)
	require.True(t, changed.Properties["address"].IsComputed())
	require.Equal(t, "r1", changed.Properties["region"].StringValue())
}

func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	in := props(map[string]any{"name": "n", "image": "debian"})
	in["secret"] = resource.MakeSecret(resource.NewStringProperty("s"))
	resp, err := newServer(t).Create(t.Context(), plugin.CreateRequest{URN: urn, Properties: in})
	require.NoError(t, err)
	require.True(t, resp.Properties["secret"].IsSecret())
	require.False(t, resp.Properties["address"].IsSecret())
	require.Equal(t, resource.ID("id-1"), resp.ID)
}

func TestReadBringsInputsInLine(t *testing.T) {
	t.Parallel()
	in := props(map[string]any{"name": "n", "image": "debian"})
	state := props(map[string]any{"name": "n", "image": "debian", "region": "r1"})
	resp, err := newServer(t).Read(t.Context(), plugin.ReadRequest{URN: urn, ID: "id-1", Inputs: in, State: state})
	require.NoError(t, err)
	require.Equal(t, "renamed", resp.Inputs["name"].StringValue())
	require.Equal(t, "r2", resp.Outputs["region"].StringValue())
	require.NotContains(t, resp.Inputs, resource.PropertyKey("region"), "the program leaves it open")
}

// TestIncompleteResourcesAreKept makes sure that what exists after a failed
// creation reaches the state, so that it can be removed.
func TestIncompleteResourcesAreKept(t *testing.T) {
	t.Parallel()
	r := thing()
	r.Create = func(context.Context, provider.Values) (string, provider.Output, error) {
		return "id-7", provider.Output{"address": "10.0.0.7"}, errors.New("never ready")
	}
	s, err := provider.NewServer(&provider.Provider{
		Name: "test", Version: "1.2.3", Resources: map[string]*provider.Resource{token: r},
	}, "")
	require.NoError(t, err)
	_, err = s.Create(t.Context(), plugin.CreateRequest{URN: urn, Properties: props(map[string]any{"name": "n"})})
	require.ErrorContains(t, err, "never ready")
	rpc, ok := rpcerror.FromError(err)
	require.True(t, ok)
	require.Len(t, rpc.Details(), 1)
	detail, ok := rpc.Details()[0].(*pulumirpc.ErrorResourceInitFailed)
	require.True(t, ok)
	require.Equal(t, "id-7", detail.GetId())
	require.Equal(t, "10.0.0.7", detail.GetProperties().AsMap()["address"])
}
