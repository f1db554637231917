package deploy

import (
	"fmt"
	"net/netip"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	adminKey  = "admin-private-key-canary"
	envSecret = "bundle-content-canary"
	password  = "registry-password-canary"
	testRules = "table inet construct {}\n"
	stashType = "pulumi:index:Stash"
)

// recorder notes what is registered; Pulumi registers in parallel.
type recorder struct {
	mu        sync.Mutex
	resources map[string]pulumi.MockResourceArgs
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resources[args.Name+" "+args.TypeToken] = args
	state := args.Inputs.Copy()
	if args.TypeToken == stashType {
		state["output"] = state["input"]
	}
	return args.Name + "-id", state, nil
}

func (r *recorder) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

func (r *recorder) command(t *testing.T, name string) pulumi.MockResourceArgs {
	t.Helper()
	args, ok := r.resources[name+" command:remote:Command"]
	require.True(t, ok, "no command %q", name)
	return args
}

func (r *recorder) triples() []string {
	var out []string
	for _, a := range r.resources {
		parent := a.RegisterRPC.GetParent()
		out = append(out, fmt.Sprintf("%s %s < %s", a.TypeToken, a.Name, parent[strings.LastIndex(parent, ":")+1:]))
	}
	sort.Strings(out)
	return out
}

type server struct{ pulumi.CustomResourceState }

// deployed registers a gateway and a db behind it, as roles does.
func deployed(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{resources: map[string]pulumi.MockResourceArgs{}}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		gateway, err := newTestHost(ctx, "gateway-1", nil)
		if err != nil {
			return err
		}
		db, err := newTestHost(ctx, "db-1", gateway)
		if err != nil {
			return err
		}
		network, err := NewHostNetwork(ctx, "db-1", &HostNetworkArgs{
			Host: db, Private: pulumi.String("10.20.0.5"), Public: pulumi.String("203.0.113.5"),
			Peers: []Peer{{"db.internal", pulumi.String("10.20.0.5")}, {"gateway.internal", pulumi.String("10.20.0.2")}},
		})
		if err != nil {
			return err
		}
		firewall, err := NewHostFirewall(ctx, "db-1", &HostFirewallArgs{Host: db, Rules: pulumi.String(testRules)})
		if err != nil {
			return err
		}
		release, err := NewRelease(ctx, "db-1", &ReleaseArgs{
			Host: db, Network: network, Firewall: firewall,
			Bundle: Bundle{
				Role: "db", Digest: "0123456789abcdef",
				Summary: []string{"postgres docker.io/library/postgres:16.4 aa11", "redis docker.io/library/redis:7.2 bb22"},
				Images:  []string{"docker.io/library/postgres:16.4", "docker.io/library/redis:7.2"},
				Archive: []byte(envSecret),
			},
			Commit:     "1a2b3c4d5e6f-dirty",
			Registries: []Registry{{Server: "registry.example.com", Username: "puller", Password: pulumi.String(password)}},
		})
		if err != nil {
			return err
		}
		schema, err := NewSchema(ctx, "db-1", &SchemaArgs{
			Host: db, After: []pulumi.CustomResource{release.Healthy()},
			Migrators: []Migrator{{"auth-service", "example.com/construct:0.8.0"}, {"user-service", "example.com/construct:0.8.1"}},
		})
		if err != nil {
			return err
		}
		return schema.Record(ctx, []pulumi.CustomResource{gateway.Ready()})
	}, pulumi.WithMocks("construct", "prod", r))
	require.NoError(t, err)
	return r
}

