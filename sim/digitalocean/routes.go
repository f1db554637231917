package digitalocean

import "net/http"

// routes is every route of the emulator.
func (c *Cloud) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, group := range []map[string]handler{
		c.catalogueRoutes(), c.networkRoutes(), c.computeRoutes(), c.firewallRoutes(), c.namingRoutes(),
	} {
		for pattern, h := range group {
			mux.Handle(pattern, h)
		}
	}
	return mux
}

func (c *Cloud) catalogueRoutes() map[string]handler {
	return map[string]handler{
		"GET /v2/account":                c.getAccount,
		"GET /v2/regions":                c.listRegions,
		"GET /v2/sizes":                  c.listSizes,
		"GET /v2/images":                 c.listImages,
		"GET /v2/images/{id}":            c.getImage,
		"GET /v2/account/keys":           c.listKeys,
		"POST /v2/account/keys":          c.createKey,
		"GET /v2/account/keys/{id}":      c.getKey,
		"PUT /v2/account/keys/{id}":      c.updateKey,
		"DELETE /v2/account/keys/{id}":   c.deleteKey,
		"GET /v2/actions":                c.listActions(anyAction),
		"GET /v2/actions/{action}":       c.getAction(anyAction),
		"GET /v2/tags":                   c.listTags,
		"POST /v2/tags":                  c.createTag,
		"GET /v2/tags/{name}":            c.getTag,
		"DELETE /v2/tags/{name}":         c.deleteTag,
		"POST /v2/tags/{name}/resources": c.changeTagged(true),
		// The real API reads a body on this DELETE, and so do the clients.
		"DELETE /v2/tags/{name}/resources": c.changeTagged(false),
	}
}

func (c *Cloud) networkRoutes() map[string]handler {
	return map[string]handler{
		"GET /v2/vpcs":                               c.listVPCs,
		"POST /v2/vpcs":                              c.createVPC,
		"GET /v2/vpcs/{id}":                          c.getVPC,
		"PUT /v2/vpcs/{id}":                          c.updateVPC,
		"PATCH /v2/vpcs/{id}":                        c.updateVPC,
		"DELETE /v2/vpcs/{id}":                       c.deleteVPC,
		"GET /v2/vpcs/{id}/members":                  c.listMembers,
		"GET /v2/reserved_ips":                       c.listReserved,
		"POST /v2/reserved_ips":                      c.createReserved,
		"GET /v2/reserved_ips/{id}":                  c.getReserved,
		"DELETE /v2/reserved_ips/{id}":               c.deleteReserved,
		"GET /v2/reserved_ips/{id}/actions":          c.listActions(ofKey),
		"POST /v2/reserved_ips/{id}/actions":         c.actOnReserved,
		"GET /v2/reserved_ips/{id}/actions/{action}": c.getAction(ofKey),
	}
}

func (c *Cloud) computeRoutes() map[string]handler {
	return map[string]handler{
		"GET /v2/droplets":                       c.listDroplets,
		"POST /v2/droplets":                      c.createDroplet,
		"GET /v2/droplets/{id}":                  c.getDroplet,
		"DELETE /v2/droplets/{id}":               c.deleteDroplet,
		"GET /v2/droplets/{id}/actions":          c.listActions(ofDroplet),
		"POST /v2/droplets/{id}/actions":         c.actOnDroplet,
		"GET /v2/droplets/{id}/actions/{action}": c.getAction(ofDroplet),
		"GET /v2/droplets/{id}/firewalls":        c.listDropletFirewalls,
		"GET /v2/volumes":                        c.listVolumes,
		"POST /v2/volumes":                       c.createVolume,
		"GET /v2/volumes/{id}":                   c.getVolume,
		"DELETE /v2/volumes/{id}":                c.deleteVolume,
		"GET /v2/volumes/{id}/actions":           c.listActions(ofKey),
		"POST /v2/volumes/{id}/actions":          c.actOnVolume,
		"GET /v2/volumes/{id}/actions/{action}":  c.getAction(ofKey),
	}
}

func (c *Cloud) firewallRoutes() map[string]handler {
	return map[string]handler{
		"GET /v2/firewalls":                  c.listFirewalls,
		"POST /v2/firewalls":                 c.createFirewall,
		"GET /v2/firewalls/{id}":             c.getFirewall,
		"PUT /v2/firewalls/{id}":             c.updateFirewall,
		"DELETE /v2/firewalls/{id}":          c.deleteFirewall,
		"POST /v2/firewalls/{id}/droplets":   c.changeFirewallDroplets(true),
		"DELETE /v2/firewalls/{id}/droplets": c.changeFirewallDroplets(false),
		"POST /v2/firewalls/{id}/tags":       c.changeFirewallTags(true),
		"DELETE /v2/firewalls/{id}/tags":     c.changeFirewallTags(false),
		"POST /v2/firewalls/{id}/rules":      c.changeFirewallRules(true),
		"DELETE /v2/firewalls/{id}/rules":    c.changeFirewallRules(false),
	}
}

func (c *Cloud) namingRoutes() map[string]handler {
	return map[string]handler{
		"GET /v2/domains":                          c.listDomains,
		"POST /v2/domains":                         c.createDomain,
		"GET /v2/domains/{domain}":                 c.getDomain,
		"DELETE /v2/domains/{domain}":              c.deleteDomain,
		"GET /v2/domains/{domain}/records":         c.listRecords,
		"POST /v2/domains/{domain}/records":        c.createRecord,
		"GET /v2/domains/{domain}/records/{id}":    c.getRecord,
		"PUT /v2/domains/{domain}/records/{id}":    c.updateRecord,
		"PATCH /v2/domains/{domain}/records/{id}":  c.updateRecord,
		"DELETE /v2/domains/{domain}/records/{id}": c.deleteRecord,
		"GET /v2/projects":                         c.listProjects,
		"POST /v2/projects":                        c.createProject,
		"GET /v2/projects/{id}":                    c.getProject,
		"PUT /v2/projects/{id}":                    c.updateProject,
		"PATCH /v2/projects/{id}":                  c.updateProject,
		"DELETE /v2/projects/{id}":                 c.deleteProject,
		"GET /v2/projects/{id}/resources":          c.listProjectResources,
		"POST /v2/projects/{id}/resources":         c.assignResources,
	}
}
