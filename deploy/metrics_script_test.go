package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostMetrics runs metrics.sh as the timer does and returns what node-exporter
// would read; "" if nothing was written.
func (h *target) hostMetrics(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	require.NoError(t, err)
	for name, text := range map[string]string{
		"construct-release": "exec bash " + dir + "/scripts/release.sh \"$@\"",
		"docker":            "[ \"$1 $2\" != 'ps --quiet' ] || exec cat \"$FAKE/exporters\"\nexec " + dir + "/testdata/bin/docker \"$@\"",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(h.fake, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700)) //nolint:gosec // a program
	}
	command := exec.CommandContext(t.Context(), "bash", "scripts/metrics.sh")
	command.Env = []string{
		"PATH=" + h.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "FAKE=" + h.fake,
		"CONSTRUCT_LIB=" + dir + "/scripts/lib", "CONSTRUCT_RELEASE=" + h.fake + "/construct-release",
	}
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	if !h.exists("var/lib/construct/metrics/host.prom") {
		return ""
	}
	return h.read("var/lib/construct/metrics/host.prom")
}

func (h *target) exporters(t *testing.T, ids string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(h.fake, "exporters"), []byte(ids), 0o600))
}

func TestHostMetrics(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	h.exporters(t, "id-node-exporter\n")
	_, errOut, ok := h.apply(bundle{digest: "aa", config: "c1", web: wellWeb})
	require.True(t, ok, errOut)
	for _, c := range []struct {
		containers string // service, state, exit code, restarts, health
		want       []string
	}{
		{"web running 0 0 healthy\ndata running 0 7 none\n", []string{
			`construct_service_healthy{name="web"} 1`, `construct_service_healthy{name="data"} 1`,
			`construct_service_restarts_total{name="web"} 0`, `construct_service_restarts_total{name="data"} 7`, "node_reboot_required 0",
		}},
		{"web running 0 2 unhealthy\ndata restarting 1 9 healthy\n", []string{
			`construct_service_healthy{name="web"} 0`, `construct_service_healthy{name="data"} 0`, `construct_service_restarts_total{name="web"} 2`,
		}},
		{"data running 0 0 starting\n", []string{
			`construct_service_healthy{name="web"} 0`, `construct_service_healthy{name="data"} 0`,
		}},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(h.fake, "containers"), []byte(c.containers), 0o600))
		got := strings.Split(h.hostMetrics(t), "\n")
		assert.Subset(t, got, c.want, "containers %q", c.containers)
	}
	h.write("run/reboot-required", "")
	assert.Contains(t, h.hostMetrics(t), "\nnode_reboot_required 1\n")
	left, err := filepath.Glob(filepath.Join(h.root, "var/lib/construct/metrics/.new.*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

// Where PostgreSQL should run, and there alone, the host says when it was last
// backed up: when whatever does so last touched the marker.
func TestHostMetricsTellOfBackups(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	h.exporters(t, "id-node-exporter\n")
	const metric = "construct_backup_success_time_seconds"
	_, errOut, ok := h.apply(bundle{digest: "aa", config: "c1", web: wellWeb})
	require.True(t, ok, errOut)
	assert.NotContains(t, h.hostMetrics(t), metric, "a host without a database")

	// PostgreSQL is missing at the moment: it should run all the same.
	manifest := "var/lib/construct/releases/aa/manifest"
	h.write(manifest, strings.ReplaceAll(h.read(manifest), "service data ", "service postgres "))
	assert.Contains(t, h.hostMetrics(t), "\n"+metric+" 0\n")
	h.write("var/lib/construct/backup-success", "")
	at := time.Unix(1_700_000_000, 0)
	require.NoError(t, os.Chtimes(filepath.Join(h.root, "var/lib/construct/backup-success"), at, at))
	assert.Contains(t, h.hostMetrics(t), "\n"+metric+" 1700000000\n")
}

// Without media there is no node-exporter, hence nothing to write for it.
func TestHostMetricsAreWrittenForAReaderOnly(t *testing.T) {
	t.Parallel()
	h := newTarget(t)
	h.exporters(t, "")
	assert.Empty(t, h.hostMetrics(t))
	assert.False(t, h.exists("var/lib/construct/metrics"))
}
