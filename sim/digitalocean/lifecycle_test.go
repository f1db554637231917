package digitalocean_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/digitalocean"
	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/require"
)

// TestLifeCycle walks what a deployment does, from nothing to nothing.
func TestLifeCycle(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.vpc("first", "10.30.0.0/24") // the region's default, which stays
	vpc := a.vpc("prod", "10.20.0.0/24")
	key, _, err := a.Keys.Create(a.ctx(), &godo.KeyCreateRequest{Name: "prod", PublicKey: newKey(t)})
	require.NoError(t, err)
	for _, tag := range []string{"prod", "prod-gateway", "prod-db"} {
		_, _, err := a.Tags.Create(a.ctx(), &godo.TagCreateRequest{Name: tag})
		require.NoError(t, err)
	}
	vol, _, err := a.Storage.CreateVolume(a.ctx(), &godo.VolumeCreateRequest{Region: "fra1", Name: "prod-db-1-data", SizeGigaBytes: 10, Tags: []string{"prod"}})
	require.NoError(t, err)

	gw := a.droplet(godo.DropletCreateRequest{
		Name: "prod-gateway-1", VPCUUID: vpc.ID, Tags: []string{"prod", "prod-gateway"}, IPv6: true, Monitoring: true,
		SSHKeys: []godo.DropletCreateSSHKey{{ID: key.ID}}, UserData: "#cloud-config\n",
	})
	db := a.droplet(godo.DropletCreateRequest{
		Name: "prod-db-1", VPCUUID: vpc.ID, Tags: []string{"prod", "prod-db"}, SSHKeys: []godo.DropletCreateSSHKey{{Fingerprint: key.Fingerprint}},
	})
	private, err := gw.PrivateIPv4()
	require.NoError(t, err)
	require.Equal(t, "10.20.0.2", private)
	public6, err := gw.PublicIPv6()
	require.NoError(t, err)
	require.NotEmpty(t, public6)
	require.ElementsMatch(t, []string{"droplet_agent", "private_networking", "ipv6", "monitoring"}, gw.Features)
	require.Equal(t, vpc.ID, gw.VPCUUID)
	h, found := a.backend.Host("prod-gateway-1")
	require.True(t, found)
	require.Equal(t, "#cloud-config\n", h.Spec.UserData)
	require.Equal(t, []string{key.PublicKey}, h.Spec.AuthorizedKeys)
	require.Equal(t, 2048, h.Spec.MemoryMB)

	a.done(a.StorageActions.Attach(a.ctx(), vol.ID, db.ID))
	db, _, err = a.Droplets.Get(a.ctx(), db.ID)
	require.NoError(t, err)
	require.Equal(t, []string{vol.ID}, db.VolumeIDs)
	_, err = a.Storage.DeleteVolume(a.ctx(), vol.ID)
	refused(t, err, 409, "attached")

	ip, _, err := a.ReservedIPs.Create(a.ctx(), &godo.ReservedIPCreateRequest{Region: "fra1"})
	require.NoError(t, err)
	act, _, err := a.ReservedIPActions.Assign(a.ctx(), ip.IP, gw.ID)
	a.done(act, nil, err)
	_, _, err = a.ReservedIPActions.Get(a.ctx(), ip.IP, act.ID)
	require.NoError(t, err)
	ip, _, err = a.ReservedIPs.Get(a.ctx(), ip.IP)
	require.NoError(t, err)
	require.Equal(t, gw.ID, ip.Droplet.ID)
	h, _ = a.backend.Host("prod-gateway-1")
	require.Equal(t, []netip.Addr{netip.MustParseAddr(ip.IP)}, h.Public)

	a.project(gw, vol, ip)
	a.destroy(vpc, key, vol, ip, gw, db)
	require.Eventually(t, func() bool { return len(a.cloud.Resources()) == 0 && len(a.backend.Left()) == 0 },
		5*time.Second, 5*time.Millisecond, "left: %v %v", a.cloud.Resources(), a.backend.Left())
	require.Equal(t, map[string][]api.Resource{}, a.cloud.Resources())
}

// project puts resources into a project, and deletes it in the provider's way.
func (a *account) project(gw *godo.Droplet, vol *godo.Volume, ip *godo.ReservedIP) {
	a.t.Helper()
	p, _, err := a.Projects.Create(a.ctx(), &godo.CreateProjectRequest{Name: "prod", Purpose: "Service or API", Environment: "Production"})
	require.NoError(a.t, err)
	_, _, err = a.Projects.AssignResources(a.ctx(), p.ID, gw.URN(), vol.URN(), ip.URN())
	require.NoError(a.t, err)
	list, _, err := a.Projects.ListResources(a.ctx(), p.ID, &godo.ListOptions{PerPage: 200})
	require.NoError(a.t, err)
	require.Len(a.t, list, 3)
	_, err = a.Projects.Delete(a.ctx(), p.ID)
	refused(a.t, err, 412, "with resources")
	_, _, err = a.Projects.AssignResources(a.ctx(), godo.DefaultProject, gw.URN(), vol.URN(), ip.URN())
	require.NoError(a.t, err)
	p, _, err = a.Projects.Update(a.ctx(), p.ID, &godo.UpdateProjectRequest{Name: "prod", Description: "d", Purpose: "Service or API", Environment: "Production", IsDefault: false})
	require.NoError(a.t, err)
	require.Equal(a.t, "d", p.Description)
	_, err = a.Projects.Delete(a.ctx(), p.ID)
	require.NoError(a.t, err)
	def, _, err := a.Projects.GetDefault(a.ctx())
	require.NoError(a.t, err)
	_, err = a.Projects.Delete(a.ctx(), def.ID)
	refused(a.t, err, 403, "default")
}