func newTestHost(ctx *pulumi.Context, name string, gateway *Host) (*Host, error) {
	machine := &server{}
	if err := ctx.RegisterResource("test:index:Server", name, pulumi.Map{}, machine); err != nil {
		return nil, err
	}
	keys, err := NewHostKeys(testSeed, "", name)
	if err != nil {
		return nil, err
	}
	args := &HostArgs{
		Name: "construct-prod-" + name, Server: machine, ServerID: machine.ID().ToStringOutput(),
		Access: Access{
			Host: pulumi.String("address-of-" + name), User: "construct", HostKey: keys.Pinned,
			PrivateKey: pulumi.String(adminKey),
		},
		AuthorizedKeys: []string{testPublicKey, otherPublicKey}, HostKeys: keys,
		NetworkCIDR: netip.MustParsePrefix("10.20.0.0/24"), DockerMTU: 1450,
	}
	if gateway != nil {
		args.Gateway, args.Access.Proxy = gateway, &gateway.access
		args.Device, args.VolumeGB = pulumi.String("/dev/disk/by-id/scsi-0HC_Volume_1"), 50
		args.Hardening = Hardening{RebootAt: "Sun *-*-* 02:00:00 UTC"}
	} else {
		args.Hardening = Hardening{Forward: []string{"*:22"}, Operators: testOperators}
	}
	return NewHost(ctx, name, args)
}

func TestGraph(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{
		"command:remote:Command db-1-access < db-1",
		"command:remote:Command db-1-firewall < db-1",
		"command:remote:Command db-1-grow < db-1",
		"command:remote:Command db-1-network < db-1",
		"command:remote:Command db-1-pull < db-1",
		"command:remote:Command db-1-reach < db-1",
		"command:remote:Command db-1-ready < db-1",
		"command:remote:Command db-1-release < db-1",
		"command:remote:Command db-1-schema < db-1",
		"command:remote:Command db-1-schema-record < db-1",
		"command:remote:Command db-1-setup < db-1",
		"command:remote:Command gateway-1-access < gateway-1",
		"command:remote:Command gateway-1-ready < gateway-1",
		"command:remote:Command gateway-1-setup < gateway-1",
		"construct:deploy:Host db-1 < construct-prod",
		"construct:deploy:Host gateway-1 < construct-prod",
		"construct:deploy:HostFirewall db-1 < construct-prod",
		"construct:deploy:HostNetwork db-1 < construct-prod",
		"construct:deploy:Release db-1 < construct-prod",
		"construct:deploy:Schema db-1 < construct-prod",
		"pulumi:index:Stash db-1-commit < db-1",
		"test:index:Server db-1 < construct-prod",
		"test:index:Server gateway-1 < construct-prod",
	}, deployed(t).triples())
}

func TestCommandOrder(t *testing.T) {
	t.Parallel()
	r := deployed(t)
	for name, want := range map[string][]string{
		"gateway-1-ready":    {"gateway-1"},
		"db-1-reach":         {"db-1", "gateway-1-ready"},
		"db-1-ready":         {"db-1", "db-1-reach"},
		"db-1-setup":         {"db-1", "db-1-ready"},
		"db-1-access":        {"db-1", "db-1-setup"},
		"db-1-network":       {"db-1", "db-1-setup"},
		"db-1-firewall":      {"db-1", "db-1-setup"},
		"db-1-pull":          {"db-1", "db-1-setup"},
		"db-1-grow":          {"db-1", "db-1-setup"},
		"db-1-release":       {"db-1", "db-1-commit", "db-1-firewall", "db-1-grow", "db-1-network", "db-1-pull"},
		"db-1-schema":        {"db-1", "db-1-release", "db-1-setup"},
		"db-1-schema-record": {"db-1", "db-1-schema", "db-1-setup", "gateway-1-ready"},
	} {
		var got []string
		for _, urn := range r.command(t, name).RegisterRPC.GetDependencies() {
			got = append(got, urn[strings.LastIndex(urn, ":")+1:])
		}
		sort.Strings(got)
		assert.Equal(t, want, got, name)
	}
}

