package e2e

import (
	"bytes"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim"
	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/host/container"
	hostimage "github.com/construct-server/infra/sim/images/host"
)

// noRelease leaves out what would run services: the hosts, their set-up, their
// network and their firewalls are the program's own.
var noRelease = []optup.Option{optup.Exclude([]string{"**construct:deploy:Release**"}), optup.ExcludeDependents()}

// startHosts is a lab on container hosts, apart from others by its instance and
// its public range; wrap may put something between cloud and hosts.
func startHosts(t *testing.T, cloud config.Cloud, instance string, prefix netip.Prefix, wrap func(host.Backend) host.Backend) *lab.Lab {
	t.Helper()
	image, err := hostimage.Ensure(t.Context(), hostimage.Options{ComposePlugin: filepath.Join(root(t), ".tools", "bin", "docker-compose"), Output: logWriter{t}})
	require.NoError(t, err)
	backend, err := container.New(t.Context(), container.Options{Image: image, Instance: instance, Prefix: prefix})
	require.NoError(t, err)
	l, err := lab.Start(t.Context(), lab.Options{
		Root: root(t), Dir: t.TempDir(), Cloud: cloud, Log: logWriter{t}, Backend: wrap(backend), Env: quick,
		Sim: sim.Options{Speed: &api.Speed{Boot: 300 * time.Millisecond, Action: 50 * time.Millisecond, Linger: 300 * time.Millisecond}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return l
}

// hostsUp runs the program, without its releases.
func hostsUp(t *testing.T, l *lab.Lab) map[string]int {
	t.Helper()
	said, changes, err := upWith(t, l, noRelease...)
	require.NoError(t, err, "pulumi up:\n%s", said)
	return changes
}

// tryUp runs an up that may fail; said is all that it printed.
func tryUp(t *testing.T, l *lab.Lab, opts ...optup.Option) (said string, err error) {
	t.Helper()
	said, _, err = upWith(t, l, opts...)
	return said, err
}

func upWith(t *testing.T, l *lab.Lab, opts ...optup.Option) (said string, changes map[string]int, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	result, err := l.Stack.Up(t.Context(), append([]optup.Option{optup.ProgressStreams(&out), optup.ErrorProgressStreams(&errs)}, opts...)...)
	said = out.String() + errs.String()
	if err != nil {
		return said, nil, err
	}
	return said, *result.Summary.ResourceChanges, nil
}
