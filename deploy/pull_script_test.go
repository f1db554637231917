package deploy

import (
	"encoding/base64"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const registryPassword = "registry-password-Canary1"

// puller is Docker on a private registry: it keeps a login as Docker does, in
// its configuration, and notes what could be seen meanwhile.
const puller = `#!/bin/bash
echo "$*" >>"$FAKE/calls"
case $1 in
login) cat >"$DOCKER_CONFIG/config.json" ;;
pull)
  grep -q ` + registryPassword + ` "$DOCKER_CONFIG/config.json" && echo "logged in" >>"$FAKE/calls"
  stat -c %a "$DOCKER_CONFIG" >>"$FAKE/modes"
  case $3 in
  *:slow) touch "$FAKE/pulling"; exec sleep 60 ;;
  *:denied) echo denied >&2; exit 1 ;;
  esac
  ;;
image) exit 1 ;;
esac
`

// pulling starts construct-release's worker with a login for a registry.
func (h *target) pulling(image string) *exec.Cmd {
	scripts, err := filepath.Abs("scripts")
	require.NoError(h.t, err)
	require.NoError(h.t, os.WriteFile(filepath.Join(h.fake, "docker"), []byte(puller), 0o700)) //nolint:gosec // a program
	encode := base64.StdEncoding.EncodeToString
	h.write("run/construct/logins.x", "login "+encode([]byte("registry.example.com"))+" "+encode([]byte("bot"))+" "+encode([]byte(registryPassword))+"\n")
	command := exec.CommandContext(h.t.Context(), "bash", filepath.Join(scripts, "release.sh"),
		"pull-worker", "60", filepath.Join(h.root, "run/construct/logins.x"), image)
	command.Env = []string{
		"PATH=" + h.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "CONSTRUCT_WHO=alice",
		"CONSTRUCT_LIB=" + filepath.Join(scripts, "lib"), "FAKE=" + h.fake,
	}
	return command
}

// leaks lists the files of the host that hold the registry's password, as it is
// or encoded.
func (h *target) leaks() []string {
	var found []string
	require.NoError(h.t, filepath.WalkDir(h.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), registryPassword) || strings.Contains(string(text), base64.StdEncoding.EncodeToString([]byte(registryPassword))) {
			found = append(found, path)
		}
		return err
	}))
	return found
}

// A registry's password is in memory while images are pulled, for root alone,
// and gone however that ends.
func TestPullForgetsItsLogins(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		image string
		end   syscall.Signal
		ok    bool
	}{
		"it goes well":     {"registry.example.com/web:1", 0, true},
		"it is refused":    {"registry.example.com/web:denied", 0, false},
		"it is terminated": {"registry.example.com/web:slow", syscall.SIGTERM, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newTarget(t)
			command := h.pulling(c.image)
			require.NoError(t, command.Start())
			if c.end != 0 {
				require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(h.fake, "pulling")); return err == nil }, 10e9, 10e6)
				assert.NotEmpty(t, h.leaks(), "this test would see a leak")
				require.NoError(t, command.Process.Signal(c.end))
			}
			assert.Equal(t, c.ok, command.Wait() == nil)
			assert.Empty(t, h.leaks())

			calls, err := os.ReadFile(filepath.Join(h.fake, "calls"))
			require.NoError(t, err)
			assert.Contains(t, string(calls), "login --username bot --password-stdin registry.example.com\n")
			assert.Contains(t, string(calls), "logged in\n")
			assert.NotContains(t, string(calls), registryPassword, "in the arguments")
			modes, err := os.ReadFile(filepath.Join(h.fake, "modes"))
			require.NoError(t, err)
			assert.Equal(t, "700\n", string(modes))
		})
	}
}
