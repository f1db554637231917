package hetzner_test

import (
	"net"
	"testing"
	"time"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/hetzner"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/stretchr/testify/require"
)

var labels = map[string]string{"project": "construct", "stack": "prod"}

// TestLifeCycle walks what a deployment does, from nothing to nothing, and
// checks that the API echoes what it was told: what it forgets would be sent
// again by every later run.
func TestLifeCycle(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	n := p.network("prod", "10.10.0.0/16", "10.10.1.0/24")
	key, _, err := p.SSHKey.Create(p.ctx(), hcloud.SSHKeyCreateOpts{Name: "prod", PublicKey: newKey(t), Labels: labels})
	require.NoError(t, err)
	group, _, err := p.PlacementGroup.Create(p.ctx(), hcloud.PlacementGroupCreateOpts{Name: "prod", Type: hcloud.PlacementGroupTypeSpread, Labels: labels})
	require.NoError(t, err)
	ip, _, err := p.PrimaryIP.Create(p.ctx(), hcloud.PrimaryIPCreateOpts{Name: "prod", Type: hcloud.PrimaryIPTypeIPv4, AssigneeType: "server", Location: "fsn1", AutoDelete: hcloud.Ptr(false), Labels: labels})
	require.NoError(t, err)
	vol, _, err := p.Volume.Create(p.ctx(), hcloud.VolumeCreateOpts{Name: "prod-data", Size: 10, Location: &hcloud.Location{Name: "fsn1"}, Labels: labels})
	require.NoError(t, err)
	p.done(vol.Action)
	fw, _, err := p.Firewall.Create(p.ctx(), hcloud.FirewallCreateOpts{Name: "prod", Labels: labels, Rules: []hcloud.FirewallRule{sshRule(t)}})
	require.NoError(t, err)

	o := serverOpts("prod-gateway-1")
	o.SSHKeys = []*hcloud.SSHKey{key}
	o.UserData, o.Labels = "#cloud-config\n", labels
	o.PlacementGroup = group.PlacementGroup
	o.Firewalls = []*hcloud.ServerCreateFirewall{{Firewall: hcloud.Firewall{ID: fw.Firewall.ID}}}
	o.PublicNet = &hcloud.ServerCreatePublicNet{EnableIPv4: true, IPv4: ip.PrimaryIP}
	s := p.server(o)
	require.Equal(t, hcloud.ServerStatusRunning, s.Status)
	require.Equal(t, labels, s.Labels)
	require.Equal(t, group.PlacementGroup.ID, s.PlacementGroup.ID)
	require.True(t, s.PublicNet.IPv4.IP.Equal(ip.PrimaryIP.IP))
	require.True(t, s.PublicNet.IPv6.IsUnspecified())
	require.Equal(t, fw.Firewall.ID, s.PublicNet.Firewalls[0].Firewall.ID)
	require.Equal(t, "cx23", s.ServerType.Name)
	require.Equal(t, "debian-12", s.Image.Name)
	h, found := p.backend.Host("prod-gateway-1")
	require.True(t, found)
	require.Equal(t, "#cloud-config\n", h.Spec.UserData)
	require.Equal(t, 4096, h.Spec.MemoryMB)
	require.Equal(t, ip.PrimaryIP.IP.String(), h.Spec.PublicIPv4.String())

	p.acted(p.Server.AttachToNetwork(p.ctx(), s, hcloud.ServerAttachToNetworkOpts{Network: n, IP: net.ParseIP("10.10.1.5")}))
	p.acted(p.Volume.Attach(p.ctx(), vol.Volume, s))
	s = p.get(s.ID)
	require.Equal(t, "10.10.1.5", s.PrivateNet[0].IP.String())
	require.Equal(t, vol.Volume.ID, s.Volumes[0].ID)
	at, _ := p.backend.Volume("hz-vol-" + itoa(vol.Volume.ID))
	require.NotEmpty(t, at)
	require.Equal(t, "/dev/disk/by-id/scsi-0HC_Volume_"+itoa(vol.Volume.ID), vol.Volume.LinuxDevice)

	_, err = p.Network.Delete(p.ctx(), n)
	refused(t, err, hcloud.ErrorCodeResourceInUse, "in use")
	_, _, err = p.Network.DeleteSubnet(p.ctx(), n, hcloud.NetworkDeleteSubnetOpts{Subnet: hcloud.NetworkSubnet{IPRange: cidr(t, "10.10.1.0/24")}})
	refused(t, err, hcloud.ErrorCodeServiceError, "servers are attached")
	_, err = p.Volume.Delete(p.ctx(), vol.Volume)
	refused(t, err, hcloud.ErrorCodeResourceInUse, "attached")
	_, err = p.Firewall.Delete(p.ctx(), fw.Firewall)
	refused(t, err, hcloud.ErrorCodeResourceInUse, "in use")

	p.acted(p.Volume.Detach(p.ctx(), vol.Volume))
	p.acted(p.Server.DetachFromNetwork(p.ctx(), s, hcloud.ServerDetachFromNetworkOpts{Network: n}))
	p.destroy(n, s, func() []error {
		_, e1 := p.Volume.Delete(p.ctx(), vol.Volume)
		_, e2 := p.Firewall.Delete(p.ctx(), fw.Firewall)
		_, e3 := p.PlacementGroup.Delete(p.ctx(), group.PlacementGroup)
		_, e4 := p.PrimaryIP.Delete(p.ctx(), ip.PrimaryIP)
		_, e5 := p.SSHKey.Delete(p.ctx(), key)
		return []error{e1, e2, e3, e4, e5}
	})
}