func (a *account) destroy(vpc *godo.VPC, key *godo.Key, vol *godo.Volume, ip *godo.ReservedIP, droplets ...*godo.Droplet) {
	a.t.Helper()
	a.done(a.ReservedIPActions.Unassign(a.ctx(), ip.IP))
	_, err := a.ReservedIPs.Delete(a.ctx(), ip.IP)
	require.NoError(a.t, err)
	a.done(a.StorageActions.DetachByDropletID(a.ctx(), vol.ID, droplets[1].ID))
	_, err = a.Storage.DeleteVolume(a.ctx(), vol.ID)
	require.NoError(a.t, err)
	for _, d := range droplets {
		_, err := a.Droplets.Delete(a.ctx(), d.ID)
		require.NoError(a.t, err)
		require.Eventually(a.t, func() bool { // shown until it is gone
			_, _, err = a.Droplets.Get(a.ctx(), d.ID)
			return err != nil
		}, 5*time.Second, 5*time.Millisecond)
		refused(a.t, err, 404, "could not be found")
	}
	_, err = a.VPCs.Delete(a.ctx(), vpc.ID)
	refused(a.t, err, 409, "Can not delete VPC with members")
	require.Eventually(a.t, func() bool {
		_, err := a.VPCs.Delete(a.ctx(), vpc.ID)
		return err == nil
	}, 5*time.Second, 10*time.Millisecond)
	_, err = a.Keys.DeleteByID(a.ctx(), key.ID)
	require.NoError(a.t, err)
	for _, tag := range []string{"prod", "prod-gateway", "prod-db"} {
		_, err := a.Tags.Delete(a.ctx(), tag)
		require.NoError(a.t, err)
	}
}

func TestDropletActions(t *testing.T) {
	t.Parallel()
	a := newAccount(t, func(o *digitalocean.Options) { o.Speed.Action = 300 * time.Millisecond })
	d := a.droplet(godo.DropletCreateRequest{Name: "one", Tags: []string{"red"}})

	_, _, err := a.DropletActions.Resize(a.ctx(), d.ID, "s-2vcpu-4gb", true)
	refused(t, err, 422, "powered off")
	act, _, err := a.DropletActions.PowerOff(a.ctx(), d.ID)
	require.NoError(t, err)
	_, _, err = a.DropletActions.Reboot(a.ctx(), d.ID)
	refused(t, err, 422, "pending event")
	a.done(act, nil, nil)
	h, _ := a.backend.Host("one")
	require.False(t, h.On)
	_, _, err = a.DropletActions.PowerOff(a.ctx(), d.ID)
	refused(t, err, 422, "already powered off")
	a.done(a.DropletActions.Shutdown(a.ctx(), d.ID)) // this, the API does not refuse
	a.done(a.DropletActions.Resize(a.ctx(), d.ID, "s-2vcpu-4gb", false))
	a.done(a.DropletActions.PowerOn(a.ctx(), d.ID))
	a.done(a.DropletActions.Shutdown(a.ctx(), d.ID))
	h, _ = a.backend.Host("one")
	require.False(t, h.On)
	a.done(a.DropletActions.PowerOn(a.ctx(), d.ID))
	a.done(a.DropletActions.Rename(a.ctx(), d.ID, "two"))
	a.done(a.DropletActions.EnableIPv6(a.ctx(), d.ID))
	d = a.active(d.ID)
	require.Equal(t, "s-2vcpu-4gb", d.Size.Slug)
	require.Equal(t, 4096, d.Memory)
	require.Equal(t, 50, d.Disk, "the disk grows only when asked")
	require.Equal(t, "two", d.Name)
	require.Len(t, d.Networks.V6, 1)

	acts, _, err := a.Droplets.Actions(a.ctx(), d.ID, &godo.ListOptions{PerPage: 50})
	require.NoError(t, err)
	require.Equal(t, []string{"enable_ipv6", "rename", "power_on", "shutdown", "power_on", "resize", "shutdown", "power_off", "create"}, types(acts), "newest first")
	_, _, err = a.DropletActions.Snapshot(a.ctx(), d.ID, "s")
	refused(t, err, 501, "does not model")

	_, err = a.Tags.UntagResources(a.ctx(), "red", &godo.UntagResourcesRequest{Resources: []godo.Resource{{ID: "1", Type: godo.DropletResourceType}}})
	refused(t, err, 404, "")
	byTag, _, err := a.Droplets.ListByTag(a.ctx(), "red", nil)
	require.NoError(t, err)
	require.Len(t, byTag, 1)
	byName, _, err := a.Droplets.ListByName(a.ctx(), "one", nil)
	require.NoError(t, err)
	require.Empty(t, byName)
}

func types(acts []godo.Action) []string {
	var out []string
	for _, a := range acts {
		out = append(out, a.Type)
	}
	return out
}
