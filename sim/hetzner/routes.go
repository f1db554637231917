package hetzner

import (
	"net/http"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

// routes is every route of the emulator.
func (c *Cloud) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, group := range []map[string]handler{
		c.catalogueRoutes(), c.networkRoutes(), c.addressRoutes(), c.serverRoutes(), c.volumeRoutes(), c.zoneRoutes(),
	} {
		for pattern, h := range group {
			mux.Handle(pattern, h)
		}
	}
	return mux
}

func (c *Cloud) networkRoutes() map[string]handler {
	all := func() []*network { return c.networks }
	firewalls := func() []*firewall { return c.firewalls }
	return map[string]handler{
		"GET /v1/networks":                                 listing(c, "networks", all, c.networkView),
		"POST /v1/networks":                                c.createNetwork,
		"GET /v1/networks/{id}":                            getting(c, "network", all, c.networkView),
		"PUT /v1/networks/{id}":                            c.updateNetwork,
		"DELETE /v1/networks/{id}":                         c.deleteNetwork,
		"GET /v1/networks/{id}/actions":                    c.listActionsOf("network"),
		"POST /v1/networks/{id}/actions/add_subnet":        c.addSubnet,
		"POST /v1/networks/{id}/actions/delete_subnet":     c.deleteSubnet,
		"POST /v1/networks/{id}/actions/change_protection": c.protectNetwork,

		"GET /v1/firewalls":                                     listing(c, "firewalls", firewalls, c.firewallView),
		"POST /v1/firewalls":                                    c.createFirewall,
		"GET /v1/firewalls/{id}":                                getting(c, "firewall", firewalls, c.firewallView),
		"PUT /v1/firewalls/{id}":                                updating(c, "firewall", firewalls, c.firewallView),
		"DELETE /v1/firewalls/{id}":                             c.deleteFirewall,
		"GET /v1/firewalls/{id}/actions":                        c.listActionsOf("firewall"),
		"POST /v1/firewalls/{id}/actions/set_rules":             c.setRules,
		"POST /v1/firewalls/{id}/actions/apply_to_resources":    c.applyToResources,
		"POST /v1/firewalls/{id}/actions/remove_from_resources": c.removeFromResources,
	}
}

func (c *Cloud) addressRoutes() map[string]handler {
	keys := func() []*sshKey { return c.keys }
	groups := func() []*group { return c.groups }
	ips := func() []*primaryIP { return c.primaryIPs }
	return map[string]handler{
		"GET /v1/ssh_keys":         listing(c, "ssh_keys", keys, (*sshKey).view),
		"POST /v1/ssh_keys":        c.createKey,
		"GET /v1/ssh_keys/{id}":    getting(c, "ssh_key", keys, (*sshKey).view),
		"PUT /v1/ssh_keys/{id}":    updating(c, "ssh_key", keys, (*sshKey).view),
		"DELETE /v1/ssh_keys/{id}": c.deleteKey,

		"GET /v1/placement_groups":         listing(c, "placement_groups", groups, c.groupView),
		"POST /v1/placement_groups":        c.createGroup,
		"GET /v1/placement_groups/{id}":    getting(c, "placement_group", groups, c.groupView),
		"PUT /v1/placement_groups/{id}":    updating(c, "placement_group", groups, c.groupView),
		"DELETE /v1/placement_groups/{id}": c.deleteGroup,

		"GET /v1/primary_ips":                                 listing(c, "primary_ips", ips, (*primaryIP).view),
		"POST /v1/primary_ips":                                c.createPrimaryIP,
		"GET /v1/primary_ips/{id}":                            getting(c, "primary_ip", ips, (*primaryIP).view),
		"PUT /v1/primary_ips/{id}":                            c.updatePrimaryIP,
		"DELETE /v1/primary_ips/{id}":                         c.deletePrimaryIP,
		"GET /v1/primary_ips/{id}/actions":                    c.listActionsOf("primary_ip"),
		"POST /v1/primary_ips/{id}/actions/assign":            c.assignPrimaryIP,
		"POST /v1/primary_ips/{id}/actions/unassign":          c.unassignPrimaryIP,
		"POST /v1/primary_ips/{id}/actions/change_protection": c.protectPrimaryIP,
	}
}

