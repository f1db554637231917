package hetzner_test

import (
	"net"
	"testing"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/stretchr/testify/require"
)

// TestReadBack reads one by one what a refresh reads.
func TestReadBack(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	_, ipRange, err := net.ParseCIDR("10.9.0.0/16")
	require.NoError(t, err)
	network, _, err := p.Network.Create(p.ctx(), hcloud.NetworkCreateOpts{Name: "net", IPRange: ipRange})
	require.NoError(t, err)
	readNetwork, _, err := p.Network.GetByID(p.ctx(), network.ID)
	require.NoError(t, err)
	require.Equal(t, network, readNetwork)

	group, _, err := p.PlacementGroup.Create(p.ctx(), hcloud.PlacementGroupCreateOpts{Name: "group", Type: hcloud.PlacementGroupTypeSpread})
	require.NoError(t, err)
	readGroup, _, err := p.PlacementGroup.GetByID(p.ctx(), group.PlacementGroup.ID)
	require.NoError(t, err)
	require.Equal(t, group.PlacementGroup, readGroup)

	address, _, err := p.PrimaryIP.Create(p.ctx(), hcloud.PrimaryIPCreateOpts{
		Name: "address", Type: hcloud.PrimaryIPTypeIPv4, Location: "fsn1", AssigneeType: "server",
	})
	require.NoError(t, err)
	readAddress, _, err := p.PrimaryIP.GetByID(p.ctx(), address.PrimaryIP.ID)
	require.NoError(t, err)
	require.Equal(t, address.PrimaryIP, readAddress)

	key, _, err := p.SSHKey.Create(p.ctx(), hcloud.SSHKeyCreateOpts{Name: "key", PublicKey: newKey(t)})
	require.NoError(t, err)
	readKey, _, err := p.SSHKey.GetByID(p.ctx(), key.ID)
	require.NoError(t, err)
	require.Equal(t, key, readKey)
}
