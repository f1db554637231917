package plugins_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/plugins/command"
	"github.com/construct-server/infra/sim/plugins/digitalocean"
	"github.com/construct-server/infra/sim/plugins/hcloud"
	"github.com/construct-server/infra/sim/plugins/provider"
)

// replaces lists, from the official providers' schemas, the properties whose
// change replaces the resource. Every other input changes in place.
var replaces = map[string]string{
	"command:local:Command":       "triggers",
	"command:remote:Command":      "triggers",
	"command:remote:CopyToRemote": "triggers",

	"digitalocean:index/dnsRecord:DnsRecord": "domain type",
	"digitalocean:index/domain:Domain":       "ipAddress name",
	"digitalocean:index/droplet:Droplet": "dropletAgent image monitoring publicNetworking region sshKeys " +
		"userData vpcUuid",
	"digitalocean:index/firewall:Firewall":                         "",
	"digitalocean:index/project:Project":                           "",
	"digitalocean:index/projectResources:ProjectResources":         "project",
	"digitalocean:index/reservedIp:ReservedIp":                     "region",
	"digitalocean:index/reservedIpAssignment:ReservedIpAssignment": "dropletId ipAddress",
	"digitalocean:index/sshKey:SshKey":                             "publicKey",
	"digitalocean:index/tag:Tag":                                   "name",
	"digitalocean:index/volume:Volume": "description initialFilesystemLabel initialFilesystemType name " +
		"region snapshotId",
	"digitalocean:index/volumeAttachment:VolumeAttachment": "dropletId volumeId",
	"digitalocean:index/vpc:Vpc":                           "ipRange region",

	"hcloud:index/firewall:Firewall":             "",
	"hcloud:index/network:Network":               "ipRange",
	"hcloud:index/networkSubnet:NetworkSubnet":   "ipRange networkId networkZone type vswitchId",
	"hcloud:index/placementGroup:PlacementGroup": "",
	"hcloud:index/primaryIp:PrimaryIp":           "location type",
	"hcloud:index/rdns:Rdns":                     "ipAddress primaryIpId serverId",
	"hcloud:index/server:Server":                 "image location sshKeys userData",
	"hcloud:index/serverNetwork:ServerNetwork":   "ip networkId serverId subnetId",
	"hcloud:index/sshKey:SshKey":                 "publicKey",
	"hcloud:index/volume:Volume":                 "location",
	// automount is no replacement in the official schema, but its provider
	// has no update: the change fails there, and replaces here.
	"hcloud:index/volumeAttachment:VolumeAttachment": "automount serverId volumeId",
	"hcloud:index/zone:Zone":                         "mode name",
	"hcloud:index/zoneRrset:ZoneRrset":               "name type zone",
}

// samples gives two different values of a type.
func samples(t provider.Type) (a, b any) {
	switch t.Shape {
	case provider.ShapeInt, provider.ShapeNumber:
		return 7.0, 8.0
	case provider.ShapeBool:
		return true, false
	case provider.ShapeList:
		a, b = samples(*t.Elem)
		return []any{a}, []any{b}
	case provider.ShapeMap:
		a, b = samples(*t.Elem)
		return map[string]any{"k": a}, map[string]any{"k": b}
	case provider.ShapeObject:
		from, to := map[string]any{}, map[string]any{}
		for name, f := range t.Fields {
			from[name], to[name] = samples(f.Type)
		}
		return from, to
	case provider.ShapeString, provider.ShapeAny:
	}
	return "one", "two"
}

func TestReplaceOrUpdate(t *testing.T) {
	t.Parallel()
	for _, p := range []*provider.Provider{command.New(), digitalocean.New(), hcloud.New()} {
		s, err := provider.NewServer(p, "")
		require.NoError(t, err)
		for token, r := range p.Resources {
			listed, ok := replaces[token]
			require.True(t, ok, "%s: nothing listed", token)
			forced := map[string]bool{}
			for _, name := range strings.Fields(listed) {
				forced[name] = true
				require.Contains(t, r.Inputs, name, token)
			}
			for name, property := range r.Inputs {
				from, to := samples(property.Type)
				d, err := s.Diff(t.Context(), diffRequest(token, name, from, to))
				require.NoError(t, err)
				require.Equal(t, plugin.DiffSome, d.Changes, "%s %s: no change seen", token, name)
				want := forced[name] || (token == "digitalocean:index/droplet:Droplet" && name == "ipv6")
				assert.Equal(t, want, len(d.ReplaceKeys) > 0, "%s %s: replaced", token, name)
				for path, detail := range d.DetailedDiff {
					assert.Equal(t, want, detail.Kind.IsReplace(), "%s %s: kind of %s", token, name, path)
				}
				same, err := s.Diff(t.Context(), diffRequest(token, name, from, from))
				require.NoError(t, err)
				if property.Same == nil || property.Same(from, from) {
					assert.Equal(t, plugin.DiffNone, same.Changes, "%s %s: change without a change", token, name)
				}
			}
		}
	}
}

func diffRequest(token, name string, from, to any) plugin.DiffRequest {
	k := resource.PropertyKey(name)
	old := resource.PropertyMap{k: resource.NewPropertyValue(from)}
	in := resource.PropertyMap{k: resource.NewPropertyValue(to)}
	urn := resource.URN("urn:pulumi:s::p::" + token + "::n")
	return plugin.DiffRequest{URN: urn, OldInputs: old, OldOutputs: old, NewInputs: in}
}
