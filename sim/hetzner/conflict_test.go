package hetzner_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/stretchr/testify/require"
)

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.network("x", "10.10.0.0/16", "")
	p.server(serverOpts("x"))
	_, _, err := p.Network.Create(p.ctx(), hcloud.NetworkCreateOpts{Name: "x", IPRange: cidr(t, "10.11.0.0/16")})
	refused(t, err, hcloud.ErrorCodeUniquenessError, "already used")
	_, _, err = p.Server.Create(p.ctx(), serverOpts("x"))
	refused(t, err, hcloud.ErrorCodeUniquenessError, "already used")
	key := newKey(t)
	_, _, err = p.SSHKey.Create(p.ctx(), hcloud.SSHKeyCreateOpts{Name: "x", PublicKey: key})
	require.NoError(t, err)
	_, _, err = p.SSHKey.Create(p.ctx(), hcloud.SSHKeyCreateOpts{Name: "y", PublicKey: key})
	refused(t, err, hcloud.ErrorCodeUniquenessError, "not unique")
}

func TestNetworkMistakes(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	n := p.network("n", "10.10.0.0/16", "10.10.1.0/24")
	for message, sub := range map[string]hcloud.NetworkSubnet{
		"overlaps":     {Type: hcloud.NetworkSubnetTypeCloud, IPRange: cidr(t, "10.10.1.128/25"), NetworkZone: "eu-central"},
		"not inside":   {Type: hcloud.NetworkSubnetTypeCloud, IPRange: cidr(t, "10.11.1.0/24"), NetworkZone: "eu-central"},
		"is unknown":   {Type: hcloud.NetworkSubnetTypeCloud, IPRange: cidr(t, "10.10.2.0/24"), NetworkZone: "mars"},
		"not modelled": {Type: hcloud.NetworkSubnetTypeVSwitch, IPRange: cidr(t, "10.10.2.0/24"), NetworkZone: "eu-central"},
	} {
		_, _, err := p.Network.AddSubnet(p.ctx(), n, hcloud.NetworkAddSubnetOpts{Subnet: sub})
		refused(t, err, hcloud.ErrorCodeInvalidInput, message)
	}
	_, _, err := p.Network.Create(p.ctx(), hcloud.NetworkCreateOpts{Name: "public", IPRange: cidr(t, "8.8.0.0/16")})
	refused(t, err, hcloud.ErrorCodeInvalidInput, "private")

	a, b := p.server(serverOpts("a")), p.server(serverOpts("b"))
	attach := func(s *hcloud.Server, n *hcloud.Network, ip string) error {
		act, _, err := p.Server.AttachToNetwork(p.ctx(), s, hcloud.ServerAttachToNetworkOpts{Network: n, IP: net.ParseIP(ip)})
		if err == nil {
			p.done(act)
		}
		return err
	}
	require.NoError(t, attach(a, n, "10.10.1.7"))
	refused(t, attach(a, n, "10.10.1.8"), hcloud.ErrorCodeServerAlreadyAttached, "already attached")
	refused(t, attach(b, n, "10.10.1.7"), hcloud.ErrorCodeIPNotAvailable, "not available")
	refused(t, attach(b, n, "10.10.9.7"), hcloud.ErrorCodeInvalidInput, "no subnet")
	bare := p.network("bare", "10.20.0.0/16", "")
	refused(t, attach(b, bare, ""), hcloud.ErrorCodeNoSubnetAvailable, "no subnet")
	twin := p.network("twin", "10.10.0.0/16", "10.10.2.0/24")
	refused(t, attach(a, twin, ""), hcloud.ErrorCodeNetworksOverlap, "overlaps")

	p.acted(p.Network.ChangeProtection(p.ctx(), bare, hcloud.NetworkChangeProtectionOpts{Delete: hcloud.Ptr(true)}))
	_, err = p.Network.Delete(p.ctx(), bare)
	refused(t, err, hcloud.ErrorCodeProtected, "protected")
	got, _, err := p.Network.Update(p.ctx(), bare, hcloud.NetworkUpdateOpts{Name: "clothed", Labels: labels})
	require.NoError(t, err)
	require.Equal(t, "clothed", got.Name)
	require.Equal(t, labels, got.Labels)
}