func (p *project) destroy(n *hcloud.Network, s *hcloud.Server, rest func() []error) {
	p.t.Helper()
	res, _, err := p.Server.DeleteWithResult(p.ctx(), s)
	require.NoError(p.t, err)
	p.done(res.Action)
	gone, _, err := p.Server.GetByID(p.ctx(), s.ID)
	require.NoError(p.t, err)
	require.Nil(p.t, gone)
	p.acted(p.Network.DeleteSubnet(p.ctx(), n, hcloud.NetworkDeleteSubnetOpts{Subnet: hcloud.NetworkSubnet{IPRange: cidr(p.t, "10.10.1.0/24")}}))
	for _, err := range rest() {
		require.NoError(p.t, err)
	}
	_, err = p.Network.Delete(p.ctx(), n)
	require.NoError(p.t, err)
	require.Equal(p.t, map[string][]api.Resource{}, p.cloud.Resources())
	require.Empty(p.t, p.backend.Left())
}

func TestAutomaticPrimaryIPs(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	s := p.server(serverOpts("one"))
	require.False(t, s.PublicNet.IPv4.IsUnspecified())
	require.False(t, s.PublicNet.IPv6.IsUnspecified())
	ips, err := p.PrimaryIP.All(p.ctx())
	require.NoError(t, err)
	require.Len(t, ips, 2)
	for _, ip := range ips {
		require.True(t, ip.AutoDelete)
		require.Equal(t, s.ID, ip.AssigneeID)
	}
	res, _, err := p.Server.DeleteWithResult(p.ctx(), s)
	require.NoError(t, err)
	p.done(res.Action)
	require.Empty(t, p.cloud.Resources(), "they go with their server")
}

func TestServerActions(t *testing.T) {
	t.Parallel()
	p := newProject(t, func(o *hetzner.Options) { o.Speed.Action = 300 * time.Millisecond })
	s := p.server(serverOpts("one"))
	_, _, err := p.Server.ChangeType(p.ctx(), s, hcloud.ServerChangeTypeOpts{ServerType: &hcloud.ServerType{Name: "cx33"}})
	refused(t, err, hcloud.ErrorCodeServerNotStopped, "stopped")
	a, _, err := p.Server.Poweroff(p.ctx(), s)
	require.NoError(t, err)
	_, _, err = p.Server.Reboot(p.ctx(), s)
	refused(t, err, hcloud.ErrorCodeLocked, "action running")
	p.done(a)
	p.acted(p.Server.ChangeType(p.ctx(), s, hcloud.ServerChangeTypeOpts{ServerType: &hcloud.ServerType{Name: "cx33"}}))
	s = p.get(s.ID)
	require.Equal(t, hcloud.ServerStatusRunning, s.Status, "the API starts a server whose type it has changed")
	p.acted(p.Server.Poweroff(p.ctx(), s))
	require.Equal(t, "cx33", s.ServerType.Name)
	require.Equal(t, 40, s.PrimaryDiskSize)

	g, _, err := p.PlacementGroup.Create(p.ctx(), hcloud.PlacementGroupCreateOpts{Name: "g", Type: hcloud.PlacementGroupTypeSpread})
	require.NoError(t, err)
	p.acted(p.Server.AddToPlacementGroup(p.ctx(), s, g.PlacementGroup))
	_, err = p.PlacementGroup.Delete(p.ctx(), g.PlacementGroup)
	refused(t, err, hcloud.ErrorCodeResourceInUse, "in use")
	p.acted(p.Server.RemoveFromPlacementGroup(p.ctx(), s))
	p.acted(p.Server.Poweron(p.ctx(), s))
	p.acted(p.Server.Reset(p.ctx(), s))
	p.acted(p.Server.ChangeProtection(p.ctx(), s, hcloud.ServerChangeProtectionOpts{Delete: hcloud.Ptr(true), Rebuild: hcloud.Ptr(true)}))
	_, _, err = p.Server.DeleteWithResult(p.ctx(), s)
	refused(t, err, hcloud.ErrorCodeProtected, "protected")
	p.acted(p.Server.ChangeProtection(p.ctx(), s, hcloud.ServerChangeProtectionOpts{Delete: hcloud.Ptr(false), Rebuild: hcloud.Ptr(false)}))
	s, _, err = p.Server.Update(p.ctx(), s, hcloud.ServerUpdateOpts{Name: "two", Labels: labels})
	require.NoError(t, err)
	require.Equal(t, "two", s.Name)
	require.Equal(t, labels, s.Labels)
	p.acted(p.Server.Shutdown(p.ctx(), s))
	h, _ := p.backend.Host("one")
	require.False(t, h.On)
}

