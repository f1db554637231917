package plugins_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-command/sdk/go/command/local"
	"github.com/pulumi/pulumi-command/sdk/go/command/remote"
	do "github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	hz "github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/plugins/command"
	"github.com/construct-server/infra/sim/plugins/digitalocean"
	"github.com/construct-server/infra/sim/plugins/hcloud"
	"github.com/construct-server/infra/sim/plugins/provider"
)

// sdkTypes are the SDK's argument and resource types by token.
func sdkTypes() map[string][2]any {
	const d, h = "digitalocean:index/", "hcloud:index/"
	return map[string][2]any{
		"command:local:Command":       {local.CommandArgs{}, local.Command{}},
		"command:remote:Command":      {remote.CommandArgs{}, remote.Command{}},
		"command:remote:CopyToRemote": {remote.CopyToRemoteArgs{}, remote.CopyToRemote{}},

		d + "dnsRecord:DnsRecord":                       {do.DnsRecordArgs{}, do.DnsRecord{}},
		d + "domain:Domain":                             {do.DomainArgs{}, do.Domain{}},
		d + "droplet:Droplet":                           {do.DropletArgs{}, do.Droplet{}},
		d + "firewall:Firewall":                         {do.FirewallArgs{}, do.Firewall{}},
		d + "project:Project":                           {do.ProjectArgs{}, do.Project{}},
		d + "projectResources:ProjectResources":         {do.ProjectResourcesArgs{}, do.ProjectResources{}},
		d + "reservedIp:ReservedIp":                     {do.ReservedIpArgs{}, do.ReservedIp{}},
		d + "reservedIpAssignment:ReservedIpAssignment": {do.ReservedIpAssignmentArgs{}, do.ReservedIpAssignment{}},
		d + "sshKey:SshKey":                             {do.SshKeyArgs{}, do.SshKey{}},
		d + "tag:Tag":                                   {do.TagArgs{}, do.Tag{}},
		d + "volume:Volume":                             {do.VolumeArgs{}, do.Volume{}},
		d + "volumeAttachment:VolumeAttachment":         {do.VolumeAttachmentArgs{}, do.VolumeAttachment{}},
		d + "vpc:Vpc":                                   {do.VpcArgs{}, do.Vpc{}},

		h + "firewall:Firewall":                 {hz.FirewallArgs{}, hz.Firewall{}},
		h + "network:Network":                   {hz.NetworkArgs{}, hz.Network{}},
		h + "networkSubnet:NetworkSubnet":       {hz.NetworkSubnetArgs{}, hz.NetworkSubnet{}},
		h + "placementGroup:PlacementGroup":     {hz.PlacementGroupArgs{}, hz.PlacementGroup{}},
		h + "primaryIp:PrimaryIp":               {hz.PrimaryIpArgs{}, hz.PrimaryIp{}},
		h + "rdns:Rdns":                         {hz.RdnsArgs{}, hz.Rdns{}},
		h + "server:Server":                     {hz.ServerArgs{}, hz.Server{}},
		h + "serverNetwork:ServerNetwork":       {hz.ServerNetworkArgs{}, hz.ServerNetwork{}},
		h + "sshKey:SshKey":                     {hz.SshKeyArgs{}, hz.SshKey{}},
		h + "volume:Volume":                     {hz.VolumeArgs{}, hz.Volume{}},
		h + "volumeAttachment:VolumeAttachment": {hz.VolumeAttachmentArgs{}, hz.VolumeAttachment{}},
		h + "zone:Zone":                         {hz.ZoneArgs{}, hz.Zone{}},
		h + "zoneRrset:ZoneRrset":               {hz.ZoneRrsetArgs{}, hz.ZoneRrset{}},
	}
}

// notModelled are outputs that no program here can want: files that a local
// command matched.
var notModelled = map[string]bool{"archive": true, "assets": true}

// TestTablesMatchSDKs compares every property of every table with the SDK that
// the program is compiled against: name, kind, and whether it is required.
func TestTablesMatchSDKs(t *testing.T) {
	t.Parallel()
	sdk := sdkTypes()
	for _, p := range []*provider.Provider{command.New(), digitalocean.New(), hcloud.New()} {
		for token, r := range p.Resources {
			types, ok := sdk[token]
			require.True(t, ok, "no SDK type listed for %s", token)
			args, ok := types[0].(interface{ ElementType() reflect.Type })
			require.True(t, ok, token)
			inputs := tagged(args.ElementType())
			for name, property := range r.Inputs {
				field, ok := inputs[name]
				if assert.True(t, ok, "%s has no input %q", token, name) {
					compareKind(t, token+" "+name, property.Type, field.Type)
					optional := field.Type.Kind() == reflect.Pointer || field.Type.Kind() == reflect.Slice ||
						field.Type.Kind() == reflect.Map || property.Type.Shape == provider.ShapeAny
					assert.True(t, optional || property.Required, "%s %s is required by the SDK", token, name)
				}
			}
			outputs := tagged(reflect.TypeOf(types[1]))
			for name := range r.Outputs {
				assert.Contains(t, outputs, name, "%s has no output %q", token, name)
				assert.NotContains(t, inputs, name, "%s: %q is an input", token, name)
			}
			for name := range outputs {
				_, in := r.Inputs[name]
				_, out := r.Outputs[name]
				_, unmodelled := inputs[name]
				assert.True(t, in || out || unmodelled || notModelled[name], "%s: output %q is not modelled", token, name)
			}
		}
	}
}

// tagged returns the fields that carry a Pulumi name.
func tagged(t reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for i := range t.NumField() {
		if name := strings.Split(t.Field(i).Tag.Get("pulumi"), ",")[0]; name != "" {
			fields[name] = t.Field(i)
		}
	}
	return fields
}

// compareKind compares a table's type with the SDK's, nested fields included.
func compareKind(t *testing.T, what string, have provider.Type, want reflect.Type) {
	t.Helper()
	for want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	switch have.Shape {
	case provider.ShapeString:
		assert.Equal(t, reflect.String, want.Kind(), what)
	case provider.ShapeInt:
		assert.Equal(t, reflect.Int, want.Kind(), what)
	case provider.ShapeNumber:
		assert.Equal(t, reflect.Float64, want.Kind(), what)
	case provider.ShapeBool:
		assert.Equal(t, reflect.Bool, want.Kind(), what)
	case provider.ShapeList:
		if assert.Equal(t, reflect.Slice, want.Kind(), what) {
			compareKind(t, what+"[]", *have.Elem, want.Elem())
		}
	case provider.ShapeMap:
		if assert.Equal(t, reflect.Map, want.Kind(), what) {
			compareKind(t, what+"{}", *have.Elem, want.Elem())
		}
	case provider.ShapeObject:
		if !assert.Equal(t, reflect.Struct, want.Kind(), what) {
			return
		}
		fields := tagged(want)
		for name, p := range have.Fields {
			f, ok := fields[name]
			if assert.True(t, ok, "%s has no field %q", what, name) {
				compareKind(t, what+"."+name, p.Type, f.Type)
			}
		}
		assert.Len(t, have.Fields, len(fields), "%s: fields of the SDK are missing", what)
	case provider.ShapeAny:
	}
}
