package program_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
)

// ancestors are all resources that exist before one does, by "type name".
func (r *run) ancestors(t *testing.T, token, name string) map[string]bool {
	t.Helper()
	byName := map[string][]string{}
	for _, res := range r.resources {
		byName[res.TypeToken+" "+res.Name] = res.RegisterRPC.GetDependencies()
	}
	r.named(t, token, name)
	seen := map[string]bool{}
	var visit func(string)
	visit = func(of string) {
		for _, urn := range byName[of] {
			key := string(resource.URN(urn).Type()) + " " + resource.URN(urn).Name()
			if !seen[key] {
				seen[key] = true
				visit(key)
			}
		}
	}
	visit(token + " " + name)
	return seen
}

func TestReleasesFollowTheOrderOfRoles(t *testing.T) {
	t.Parallel()
	release := func(role string) string { return commandType + " " + role + "-1-release" }
	for _, c := range []struct {
		role          string
		after, before []string
	}{
		{"db", nil, []string{"message", "app", "media", "gateway"}},
		{"message", []string{"db"}, []string{"app", "media", "gateway"}},
		{"app", []string{"db", "message"}, []string{"media", "gateway"}},
		{"media", []string{"db", "message"}, []string{"app", "gateway"}},
		{"gateway", []string{"db", "message", "app", "media"}, nil},
	} {
		t.Run(c.role, func(t *testing.T) {
			t.Parallel()
			eachCloud(t, nil, func(t *testing.T, r *run) {
				earlier := r.ancestors(t, commandType, c.role+"-1-release")
				for _, other := range c.after {
					assert.True(t, earlier[release(other)], "%s waits for %s", c.role, other)
				}
				for _, other := range c.before {
					assert.False(t, earlier[release(other)], "%s does not wait for %s", c.role, other)
				}
				for _, step := range []string{"ready", "setup", "network", "pull"} {
					assert.True(t, earlier[commandType+" "+c.role+"-1-"+step], "%s waits for its own %s", c.role, step)
				}
			})
		})
	}
}

// Nothing that migrates the database starts before its schema was judged and
// dumped, and what they know is noted when they all are healthy.
func TestSchemaStandsBeforeWhatMigratesIt(t *testing.T) {
	t.Parallel()
	eachCloud(t, nil, func(t *testing.T, r *run) {
		step := func(name string) string { return commandType + " " + name }
		earlier := r.ancestors(t, commandType, "db-1-schema")
		assert.True(t, earlier[step("db-1-release")], "PostgreSQL runs by then")
		for _, role := range []string{"message", "app", "media", "gateway"} {
			assert.False(t, earlier[step(role+"-1-release")], "%s has started by then", role)
			assert.True(t, r.ancestors(t, commandType, role+"-1-release")[step("db-1-schema")], "%s waits for it", role)
			assert.False(t, r.ancestors(t, commandType, role+"-1-release")[step("db-1-schema-record")], role)
		}
		recorded := r.ancestors(t, commandType, "db-1-schema-record")
		for _, name := range []string{"db-1-schema", "message-1-release", "app-1-release"} {
			assert.True(t, recorded[step(name)], "the record waits for %s", name)
		}
		want := "schema prepare"
		for _, service := range []string{"messaging-service", "auth-service", "notification-service", "user-service"} {
			want += " '" + service + "=ghcr.io/example/construct-server:0.7.0'"
		}
		assert.Contains(t, text(r.named(t, commandType, "db-1-schema").Inputs, "create"), want)
	})
}

// Whatever takes long runs side by side: a host's set-up and pulls wait for
// no other host's, except that the gateway must answer.
func TestSetUpAndPullsRunInParallel(t *testing.T) {
	t.Parallel()
	eachCloud(t, nil, func(t *testing.T, r *run) {
		for _, role := range []string{"db", "message", "app", "media"} {
			for earlier := range r.ancestors(t, commandType, role+"-1-pull") {
				own := strings.Contains(earlier, " "+role+"-1-")
				if strings.HasPrefix(earlier, commandType) && !own {
					assert.Equal(t, commandType+" gateway-1-ready", earlier, "%s-1-pull waits", role)
				}
			}
		}
	})
}