// Every command pins host keys, never leaves its text to a trigger, does
// nothing on deletion and disappears with its server.
func TestEveryCommand(t *testing.T) {
	t.Parallel()
	r := deployed(t)
	count := 0
	for _, args := range r.resources {
		if args.TypeToken != "command:remote:Command" {
			continue
		}
		count++
		in := args.Inputs
		connection := unwrap(in["connection"])
		assert.True(t, in["connection"].IsSecret(), "%s: connection", args.Name)
		assert.Contains(t, connection["hostKey"].StringValue(), "ssh-ed25519 ", args.Name)
		if strings.HasPrefix(args.Name, "db-1") && args.Name != "db-1-reach" {
			proxy := unwrap(connection["proxy"])
			assert.Contains(t, proxy["hostKey"].StringValue(), "ssh-ed25519 ", args.Name)
			assert.NotEqual(t, connection["hostKey"], proxy["hostKey"])
			assert.Equal(t, "address-of-gateway-1", proxy["host"].StringValue())
		}
		assert.Equal(t, in["create"], in["update"], args.Name)
		assert.NotContains(t, in, resource.PropertyKey("triggers"), args.Name)
		assert.NotContains(t, in, resource.PropertyKey("delete"), args.Name)
		assert.NotContains(t, in, resource.PropertyKey("environment"), args.Name)
		assert.False(t, in["addPreviousOutputInEnv"].BoolValue(), args.Name)
		assert.Contains(t, args.RegisterRPC.GetDeletedWith(), "test:index:Server::", args.Name)

		text := in["create"].StringValue()
		parse(t, text)
		assert.Less(t, strings.Count(text, "\n"), 10, args.Name)
		for _, secret := range []string{adminKey, envSecret, password, encode([]byte(envSecret)), encode([]byte(password))} {
			assert.NotContains(t, text, secret, args.Name)
		}
		assert.Contains(t, plainText(in["stdin"]), "# server ", "%s: a replaced server must be set up again", args.Name)
	}
	assert.Equal(t, 14, count)
}

func TestSecretsAreMarked(t *testing.T) {
	t.Parallel()
	r := deployed(t)
	for _, name := range []string{"db-1-access", "db-1-pull", "db-1-release"} {
		args := r.command(t, name)
		assert.True(t, args.Inputs["stdin"].IsSecret(), name)
		assert.Equal(t, "none", args.Inputs["logging"].StringValue(), name)
		assert.Subset(t, args.RegisterRPC.GetAdditionalSecretOutputs(), []string{"stdin", "stdout", "stderr", "connection"}, name)
	}
	assert.Contains(t, plainText(r.command(t, "db-1-release").Inputs["stdin"]), pack([]byte(envSecret)))
	assert.Contains(t, plainText(r.command(t, "db-1-pull").Inputs["stdin"]), encode([]byte(password)))
}

