package program_test

import (
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/cloud/digitalocean"
	"github.com/construct-server/infra/cloud/hetzner"
	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/config/configtest"
	"github.com/construct-server/infra/program"
)

// recorder is an engine that writes down what is registered. The SDK calls it
// from many goroutines, in an order that differs from run to run.
type recorder struct {
	mu        sync.Mutex
	resources []pulumi.MockResourceArgs
	invokes   []string
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resources = append(r.resources, args)
	state := args.Inputs.Copy()
	if args.TypeToken == "pulumi:index:Stash" {
		state["output"] = state["input"]
	}
	for key, value := range computed(args) {
		state[resource.PropertyKey(key)] = resource.NewProperty(value)
	}
	if !args.Custom {
		return "", state, nil
	}
	return id(args), state, nil
}

// id is a number, as most of both clouds' are.
func id(args pulumi.MockResourceArgs) string {
	return fmt.Sprint(crc32.ChecksumIEEE([]byte(args.TypeToken+args.Name)) % 1e6)
}

// computed is what a cloud adds to a resource.
func computed(args pulumi.MockResourceArgs) map[string]string {
	kind := args.TypeToken[strings.LastIndex(args.TypeToken, ":")+1:]
	urn := "do:" + strings.ToLower(kind) + ":" + args.Name
	switch args.TypeToken {
	case "digitalocean:index/droplet:Droplet":
		return map[string]string{"ipv4Address": "198.51.100.1", "ipv4AddressPrivate": privateAddress(args.Name), "dropletUrn": urn}
	case "digitalocean:index/volume:Volume":
		return map[string]string{"volumeUrn": urn}
	case "digitalocean:index/domain:Domain":
		return map[string]string{"domainUrn": urn}
	case "digitalocean:index/reservedIp:ReservedIp":
		return map[string]string{"ipAddress": "203.0.113.10", "reservedIpUrn": urn}
	case "hcloud:index/primaryIp:PrimaryIp":
		return map[string]string{"ipAddress": "203.0.113.10"}
	case "hcloud:index/server:Server":
		if args.Name == "gateway-1" {
			return map[string]string{"ipv4Address": "203.0.113.10"}
		}
		return map[string]string{"ipv4Address": "198.51.100.1"}
	}
	return nil
}

// privateAddress is what DigitalOcean assigns: something of the network.
func privateAddress(server string) string {
	return fmt.Sprintf("10.20.0.%d", 2+crc32.ChecksumIEEE([]byte(server))%250)
}

func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.invokes = append(r.invokes, args.Token)
	answer, ok := catalogues()[args.Token]
	if !ok {
		return nil, fmt.Errorf("unexpected invoke %q", args.Token)
	}
	return resource.NewPropertyMapFromMap(answer), nil
}

func catalogues() map[string]map[string]any {
	size := func(slug string, cpus, memory int, price float64) any {
		return map[string]any{
			"slug": slug, "vcpus": cpus, "memory": memory, "disk": 50, "priceMonthly": price,
			"regions": []any{"fra1"}, "available": true,
		}
	}
	serverType := func(name string, cores, gigabytes int, location string) any {
		return map[string]any{
			"name": name, "cores": cores, "memory": gigabytes, "disk": 40, "architecture": "x86",
			"locations": []any{map[string]any{"name": location, "available": true}},
		}
	}
	return map[string]map[string]any{
		"digitalocean:index/getRegions:getRegions": {"regions": []any{map[string]any{"slug": "fra1", "available": true}, map[string]any{"slug": "nyc3"}}},
		"digitalocean:index/getSizes:getSizes": {"sizes": []any{
			size("s-1vcpu-2gb", 1, 2048, 12), size("s-2vcpu-4gb", 2, 4096, 24), size("s-4vcpu-8gb", 4, 8192, 48),
		}},
		"digitalocean:index/getVpc:getVpc":       {"id": "1", "name": "default-fra1", "region": "fra1", "default": true},
		"hcloud:index/getLocations:getLocations": {"locations": []any{map[string]any{"name": "fsn1", "networkZone": "eu-central"}}},
		"hcloud:index/getServerTypes:getServerTypes": {"serverTypes": []any{
			serverType("cx23", 2, 4, "fsn1"), serverType("cx33", 4, 8, "fsn1"), serverType("cx43", 8, 16, "fsn1"),
		}},
	}
}

// run is one run of the program without an engine.
type run struct {
	*recorder
	cfg     *config.Config
	outputs map[string]any
}

// preview builds a deployment of the base configuration with changes over it.
func preview(t *testing.T, changes map[string]any) (*run, error) {
	t.Helper()
	tree, err := configtest.Base()
	require.NoError(t, err)
	source, err := config.FromTree("construct", "prod", t.TempDir(), configtest.Merge(tree, changes))
	require.NoError(t, err)
	cfg, err := config.Parse(source)
	require.NoError(t, err)
	scope := cloud.Scope{Project: cfg.Project, Stack: cfg.Stack, Region: cfg.Region}
	var provider cloud.Provider = digitalocean.New(scope)
	if cfg.Cloud == config.Hetzner {
		provider = hetzner.New(scope)
	}
	r := &run{recorder: &recorder{}, cfg: cfg}
	err = pulumi.RunErr(func(ctx *pulumi.Context) error {
		outputs, err := program.Build(ctx, cfg, scope, provider)
		if err != nil {
			return err
		}
		outputs.ToMapOutput().ApplyT(func(m map[string]any) error {
			r.outputs = m
			return nil
		})
		return nil
	}, pulumi.WithMocks("construct", "prod", r.recorder))
	return r, err
}

func mustPreview(t *testing.T, changes map[string]any) *run {
	t.Helper()
	r, err := preview(t, changes)
	require.NoError(t, err)
	return r
}

func onDigitalOcean() map[string]any {
	return map[string]any{"construct:cloud": "digitalocean", "construct:region": "fra1"}
}

func onHetzner() map[string]any {
	return map[string]any{"construct:cloud": "hetzner", "construct:region": "fsn1"}
}

func clouds() map[string]map[string]any {
	return map[string]map[string]any{"digitalocean": onDigitalOcean(), "hetzner": onHetzner()}
}

func also(changes map[string]any, key string, value any) map[string]any {
	changes = maps.Clone(changes)
	changes[key] = value
	return changes
}

func withoutMedia(changes map[string]any) map[string]any {
	return also(changes, "construct:roles", map[string]any{"media": map[string]any{"enabled": false}})
}

// triples are the graph as sorted lines "type name < parent".
func (r *run) triples() []string {
	var lines []string
	for _, res := range r.resources {
		parent := "stack"
		if urn := resource.URN(res.RegisterRPC.GetParent()); urn.QualifiedType() != resource.RootStackType {
			parent = string(urn.Type()) + " " + urn.Name()
		}
		lines = append(lines, res.TypeToken+" "+res.Name+" < "+parent)
	}
	slices.Sort(lines)
	return lines
}

// named is the one resource of a type and a name.
func (r *run) named(t *testing.T, token, name string) pulumi.MockResourceArgs {
	t.Helper()
	for _, res := range r.resources {
		if res.TypeToken == token && res.Name == name {
			return res
		}
	}
	require.Failf(t, "not registered", "%s %s", token, name)
	return pulumi.MockResourceArgs{}
}

func (r *run) ofType(tokens ...string) []pulumi.MockResourceArgs {
	var found []pulumi.MockResourceArgs
	for _, res := range r.resources {
		if slices.Contains(tokens, res.TypeToken) {
			found = append(found, res)
		}
	}
	return found
}