// A server's first packet meets its firewall, and destruction runs the other
// way round: the network goes after what is in it.
func TestServersComeAfterWhatTheyNeed(t *testing.T) {
	t.Parallel()
	digitalOcean, hetzner := mustPreview(t, onDigitalOcean()), mustPreview(t, onHetzner())
	for _, role := range []string{"gateway", "app", "db", "message", "media"} {
		earlier := digitalOcean.ancestors(t, dropletType, role+"-1")
		assert.True(t, earlier["digitalocean:index/firewall:Firewall firewall-"+role], role)
		assert.True(t, earlier["digitalocean:index/vpc:Vpc network"], role)
		assert.True(t, earlier["digitalocean:index/tag:Tag fleet-"+role], role)
		earlier = hetzner.ancestors(t, serverType, role+"-1")
		assert.True(t, earlier["hcloud:index/firewall:Firewall firewall-"+role], role)
		earlier = hetzner.ancestors(t, "hcloud:index/serverNetwork:ServerNetwork", role+"-1")
		assert.True(t, earlier["hcloud:index/networkSubnet:NetworkSubnet network"], role)
	}
	for _, role := range []string{"db", "message", "media"} {
		assert.True(t, digitalOcean.ancestors(t, commandType, role+"-1-setup")["digitalocean:index/volumeAttachment:VolumeAttachment "+role+"-1-data"], role)
		assert.True(t, hetzner.ancestors(t, commandType, role+"-1-setup")["hcloud:index/volumeAttachment:VolumeAttachment "+role+"-1-data"], role)
		// A file system grows after its volume, and before what may need the room.
		for token, r := range map[string]*run{"digitalocean:index/volume:Volume": digitalOcean, "hcloud:index/volume:Volume": hetzner} {
			assert.True(t, r.ancestors(t, commandType, role+"-1-grow")[token+" "+role+"-1-data"], role)
			assert.True(t, r.ancestors(t, commandType, role+"-1-release")[commandType+" "+role+"-1-grow"], role)
		}
	}
	assert.True(t, digitalOcean.ancestors(t, commandType, "gateway-1-ready")["digitalocean:index/reservedIpAssignment:ReservedIpAssignment gateway-1-address"],
		"the gateway is dialled at its stable address")
	assert.True(t, hetzner.ancestors(t, commandType, "db-1-reach")["hcloud:index/serverNetwork:ServerNetwork gateway-1"],
		"the gateway leads to the private network only once it is in it")
	vpc := digitalOcean.named(t, "digitalocean:index/vpc:Vpc", "network")
	assert.Equal(t, "10m", vpc.RegisterRPC.GetCustomTimeouts().GetDelete())
}

// The gateway asks for a certificate: its name must lead to it by then.
func TestGatewayIsReleasedAfterItsRecord(t *testing.T) {
	t.Parallel()
	domain := map[string]any{"construct:domain": "chat.example.com", "construct:acme": map[string]any{"email": "ops@example.com"}}
	eachCloud(t, domain, func(t *testing.T, r *run) {
		earlier := r.ancestors(t, commandType, "gateway-1-release")
		assert.True(t, earlier["digitalocean:index/dnsRecord:DnsRecord gateway-a"] || earlier["hcloud:index/zoneRrset:ZoneRrset gateway-a"])
	})
}

func TestCommandsGoWithTheirServer(t *testing.T) {
	t.Parallel()
	eachCloud(t, nil, func(t *testing.T, r *run) {
		for _, c := range r.ofType(commandType) {
			with := resource.URN(c.RegisterRPC.GetDeletedWith())
			assert.Contains(t, c.Name, with.Name(), "deleted with its own server")
			assert.True(t, reveal(c.Inputs["delete"]).IsNull(), "%s: nothing runs on deletion", c.Name)
			assert.True(t, reveal(c.Inputs["triggers"]).IsNull(), "%s: triggers would replace it", c.Name)
		}
	})
}
