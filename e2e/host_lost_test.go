package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
)

// TestHostLost deletes servers behind Pulumi's back: one with data, then the
// gateway. `up --refresh` makes them anew; the volume is attached again, the
// others are told addresses and nothing else, the public address stays.
func TestHostLost(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine five times a cloud")
	}
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			l := startDry(t, cloud)
			up(t, l)
			first, err := l.Stack.Outputs(t.Context())
			require.NoError(t, err)
			volumes := ids(t, l, "volume")
			for _, lost := range []string{"db-1", "gateway-1"} {
				remove(t, l, cloud, "construct-test-"+lost)
				before := commands(t, l)
				_, err := l.Stack.Up(t.Context(), optup.Refresh())
				require.NoError(t, err)
				for host, list := range commands(t, l).Hosts {
					ran := list[len(before.Hosts[host]):]
					if host == "construct-test-"+lost {
						assert.NotEmpty(t, ran, "the new %s was not set up", lost)
						continue
					}
					for _, c := range ran {
						assert.Regexp(t, harmless, c.Text, "%s, which was there all along, was told more than addresses", host)
					}
				}
				assert.Len(t, machines(t, l, cloud), 5)
				assert.Equal(t, []string{"same"}, kinds(up(t, l)), "after the loss of %s", lost)
			}
			last, err := l.Stack.Outputs(t.Context())
			require.NoError(t, err)
			assert.Equal(t, volumes, ids(t, l, "volume"), "a volume was made anew")
			assert.Equal(t, address(first), address(last), "the gateway has another public address")
			destroy(t, l)
		})
	}
}

// harmless is what no container restarts for: who is where, what is let in, and
// waiting for another host.
var harmless = regexp.MustCompile(`construct-network|construct-firewall|wait until|/etc/construct/hosts`)

func address(outputs auto.OutputMap) string {
	servers, err := lab.Servers(outputs)
	if err != nil {
		return err.Error()
	}
	return servers[0].PublicIP
}

// ids are the ids of what the cloud has of a kind.
func ids(t *testing.T, l *lab.Lab, kind string) []string {
	t.Helper()
	var found []string
	for name, list := range resources(t, l) {
		if strings.HasSuffix(name, "/"+kind) {
			found = append(found, toJSON(t, list))
		}
	}
	return found
}

// remove deletes a server as its console would, and waits until it is gone.
func remove(t *testing.T, l *lab.Lab, cloud config.Cloud, name string) {
	t.Helper()
	kind := "servers"
	if cloud == config.DigitalOcean {
		kind = "droplets"
	}
	account(t.Context(), t, l, cloud, http.MethodDelete, fmt.Sprintf("/%s/%d", kind, machines(t, l, cloud)[name].ID), nil)
	require.Eventually(t, func() bool { return machines(t, l, cloud)[name].ID == 0 }, waitForCloud, pollCloud)
}