func TestServerMistakes(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	for name, c := range map[string]struct {
		change  func(*hcloud.ServerCreateOpts)
		code    hcloud.ErrorCode
		message string
	}{
		"type":          {func(o *hcloud.ServerCreateOpts) { o.ServerType.Name = "huge" }, hcloud.ErrorCodeInvalidInput, "huge"},
		"retired":       {func(o *hcloud.ServerCreateOpts) { o.ServerType.Name = "cx22" }, hcloud.ErrorCodeInvalidServerType, "no longer"},
		"not there":     {func(o *hcloud.ServerCreateOpts) { o.Location.Name = "ash" }, hcloud.ErrorCodeInvalidInput, "unsupported location"},
		"retired there": {func(o *hcloud.ServerCreateOpts) { o.ServerType.Name = "cpx31" }, hcloud.ErrorCodeResourceUnavailable, "fsn1"},
		"location":      {func(o *hcloud.ServerCreateOpts) { o.Location.Name = "mars1" }, hcloud.ErrorCodeInvalidInput, "mars1"},
		"image":         {func(o *hcloud.ServerCreateOpts) { o.Image.Name = "plan9" }, hcloud.ErrorCodeInvalidInput, "plan9"},
		"name":          {func(o *hcloud.ServerCreateOpts) { o.Name = "a_b" }, hcloud.ErrorCodeInvalidInput, "hostname"},
		"key":           {func(o *hcloud.ServerCreateOpts) { o.SSHKeys = []*hcloud.SSHKey{{ID: 5}} }, hcloud.ErrorCodeNotFound, "ssh_key"},
		"group":         {func(o *hcloud.ServerCreateOpts) { o.PlacementGroup = &hcloud.PlacementGroup{ID: 5} }, hcloud.ErrorCodeNotFound, "placement_group"},
		"no network":    {func(o *hcloud.ServerCreateOpts) { o.PublicNet = &hcloud.ServerCreatePublicNet{} }, hcloud.ErrorCodeInvalidInput, "network"},
		"user data":     {func(o *hcloud.ServerCreateOpts) { o.UserData = strings.Repeat("x", 1<<15+1) }, hcloud.ErrorCodeInvalidInput, "32 KiB"},
		"label":         {func(o *hcloud.ServerCreateOpts) { o.Labels = map[string]string{"a b": ""} }, hcloud.ErrorCodeInvalidInput, "label"},
		"automount": {func(o *hcloud.ServerCreateOpts) {
			o.Automount = hcloud.Ptr(true)
			o.Volumes = []*hcloud.Volume{{ID: 1}}
		}, hcloud.ErrorCodeInvalidInput, "automount"},
	} {
		o := serverOpts("x")
		c.change(&o)
		_, _, err := p.Server.Create(p.ctx(), o)
		t.Run(name, func(t *testing.T) { refused(t, err, c.code, c.message) })
	}
	require.Empty(t, p.cloud.Resources())
	require.Empty(t, p.backend.Left())
}

func TestVolumes(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	s := p.server(serverOpts("one"))
	create := hcloud.VolumeCreateOpts{Name: "v", Size: 10, Server: s, Format: hcloud.Ptr("ext4")}
	res, _, err := p.Volume.Create(p.ctx(), create)
	require.NoError(t, err)
	p.done(append(res.NextActions, res.Action)...)
	v, _, err := p.Volume.GetByID(p.ctx(), res.Volume.ID)
	require.NoError(t, err)
	require.Equal(t, s.ID, v.Server.ID)
	_, _, err = p.Volume.Attach(p.ctx(), v, s)
	refused(t, err, hcloud.ErrorCodeVolumeAlreadyAttached, "already attached")
	p.acted(p.Volume.Resize(p.ctx(), v, 20))
	_, _, err = p.Volume.Resize(p.ctx(), v, 15)
	refused(t, err, hcloud.ErrorCodeInvalidInput, "more than 20")
	p.acted(p.Volume.Detach(p.ctx(), v))
	p.acted(p.Volume.ChangeProtection(p.ctx(), v, hcloud.VolumeChangeProtectionOpts{Delete: hcloud.Ptr(true)}))
	_, err = p.Volume.Delete(p.ctx(), v)
	refused(t, err, hcloud.ErrorCodeProtected, "protected")
	v, _, err = p.Volume.Update(p.ctx(), v, hcloud.VolumeUpdateOpts{Name: "w", Labels: labels})
	require.NoError(t, err)
	require.Equal(t, labels, v.Labels)
	_, _, err = p.Volume.Create(p.ctx(), hcloud.VolumeCreateOpts{Name: "tiny", Size: 1, Location: &hcloud.Location{Name: "fsn1"}})
	refused(t, err, hcloud.ErrorCodeInvalidInput, "10 to 10240")
}

