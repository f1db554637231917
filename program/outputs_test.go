package program_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOutputs(t *testing.T) {
	t.Parallel()
	r := mustPreview(t, onHetzner())
	assert.Equal(t, []string{
		"appServer", "dbServer", "domainName", "fleet", "gatewayServer", "gatewayUrl", "grafanaTunnel",
		"healthCheckUrl", "internalServiceUrls", "mediaServer", "messageServer",
	}, slices.Sorted(maps.Keys(r.outputs)), "Hetzner's catalogue tells no prices without a token")
	assert.Equal(t, map[string]any{
		"name": "construct-prod-gateway-1", "publicIp": "203.0.113.10", "privateIp": "10.20.0.32",
		"sshCommand": "ssh construct@203.0.113.10",
	}, r.outputs["gatewayServer"])
	assert.Equal(t, map[string]any{
		"name": "construct-prod-db-1", "publicIp": "198.51.100.1", "privateIp": "10.20.0.96",
		"sshCommand": "ssh -J construct@203.0.113.10 construct@10.20.0.96",
	}, r.outputs["dbServer"])
	assert.Equal(t, "https://203.0.113.10", r.outputs["gatewayUrl"])
	assert.Equal(t, "https://203.0.113.10/health", r.outputs["healthCheckUrl"])
	assert.Equal(t, "ssh -N -L 3000:media.internal:3000 -J construct@203.0.113.10 construct@10.20.0.160", r.outputs["grafanaTunnel"])
	urls := r.outputs["internalServiceUrls"].(map[string]string)
	assert.Equal(t, "http://app.internal:8001", urls["auth-service"])
	assert.Equal(t, "tcp://db.internal:5432", urls["postgres"])
	assert.Equal(t, "tcp://message.internal:9092", urls["redpanda"])
	for name, url := range urls {
		assert.NotContains(t, url, "@", "%s: no credentials", name)
	}
}

func TestOutputsWithDomainPortAndPrices(t *testing.T) {
	t.Parallel()
	where := also(also(onDigitalOcean(), "construct:domain", "chat.example.com"), "construct:acme", map[string]any{"email": "ops@example.com"})
	r := mustPreview(t, also(where, "construct:ssh", map[string]any{"port": 2222}))
	assert.Equal(t, "chat.example.com", r.outputs["domainName"])
	assert.Equal(t, "https://chat.example.com", r.outputs["gatewayUrl"])
	assert.Equal(t, "ssh -p 2222 construct@203.0.113.10", r.outputs["gatewayServer"].(map[string]any)["sshCommand"])
	assert.Equal(t, "ssh -p 2222 -J construct@203.0.113.10:2222 construct@"+privateAddress("app-1"), r.outputs["appServer"].(map[string]any)["sshCommand"])
	cost := r.outputs["monthlyCost"].(map[string]any)
	assert.Equal(t, "USD", cost["currency"])
	assert.InDelta(t, 12+4*24, cost["amount"], 0.001, "one small, four medium servers")
}

func TestExistingZone(t *testing.T) {
	t.Parallel()
	for name, where := range clouds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changes := also(where, "construct:domain", "chat.example.com")
			changes = also(changes, "construct:acme", map[string]any{"email": "ops@example.com"})
			changes = also(changes, "construct:dns", map[string]any{"zone": "example.com", "createZone": false})
			r := mustPreview(t, changes)
			assert.Empty(t, r.ofType("digitalocean:index/domain:Domain", "hcloud:index/zone:Zone"), "it is not ours to create or delete")
			records := r.ofType("digitalocean:index/dnsRecord:DnsRecord", "hcloud:index/zoneRrset:ZoneRrset")
			require.Len(t, records, 1)
			assert.Equal(t, "chat", text(records[0].Inputs, "name"))
		})
	}
}

// What the cloud does not have is found before anything is registered.
func TestPreflightComesFirst(t *testing.T) {
	t.Parallel()
	roles := map[string]any{"app": map[string]any{"size": "s-9vcpu"}, "db": map[string]any{"size": "s-2vcpu-99gb"}}
	r, err := preview(t, also(onDigitalOcean(), "construct:roles", roles))
	want := "is no x86 size that DigitalOcean offers in fra1 (want small, medium, large or one of s-1vcpu-2gb, s-2vcpu-4gb, s-4vcpu-8gb)"
	require.ErrorContains(t, err, `construct:roles.app.size: "s-9vcpu" `+want)
	require.ErrorContains(t, err, `construct:roles.db.size: "s-2vcpu-99gb" `+want)
	assert.Empty(t, r.resources)

	r, err = preview(t, also(onHetzner(), "construct:region", "mun1"))
	require.ErrorContains(t, err, `construct:region: Hetzner has no region "mun1" (want one of fsn1)`)
	assert.Empty(t, r.resources)
}
