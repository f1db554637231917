package e2e

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// setUpUnit prints the unit of a set-up that runs, and fails if there is none.
const setUpUnit = "systemctl list-units --plain --no-legend 'construct-setup-*' | grep -o 'construct-setup-[0-9a-f]*.service'"

// waiting counts the connections' scripts that wait for a set-up's unit.
const waiting = "pgrep -c -f '^bash /run/.*setup.sh --name' || true"

// cutSetUp kills the app host's sshd processes while set-up runs there, in a first
// up. The unit goes on, the up fails and says where; the next one waits for the
// unit, which is stopped so that it can, instead of starting another.
func (h *troubled) cutSetUp(t *testing.T) {
	app := func() string { return h.container("construct-test-app-1") }
	first := make(chan error, 1)
	var said string
	go func() {
		var err error
		said, err = tryUp(t, h.Lab, noRelease...)
		first <- err
	}()
	unit := awaitOn(t, app, setUpUnit, 5*time.Minute)
	name := app()
	run(t, nil, "docker", "exec", name, "systemctl", "kill", "--signal=STOP", unit)
	run(t, nil, "docker", "exec", name, "pkill", "-KILL", "-f", "^sshd: construct")
	require.Error(t, <-first, "nobody noticed that the connection was cut")
	for _, want := range []string{"app-1-setup", "construct-test-app-1", "without exit status"} {
		assert.Contains(t, said, want)
	}
	assert.Equal(t, "active", strings.TrimSpace(run(t, nil, "docker", "exec", name, "systemctl", "is-active", unit)), "set-up ended with its connection")

	left, err := onContainer(t, name, waiting)
	require.NoError(t, err, left)
	left = strings.TrimSpace(left)

	second := make(chan error, 1)
	go func() {
		var err error
		said, err = tryUp(t, h.Lab, noRelease...)
		second <- err
	}()
	// What the first connection had begun waits too, though nobody listens.
	awaitOn(t, app, "test $("+waiting+") -gt "+left, 2*time.Minute)
	time.Sleep(2 * time.Second) // were it not to wait, it would have ended or failed by then
	run(t, nil, "docker", "exec", name, "systemctl", "kill", "--signal=CONT", unit)
	require.NoError(t, <-second, "an up after a cut one fails:\n%s", said)
	assert.Contains(t, said, "runs already; waiting for it")
	assert.Equal(t, "1", strings.TrimSpace(run(t, nil, "docker", "exec", name, "sh", "-c",
		"journalctl --quiet --output=cat --unit="+unit+" | grep -c '^Started '")), "set-up ran twice")
	assert.Equal(t, []string{"same"}, kinds(hostsUp(t, h.Lab)), "an up after the last one changed something")
	h.find(t)
}

// onContainer runs a shell command in a container, which may not be there yet.
func onContainer(t *testing.T, name, command string) (string, error) {
	t.Helper()
	if name == "" {
		return "", errors.New("there is no such container yet")
	}
	out, err := exec.CommandContext(t.Context(), "docker", "exec", name, "sh", "-c", command).CombinedOutput()
	return string(out), err
}