func (c *Cloud) serverRoutes() map[string]handler {
	const at = "POST /v1/servers/{id}/actions/"
	return map[string]handler{
		"GET /v1/servers":                  listing(c, "servers", c.live, c.serverView),
		"POST /v1/servers":                 c.createServer,
		"GET /v1/servers/{id}":             getting(c, "server", c.live, c.serverView),
		"PUT /v1/servers/{id}":             updating(c, "server", c.live, c.serverView),
		"DELETE /v1/servers/{id}":          c.deleteServer,
		"GET /v1/servers/{id}/actions":     c.listActionsOf("server"),
		at + "poweron":                     c.power("start_server", "running", c.backend.PowerOn),
		at + "poweroff":                    c.power("stop_server", "off", c.backend.PowerOff),
		at + "shutdown":                    c.power("shutdown_server", "off", c.backend.ShutDown),
		at + "reboot":                      c.power("reboot_server", "running", c.backend.Reboot),
		at + "reset":                       c.power("reset_server", "running", c.backend.Reboot),
		at + "change_type":                 acting(c, c.changeServerType),
		at + "attach_to_network":           acting(c, c.attachToNetwork),
		at + "detach_from_network":         acting(c, c.detachFromNetwork),
		at + "change_alias_ips":            acting(c, c.changeAliases),
		at + "add_to_placement_group":      acting(c, c.addToPlacementGroup),
		at + "remove_from_placement_group": acting(c, c.removeFromPlacementGroup),
		at + "change_protection":           acting(c, c.protectServer),
	}
}

func (c *Cloud) volumeRoutes() map[string]handler {
	all := func() []*volume { return c.volumes }
	view := func(v *volume) schema.Volume { return v.view() }
	return map[string]handler{
		"GET /v1/volumes":                                 listing(c, "volumes", all, view),
		"POST /v1/volumes":                                c.createVolume,
		"GET /v1/volumes/{id}":                            getting(c, "volume", all, view),
		"PUT /v1/volumes/{id}":                            updating(c, "volume", all, view),
		"DELETE /v1/volumes/{id}":                         c.deleteVolume,
		"GET /v1/volumes/{id}/actions":                    c.listActionsOf("volume"),
		"POST /v1/volumes/{id}/actions/attach":            c.attachVolume,
		"POST /v1/volumes/{id}/actions/detach":            c.detachVolume,
		"POST /v1/volumes/{id}/actions/resize":            c.resizeVolume,
		"POST /v1/volumes/{id}/actions/change_protection": c.protectVolume,
	}
}

func (c *Cloud) zoneRoutes() map[string]handler {
	const sets = "/v1/zones/{id}/rrsets"
	const set = sets + "/{name}/{type}"
	return map[string]handler{
		"GET /v1/zones":                                 listing(c, "zones", func() []*zone { return c.zones }, (*zone).view),
		"POST /v1/zones":                                c.createZone,
		"GET /v1/zones/{id}":                            c.getZone,
		"PUT /v1/zones/{id}":                            c.updateZone,
		"DELETE /v1/zones/{id}":                         c.deleteZone,
		"POST /v1/zones/{id}/actions/change_ttl":        c.changeZoneTTL,
		"POST /v1/zones/{id}/actions/change_protection": c.protectZone,

		"GET " + sets:                                c.listRRSets,
		"POST " + sets:                               c.createRRSet,
		"GET " + set:                                 c.getRRSet,
		"PUT " + set:                                 c.updateRRSet,
		"DELETE " + set:                              c.deleteRRSet,
		"POST " + set + "/actions/set_records":       c.changeRecords("set_records"),
		"POST " + set + "/actions/add_records":       c.changeRecords("add_records"),
		"POST " + set + "/actions/remove_records":    c.changeRecords("remove_records"),
		"POST " + set + "/actions/change_ttl":        c.changeRRSetTTL,
		"POST " + set + "/actions/change_protection": c.protectRRSet,
	}
}