func TestPrimaryIPMoves(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	n := p.network("n", "10.10.0.0/16", "10.10.1.0/24")
	o := serverOpts("one")
	o.PublicNet = &hcloud.ServerCreatePublicNet{}
	o.Networks = []*hcloud.Network{n}
	s := p.server(o)
	require.Equal(t, "10.10.1.1", s.PrivateNet[0].IP.String())
	h, _ := p.backend.Host("one")
	require.False(t, h.Spec.PublicIPv4.IsValid())
	ip, _, err := p.PrimaryIP.Create(p.ctx(), hcloud.PrimaryIPCreateOpts{Name: "ip", Type: hcloud.PrimaryIPTypeIPv4, AssigneeType: "server", Location: "fsn1"})
	require.NoError(t, err)
	assign := hcloud.PrimaryIPAssignOpts{ID: ip.PrimaryIP.ID, AssigneeID: s.ID, AssigneeType: "server"}
	_, _, err = p.PrimaryIP.Assign(p.ctx(), assign)
	refused(t, err, hcloud.ErrorCodeServerNotStopped, "stopped")
	p.off(s)
	p.acted(p.PrimaryIP.Assign(p.ctx(), assign))
	h, _ = p.backend.Host("one")
	require.Equal(t, ip.PrimaryIP.IP.String(), h.Public[0].String())
	p.acted(p.PrimaryIP.Unassign(p.ctx(), ip.PrimaryIP.ID))
	p.acted(p.PrimaryIP.ChangeProtection(p.ctx(), hcloud.PrimaryIPChangeProtectionOpts{ID: ip.PrimaryIP.ID, Delete: true}))
	_, err = p.PrimaryIP.Delete(p.ctx(), ip.PrimaryIP)
	refused(t, err, hcloud.ErrorCodeProtected, "protected")
	got, _, err := p.PrimaryIP.Update(p.ctx(), ip.PrimaryIP, hcloud.PrimaryIPUpdateOpts{Name: "new", AutoDelete: hcloud.Ptr(true), Labels: &labels})
	require.NoError(t, err)
	require.True(t, got.AutoDelete)
	require.Equal(t, labels, got.Labels)
}

func TestActionsAreAsynchronous(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	s := p.server(serverOpts("one"))
	a, _, err := p.Server.Poweroff(p.ctx(), s)
	require.NoError(t, err)
	require.Equal(t, hcloud.ActionStatusRunning, a.Status)
	require.Zero(t, a.Progress)
	require.Eventually(t, func() bool {
		got, _, err := p.Action.GetByID(p.ctx(), a.ID)
		require.NoError(t, err)
		return got.Status == hcloud.ActionStatusSuccess && got.Progress == 100 && !got.Finished.IsZero()
	}, 5*time.Second, 5*time.Millisecond)
	list, err := p.Action.AllWithOpts(p.ctx(), hcloud.ActionListOpts{ID: []int64{a.ID}})
	require.NoError(t, err)
	require.Len(t, list, 1)
}