func TestZones(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	res, _, err := p.Zone.Create(p.ctx(), hcloud.ZoneCreateOpts{Name: "example.com", Mode: hcloud.ZoneModePrimary, TTL: hcloud.Ptr(600), Labels: labels})
	require.NoError(t, err)
	p.done(res.Action)
	z, _, err := p.Zone.GetByName(p.ctx(), "example.com")
	require.NoError(t, err)
	require.Equal(t, 600, z.TTL)
	require.Equal(t, labels, z.Labels)
	set, _, err := p.Zone.CreateRRSet(p.ctx(), z, hcloud.ZoneRRSetCreateOpts{Name: "@", Type: hcloud.ZoneRRSetTypeA, Records: []hcloud.ZoneRRSetRecord{{Value: "203.0.113.9"}}, Labels: labels})
	require.NoError(t, err)
	p.done(set.Action)
	_, _, err = p.Zone.CreateRRSet(p.ctx(), z, hcloud.ZoneRRSetCreateOpts{Name: "@", Type: hcloud.ZoneRRSetTypeA, Records: []hcloud.ZoneRRSetRecord{{Value: "203.0.113.9"}}})
	refused(t, err, hcloud.ErrorCodeUniquenessError, "already exists")
	for name, o := range map[string]hcloud.ZoneRRSetCreateOpts{
		"IPv4":          {Name: "www", Type: hcloud.ZoneRRSetTypeA, Records: []hcloud.ZoneRRSetRecord{{Value: "x"}}},
		"double quotes": {Name: "www", Type: hcloud.ZoneRRSetTypeTXT, Records: []hcloud.ZoneRRSetRecord{{Value: "x"}}},
		"relative":      {Name: "WWW", Type: hcloud.ZoneRRSetTypeA, Records: []hcloud.ZoneRRSetRecord{{Value: "203.0.113.9"}}},
		"at least one":  {Name: "www", Type: hcloud.ZoneRRSetTypeA},
		"CNAME":         {Name: "@", Type: hcloud.ZoneRRSetTypeCNAME, Records: []hcloud.ZoneRRSetRecord{{Value: "x."}}},
	} {
		_, _, err := p.Zone.CreateRRSet(p.ctx(), z, o)
		refused(t, err, hcloud.ErrorCodeInvalidInput, name)
	}
	two := []hcloud.ZoneRRSetRecord{{Value: "203.0.113.10"}, {Value: "203.0.113.11"}}
	p.acted(p.Zone.SetRRSetRecords(p.ctx(), set.RRSet, hcloud.ZoneRRSetSetRecordsOpts{Records: two}))
	p.acted(p.Zone.RemoveRRSetRecords(p.ctx(), set.RRSet, hcloud.ZoneRRSetRemoveRecordsOpts{Records: two[:1]}))
	p.acted(p.Zone.AddRRSetRecords(p.ctx(), set.RRSet, hcloud.ZoneRRSetAddRecordsOpts{Records: two[:1]}))
	p.acted(p.Zone.ChangeRRSetTTL(p.ctx(), set.RRSet, hcloud.ZoneRRSetChangeTTLOpts{TTL: hcloud.Ptr(120)}))
	p.acted(p.Zone.ChangeTTL(p.ctx(), z, hcloud.ZoneChangeTTLOpts{TTL: 900}))
	require.Contains(t, fmt.Sprint(p.cloud.Records()), "{example.com @ A 120 [203.0.113.11 203.0.113.10]}")
	got, _, err := p.Zone.GetRRSetByNameAndType(p.ctx(), z, "@", hcloud.ZoneRRSetTypeA)
	require.NoError(t, err)
	require.Equal(t, labels, got.Labels)
	_, _, err = p.Zone.UpdateRRSet(p.ctx(), got, hcloud.ZoneRRSetUpdateOpts{Labels: map[string]string{}})
	require.NoError(t, err)
	p.acted(p.Zone.ChangeRRSetProtection(p.ctx(), got, hcloud.ZoneRRSetChangeProtectionOpts{Change: hcloud.Ptr(true)}))
	_, _, err = p.Zone.DeleteRRSet(p.ctx(), got)
	refused(t, err, hcloud.ErrorCodeProtected, "protected")
	p.acted(p.Zone.ChangeRRSetProtection(p.ctx(), got, hcloud.ZoneRRSetChangeProtectionOpts{Change: hcloud.Ptr(false)}))
	del, _, err := p.Zone.DeleteRRSet(p.ctx(), got)
	require.NoError(t, err)
	p.done(del.Action)
	sets, err := p.Zone.AllRRSets(p.ctx(), z)
	require.NoError(t, err)
	require.Len(t, sets, 2, "SOA and NS")
	p.acted(p.Zone.ChangeProtection(p.ctx(), z, hcloud.ZoneChangeProtectionOpts{Delete: hcloud.Ptr(false)}))
	_, _, err = p.Zone.Update(p.ctx(), z, hcloud.ZoneUpdateOpts{Labels: map[string]string{}})
	require.NoError(t, err)
	gone, _, err := p.Zone.Delete(p.ctx(), z)
	require.NoError(t, err)
	p.done(gone.Action)
	require.Empty(t, p.cloud.Resources())
}
