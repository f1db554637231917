package digitalocean

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/cloud"
)

// account is an engine over an account whose region has a default VPC, or none.
type account struct {
	mu     sync.Mutex
	name   string // of the default VPC; "": there is none
	broken error  // instead of an answer
	made   map[string]pulumi.MockResourceArgs
}

func (a *account) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made[args.Name] = args
	return args.Name + "-id", args.Inputs, nil
}

func (a *account) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	switch {
	case args.Token != "digitalocean:index/getVpc:getVpc" || args.Args["region"].StringValue() != "fra1":
		return nil, errors.New("unexpected invoke")
	case a.broken != nil:
		return nil, a.broken
	case a.name == "":
		return nil, errors.New("Error retrieving VPC: unable to find default VPC in fra1 region")
	}
	return resource.NewPropertyMapFromMap(map[string]any{"id": "default-id", "name": a.name}), nil
}

// network registers a deployment's network in an account.
func network(t *testing.T, a *account) error {
	t.Helper()
	a.made = map[string]pulumi.MockResourceArgs{}
	return pulumi.RunErr(func(ctx *pulumi.Context) error {
		p := New(cloud.Scope{Project: "construct", Stack: "prod", Region: "fra1"})
		_, err := p.NewNetwork(ctx, "network", &cloud.NetworkArgs{CIDR: netip.MustParsePrefix("10.20.0.0/24")})
		return err
	}, pulumi.WithMocks("construct", "prod", a))
}

// A region's default VPC cannot be deleted, and the account's first becomes it.
func TestNetworkIsNeverTheRegionsDefault(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ exists, imported string }{
		"in a new account":              {"", ""},
		"after an earlier deployment":   {"construct-prod-default", "default-id"},
		"in an account with a history":  {"default-fra1", "none"},
		"beside another stack's":        {"construct-staging-default", "none"},
		"where ours is it from of old":  {"construct-prod", "none"},
		"where its name is only longer": {"construct-prod-default-2", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &account{name: c.exists}
			require.NoError(t, network(t, a))
			depends := strings.Join(a.made["network"].RegisterRPC.GetDependencies(), " ")
			spare, made := a.made["network-default"]
			if c.imported == "none" {
				assert.False(t, made)
				assert.Empty(t, depends)
				return
			}
			require.True(t, made)
			assert.Equal(t, "construct-prod-default", spare.Inputs["name"].StringValue())
			assert.Equal(t, c.imported, spare.RegisterRPC.GetImportId())
			assert.True(t, spare.RegisterRPC.GetRetainOnDelete(), "its deletion would fail")
			assert.Contains(t, depends, "network-default", "the first VPC is the default")
		})
	}
}

func TestNetworkFailsWhereTheCloudDoes(t *testing.T) {
	t.Parallel()
	err := network(t, &account{broken: errors.New("503 Service Unavailable")})
	require.ErrorContains(t, err, `look for the default VPC of region "fra1"`)
	require.ErrorContains(t, err, "503")
}