func TestTexts(t *testing.T) {
	t.Parallel()
	r := deployed(t)
	text := func(name string) string { return r.command(t, name).Inputs["create"].StringValue() }
	assert.Equal(t, "# release 0123456789abcdef of db on construct-prod-db-1\n"+
		"# postgres docker.io/library/postgres:16.4 aa11\n# redis docker.io/library/redis:7.2 bb22\n"+
		"exec sudo /usr/local/sbin/construct-release apply 0123456789abcdef --health-timeout 180 --soak 0 --commit 1a2b3c4d5e6f-dirty", text("db-1-release"))
	assert.Equal(t, "# pull 2 images on construct-prod-db-1\n"+
		"exec sudo /usr/local/sbin/construct-release pull --timeout 1200 -- docker.io/library/postgres:16.4 docker.io/library/redis:7.2", text("db-1-pull"))
	assert.Equal(t, "# filter packets on construct-prod-db-1\n"+
		"exec sudo timeout 240 /usr/local/sbin/construct-firewall apply "+digest([]byte(testRules)), text("db-1-firewall"))
	assert.True(t, strings.HasSuffix(plainText(r.command(t, "db-1-firewall").Inputs["stdin"]), "\n"+testRules),
		"behind the line that names the server, the ruleset as its digest was taken")
	keys, err := NewHostKeys(testSeed, "", "db-1")
	require.NoError(t, err)
	fingerprints, err := keys.fingerprints()
	require.NoError(t, err)
	assert.Equal(t, "# who logs in on construct-prod-db-1, and its host keys\n# host key "+fingerprints[0]+"\n# host key "+fingerprints[1]+"\n"+
		"# login SHA256:43G7pvkjH22Ks/MX7889Ds5fN0W4hKGzvvbSaKLliE4 alice@laptop\n# login SHA256:pHtJLHmVR9npiwdO6LfDNh0APBebP98hHoeNeDOS628 bob@example.com\n"+
		"exec sudo /usr/local/sbin/construct-access --admin construct"+
		" --host-key "+fingerprints[0]+" --host-key "+fingerprints[1]+" --key '"+testPublicKey+"' --key '"+otherPublicKey+"'", text("db-1-access"))
	assert.True(t, strings.HasSuffix(plainText(r.command(t, "db-1-access").Inputs["stdin"]), "\n"+keys.Main.PrivatePEM+keys.Spare.PrivatePEM))
	assert.Contains(t, text("db-1-network"), "exec sudo bash -s -- --private 10.20.0.5 --public 203.0.113.5 --mtu 1450"+
		" --peer 'db.internal=10.20.0.5' --peer 'gateway.internal=10.20.0.2'")
	assert.Contains(t, text("db-1-setup"), "setup --name construct-prod-db-1 --docker-pool 172.24.0.0/16 --mtu 1450 --swap-mb 0"+
		" --admin construct --ssh-port 22 --reboot-at 'Sun *-*-* 02:00:00 UTC' --device /dev/disk/by-id/scsi-0HC_Volume_1")
	assert.Contains(t, text("gateway-1-setup"), " --admin construct --ssh-port 22 --forward '*:22'"+
		" --trust 10.20.0.0/24 --trust 198.51.100.7/32 --trust 2001:db8:1::/48")
	assert.Equal(t, "# grow the file system of construct-prod-db-1 to 50 GB\nexec sudo bash -s -- /dev/disk/by-id/scsi-0HC_Volume_1 50", text("db-1-grow"))
	assert.NotContains(t, text("gateway-1-setup"), "--device")
	assert.Contains(t, text("db-1-reach"), "exec timeout 330 bash -s -- construct-prod-db-1 address-of-db-1 22 300 'ssh-ed25519 ")
	const services = " 'auth-service=example.com/construct:0.8.0' 'user-service=example.com/construct:0.8.1'"
	assert.Equal(t, "# before a new version: refuse one that is older than the database of construct-prod-db-1, dump it if it may be migrated\n"+
		"exec sudo /usr/local/sbin/construct-schema prepare"+services, text("db-1-schema"))
	assert.Equal(t, "# after it: note which migrations of the database of construct-prod-db-1 it knows\n"+
		"exec sudo /usr/local/sbin/construct-schema record"+services, text("db-1-schema-record"))
	assert.Contains(t, text("db-1-ready"), "exec timeout 330 bash -s -- construct-prod-db-1 300")
}

func TestValidation(t *testing.T) {
	t.Parallel()
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		_, err := NewHost(ctx, "db-1", &HostArgs{})
		require.ErrorContains(t, err, "Name: empty")
		require.ErrorContains(t, err, "Access: host, user and host key are required")
		_, err = NewHost(ctx, "db-1", &HostArgs{Device: pulumi.String("/dev/sda")})
		require.ErrorContains(t, err, "Device, VolumeGB: 0 GB (want both or neither)")
		_, err = NewHostNetwork(ctx, "db-1", &HostNetworkArgs{})
		require.ErrorContains(t, err, `host network "db-1"`)
		_, err = NewHostFirewall(ctx, "db-1", &HostFirewallArgs{})
		require.ErrorContains(t, err, `host firewall "db-1": host and rules are required`)
		_, err = NewSchema(ctx, "db-1", &SchemaArgs{})
		require.ErrorContains(t, err, `schema "db-1": Host, Migrators, After: required`)
		_, err = NewRelease(ctx, "db-1", &ReleaseArgs{Bundle: Bundle{Digest: "x; reboot"}, Registries: []Registry{{}}})
		require.ErrorContains(t, err, `Bundle.Digest: "x; reboot" is not hex`)
		require.ErrorContains(t, err, "Registries[0]: server, username and password are required")
		return nil
	}, pulumi.WithMocks("construct", "prod", &recorder{resources: map[string]pulumi.MockResourceArgs{}}))
	require.NoError(t, err)
}

func unwrap(v resource.PropertyValue) resource.PropertyMap {
	if v.IsSecret() {
		v = v.SecretValue().Element
	}
	return v.ObjectValue()
}

func plainText(v resource.PropertyValue) string {
	if v.IsSecret() {
		v = v.SecretValue().Element
	}
	return v.StringValue()
}
