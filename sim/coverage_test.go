package sim_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/api/apitest"
	"github.com/construct-server/infra/sim/digitalocean"
	"github.com/construct-server/infra/sim/hetzner"
	"github.com/stretchr/testify/require"
)

// Every route that the official Pulumi providers (digitalocean 4.76.0, hcloud
// 1.39.1) were seen to ask for, by resource, through up, refresh, up and
// destroy. A route that is missing from an emulator fails here and not in the
// middle of a deployment; what each answers is tested beside each emulator.
var providerRoutes = map[string][]string{
	"digitalocean Vpc":                  {"POST /v2/vpcs", "GET /v2/vpcs/x", "PUT /v2/vpcs/x", "DELETE /v2/vpcs/x"},
	"digitalocean SshKey":               {"POST /v2/account/keys", "GET /v2/account/keys/1", "DELETE /v2/account/keys/1"},
	"digitalocean Tag":                  {"POST /v2/tags", "GET /v2/tags/x", "DELETE /v2/tags/x", "POST /v2/tags/x/resources", "DELETE /v2/tags/x/resources"},
	"digitalocean Droplet":              {"POST /v2/droplets", "GET /v2/actions/1", "GET /v2/droplets/1", "POST /v2/droplets/1/actions", "DELETE /v2/droplets/1"},
	"digitalocean Volume":               {"POST /v2/volumes", "GET /v2/volumes/x", "DELETE /v2/volumes/x"},
	"digitalocean VolumeAttachment":     {"POST /v2/volumes/x/actions", "GET /v2/actions/1", "GET /v2/droplets/1/actions"},
	"digitalocean Firewall":             {"POST /v2/firewalls", "GET /v2/firewalls/x", "PUT /v2/firewalls/x", "DELETE /v2/firewalls/x"},
	"digitalocean ReservedIp":           {"POST /v2/reserved_ips", "GET /v2/reserved_ips/192.0.2.1", "DELETE /v2/reserved_ips/192.0.2.1"},
	"digitalocean ReservedIpAssignment": {"POST /v2/reserved_ips/192.0.2.1/actions", "GET /v2/reserved_ips/192.0.2.1/actions/1"},
	"digitalocean Domain":               {"POST /v2/domains", "GET /v2/domains/x.example", "DELETE /v2/domains/x.example"},
	"digitalocean DnsRecord": {
		"POST /v2/domains/x.example/records", "GET /v2/domains/x.example/records/1",
		"PUT /v2/domains/x.example/records/1", "DELETE /v2/domains/x.example/records/1",
	},
	"digitalocean Project": {
		"POST /v2/projects", "GET /v2/projects", "GET /v2/projects/x", "GET /v2/projects/default", "PATCH /v2/projects/x", "DELETE /v2/projects/x",
		"POST /v2/projects/x/resources", "GET /v2/projects/x/resources",
	},
	"digitalocean invokes": {"GET /v2/vpcs", "GET /v2/regions", "GET /v2/sizes", "GET /v2/images/debian-12-x64", "GET /v2/account"},

	"hetzner Network":        {"POST /v1/networks", "GET /v1/networks/1", "PUT /v1/networks/1", "DELETE /v1/networks/1"},
	"hetzner NetworkSubnet":  {"POST /v1/networks/1/actions/add_subnet", "POST /v1/networks/1/actions/delete_subnet"},
	"hetzner SshKey":         {"POST /v1/ssh_keys", "GET /v1/ssh_keys/1", "PUT /v1/ssh_keys/1", "DELETE /v1/ssh_keys/1"},
	"hetzner PlacementGroup": {"POST /v1/placement_groups", "GET /v1/placement_groups/1", "DELETE /v1/placement_groups/1"},
	"hetzner PrimaryIp": {
		"POST /v1/primary_ips", "GET /v1/primary_ips/1", "PUT /v1/primary_ips/1", "DELETE /v1/primary_ips/1",
		"POST /v1/primary_ips/1/actions/assign", "POST /v1/primary_ips/1/actions/unassign",
	},
	"hetzner Firewall": {
		"POST /v1/firewalls", "GET /v1/firewalls/1", "PUT /v1/firewalls/1", "DELETE /v1/firewalls/1",
		"POST /v1/firewalls/1/actions/set_rules", "POST /v1/firewalls/1/actions/apply_to_resources", "POST /v1/firewalls/1/actions/remove_from_resources",
	},
	"hetzner Server": {
		"GET /v1/server_types", "GET /v1/images", "GET /v1/ssh_keys/1", "POST /v1/servers", "GET /v1/servers/1", "PUT /v1/servers/1", "DELETE /v1/servers/1",
		"POST /v1/servers/1/actions/add_to_placement_group", "POST /v1/servers/1/actions/remove_from_placement_group",
		"POST /v1/servers/1/actions/change_type", "POST /v1/servers/1/actions/poweroff", "POST /v1/servers/1/actions/poweron",
		"POST /v1/servers/1/actions/shutdown", "POST /v1/servers/1/actions/change_protection",
	},
	"hetzner ServerNetwork":    {"POST /v1/servers/1/actions/attach_to_network", "POST /v1/servers/1/actions/detach_from_network", "POST /v1/servers/1/actions/change_alias_ips"},
	"hetzner Volume":           {"POST /v1/volumes", "GET /v1/volumes/1", "PUT /v1/volumes/1", "DELETE /v1/volumes/1", "POST /v1/volumes/1/actions/resize", "POST /v1/volumes/1/actions/change_protection"},
	"hetzner VolumeAttachment": {"POST /v1/volumes/1/actions/attach", "POST /v1/volumes/1/actions/detach"},
	"hetzner Zone":             {"POST /v1/zones", "GET /v1/zones/x.example", "PUT /v1/zones/1", "DELETE /v1/zones/1", "POST /v1/zones/1/actions/change_ttl"},
	"hetzner ZoneRrset": {
		"POST /v1/zones/x.example/rrsets", "GET /v1/zones/x.example/rrsets/@/A", "PUT /v1/zones/x.example/rrsets/@/A", "DELETE /v1/zones/x.example/rrsets/@/A",
		"POST /v1/zones/x.example/rrsets/@/A/actions/set_records", "POST /v1/zones/x.example/rrsets/@/A/actions/change_ttl",
	},
	"hetzner actions and invokes": {"GET /v1/actions?id=1", "GET /v1/actions/1", "GET /v1/locations", "GET /v1/datacenters", "GET /v1/pricing"},
}

func TestEveryProviderRouteIsModelled(t *testing.T) {
	t.Parallel()
	backend := apitest.NewBackend()
	clouds := []api.Cloud{digitalocean.New(digitalocean.Options{Backend: backend}), hetzner.New(hetzner.Options{Backend: backend})}
	for resource, routes := range providerRoutes {
		cloud := clouds[0]
		if strings.HasPrefix(resource, "hetzner") {
			cloud = clouds[1]
		}
		for _, route := range routes {
			method, path, _ := strings.Cut(route, " ")
			require.NotEmpty(t, cloud.Route(httptest.NewRequest(method, path, http.NoBody)), "%s: %s", resource, route)
		}
	}
}
