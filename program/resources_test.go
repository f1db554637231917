package program_test

import (
	"crypto/ed25519"
	"encoding/pem"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// operatorKey is a key pair as an operator has it.
func operatorKey(t *testing.T) (public, private string) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	block, err := ssh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	half, err := ssh.NewPublicKey(key.Public())
	require.NoError(t, err)
	return string(ssh.MarshalAuthorizedKey(half)), string(pem.EncodeToMemory(block))
}

func text(inputs resource.PropertyMap, key string) string {
	return reveal(inputs[resource.PropertyKey(key)]).StringValue()
}

// Two stacks in one account must share no name.
func TestNamesAreTheStacks(t *testing.T) {
	t.Parallel()
	eachCloud(t, nil, func(t *testing.T, r *run) {
		for _, res := range r.resources {
			name, ok := res.Inputs["name"]
			if !ok || res.TypeToken == "digitalocean:index/dnsRecord:DnsRecord" {
				continue
			}
			assert.Regexp(t, `^construct-prod(-|$)`, reveal(name).StringValue(), "%s %s", res.TypeToken, res.Name)
		}
	})
}

// Both clouds refuse a public key that the account already has.
func TestAccountKeyIsNotTheOperators(t *testing.T) {
	t.Parallel()
	eachCloud(t, nil, func(t *testing.T, r *run) {
		for _, key := range r.ofType("digitalocean:index/sshKey:SshKey", "hcloud:index/sshKey:SshKey") {
			assert.NotContains(t, r.cfg.SSH.PublicKey, text(key.Inputs, "publicKey"))
			assert.Contains(t, text(key.Inputs, "publicKey"), "ssh-ed25519 ")
		}
		for _, s := range r.servers() {
			assert.Contains(t, text(s.Inputs, "userData"), r.cfg.SSH.PublicKey, "%s: the operator logs in by cloud-init", s.Name)
		}
	})
}

func TestDigitalOceanResources(t *testing.T) {
	t.Parallel()
	r := mustPreview(t, onDigitalOcean())
	db := r.named(t, dropletType, "db-1").Inputs.Mappable()
	delete(db, "userData")
	assert.Equal(t, map[string]any{
		"name": "construct-prod-db-1", "region": "fra1", "size": "s-2vcpu-4gb", "image": "debian-12-x64",
		"vpcUuid": id(r.named(t, "digitalocean:index/vpc:Vpc", "network")),
		"sshKeys": []any{id(r.named(t, "digitalocean:index/sshKey:SshKey", "fleet"))},
		"tags":    []any{"construct-prod", "construct-prod-db"},
		"ipv6":    true, "monitoring": false, "dropletAgent": false, "resizeDisk": false, "gracefulShutdown": true,
	}, db, "ids, never URNs; nothing that is not needed")

	firewall := r.named(t, "digitalocean:index/firewall:Firewall", "firewall-db").Inputs.Mappable()
	assert.Equal(t, []any{"construct-prod-db"}, firewall["tags"])
	assert.Contains(t, firewall["inboundRules"], map[string]any{
		"protocol": "tcp", "portRange": "5432", "sourceTags": []any{"construct-prod-app", "construct-prod-message"},
	})
	assert.Contains(t, firewall["outboundRules"], map[string]any{
		"protocol": "udp", "portRange": "123", "destinationAddresses": []any{"0.0.0.0/0", "::/0"},
	})
	for _, rule := range firewall["inboundRules"].([]any) {
		assert.NotContains(t, rule, "sourceAddresses", "nothing from outside reaches the database: %v", rule)
	}
	setup := r.named(t, commandType, "db-1-setup").Inputs
	assert.Contains(t, text(setup, "create"), "/dev/disk/by-id/scsi-0DO_Volume_construct-prod-db-1-data")

	members := r.named(t, "digitalocean:index/project:Project", "project").Inputs["resources"].ArrayValue()
	assert.Len(t, members, 5+3+1, "servers, volumes, reserved IP")
}

func TestHetznerResources(t *testing.T) {
	t.Parallel()
	r := mustPreview(t, onHetzner())
	gateway := r.named(t, serverType, "gateway-1").Inputs.Mappable()
	delete(gateway, "userData")
	delete(gateway, "firewallIds")
	delete(gateway, "placementGroupId")
	address := r.named(t, "hcloud:index/primaryIp:PrimaryIp", "gateway-1")
	assert.Equal(t, map[string]any{
		"name": "construct-prod-gateway-1", "location": "fsn1", "serverType": "cx23", "image": "debian-12", "keepDisk": true,
		"sshKeys": []any{id(r.named(t, "hcloud:index/sshKey:SshKey", "fleet"))},
		"labels":  map[string]any{"project": "construct", "stack": "prod", "role": "gateway"},
		"publicNets": []any{map[string]any{
			"ipv4": number(t, id(address)), "ipv4Enabled": true, "ipv6Enabled": true,
		}},
	}, gateway)
	assert.Equal(t, false, address.Inputs.Mappable()["autoDelete"])
	for role, want := range map[string]string{"gateway": "10.20.0.32", "app": "10.20.0.64", "db": "10.20.0.96", "message": "10.20.0.128", "media": "10.20.0.160"} {
		private := r.named(t, "hcloud:index/serverNetwork:ServerNetwork", role+"-1")
		assert.Equal(t, want, text(private.Inputs, "ip"))
	}
	assert.Equal(t, "eu-central", text(r.named(t, "hcloud:index/networkSubnet:NetworkSubnet", "network").Inputs, "networkZone"))

	// Its firewall never sees private traffic: the database's admits nobody.
	for _, rule := range r.named(t, "hcloud:index/firewall:Firewall", "firewall-db").Inputs.Mappable()["rules"].([]any) {
		assert.Equal(t, "out", rule.(map[string]any)["direction"], "%v", rule)
	}
	setup := r.named(t, commandType, "db-1-setup").Inputs
	assert.Contains(t, text(setup, "create"), "/dev/disk/by-id/scsi-0HC_Volume_"+id(r.named(t, "hcloud:index/volume:Volume", "db-1-data")))
	assert.Contains(t, text(setup, "create"), "1450", "Docker's MTU")
}

func number(t *testing.T, id string) float64 {
	t.Helper()
	var n float64
	for _, digit := range id {
		n = n*10 + float64(digit-'0')
	}
	return n
}
