package e2e

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/construct-server/infra/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// size is a server size and its memory in MB.
type size struct {
	slug   string
	memory int
}

// smallest are the smallest supported sizes: the container hosts are bound to
// their memory. Hetzner sells none of 1 or 2 GB.
var smallest = map[config.Cloud]map[string]size{
	config.DigitalOcean: {
		"gateway": {"s-1vcpu-1gb", 1024}, "app": {"s-1vcpu-2gb", 2048}, "db": {"s-1vcpu-2gb", 2048},
		"message": {"s-1vcpu-2gb", 2048}, "media": {"s-1vcpu-2gb", 2048},
	},
	config.Hetzner: {
		"gateway": {"cx23", 4096}, "app": {"cx23", 4096}, "db": {"cx23", 4096},
		"message": {"cx23", 4096}, "media": {"cx23", 4096},
	},
}

// smallestRoles is construct:roles with the smallest sizes.
func smallestRoles(cloud config.Cloud) map[string]any {
	roles := map[string]any{}
	for role, s := range smallest[cloud] {
		roles[role] = map[string]any{"size": s.slug}
	}
	for role, gb := range map[string]int{"db": 10, "message": 10, "media": 20} {
		roles[role].(map[string]any)["volumeGb"] = gb
	}
	roles["media"].(map[string]any)["enabled"] = true
	return roles
}

// memory reports what is resident on each host. The proportional set size of
// all processes counts shared pages once; what a test pushes through is little,
// hence the bound far below the server's memory.
func (d *deployment) memory(t *testing.T) {
	for _, role := range slices.Sorted(maps.Keys(d.servers)) {
		out := d.on(t, role, `sudo sh -c 'cat /proc/[0-9]*/smaps_rollup 2>/dev/null' | awk '/^Pss:/ {s += $2} END {print int(s / 1024)}'`)
		resident, err := strconv.Atoi(strings.TrimSpace(out))
		require.NoError(t, err)
		total := smallest[d.cloud][role].memory
		measured(t, "%s: %d MB resident of %d MB", role, resident, total)
		assert.Less(t, resident, total*3/4, "%s has little left of its memory", role)
		killed := d.on(t, role, `sudo docker ps -aq | xargs sudo docker inspect -f '{{.Name}} {{.State.OOMKilled}} {{.RestartCount}}'`)
		for line := range strings.Lines(killed) {
			assert.Contains(t, line, " false 0", "on %s, killed for memory or restarted", role)
		}
	}
}
