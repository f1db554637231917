package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const gibibyte = 1 << 30

// fakeDisk is a host whose volume has a size now and another at the second
// look, and notes how it is grown.
func fakeDisk(t *testing.T, now, later int, resize2fs string) *target {
	t.Helper()
	h := newTarget(t)
	for name, body := range map[string]string{
		"blockdev": `[ ! -e "$FAKE/looked" ] || { echo ` + strconv.Itoa(later) + `; exit; }; touch "$FAKE/looked"; echo ` + strconv.Itoa(now),
		// Grown under the lock: it is not to be had meanwhile.
		"resize2fs": `flock -n "$CONSTRUCT_ROOT/run/construct/lock" true && exit 9; echo "$*" >>"$FAKE/grown"; ` + resize2fs,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(h.fake, name), []byte("#!/bin/bash\n"+body+"\n"), 0o700)) //nolint:gosec // a program
	}
	return h
}

// grow runs grow.sh for a volume of 50 GB.
func (h *target) grow() (out string, ok bool) {
	scripts, err := filepath.Abs("scripts")
	require.NoError(h.t, err)
	bin, err := filepath.Abs("testdata/bin")
	require.NoError(h.t, err)
	command := exec.CommandContext(h.t.Context(), "bash", filepath.Join(scripts, "grow.sh"), "/dev/disk/by-id/none", "50")
	command.Env = []string{
		"PATH=" + h.fake + ":" + bin + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root, "CONSTRUCT_WHO=alice",
		"CONSTRUCT_LIB=" + filepath.Join(scripts, "lib"), "CONSTRUCT_GROW_SECONDS=2", "FAKE=" + h.fake,
	}
	printed, err := command.CombinedOutput()
	return string(printed), err == nil
}

func TestGrowScript(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		now, later int
		resize2fs  string
		unmounted  bool
		says       string // "": it goes well
	}{
		"the size is there":                    {50 * gibibyte, 50 * gibibyte, "", false, ""},
		"the kernel learns of it later":        {20 * gibibyte, 50 * gibibyte, "", false, ""},
		"a cloud that counts in powers of ten": {50e9, 50e9, "", false, ""},
		"the kernel never learns of it": {
			20 * gibibyte, 20 * gibibyte, "", false,
			"construct-test-db-1: the volume /dev/disk/by-id/none has 21474836480 bytes here, 50 GB were asked for: a reboot",
		},
		"resize2fs fails": {
			50 * gibibyte, 50 * gibibyte, "echo 'Bad magic number in super-block' >&2; exit 1", false,
			"construct-test-db-1: the file system on /dev/disk/by-id/none could not be grown to 50 GB: Bad magic number",
		},
		"not mounted": {
			50 * gibibyte, 50 * gibibyte, "", true,
			"construct-test-db-1: the volume /dev/disk/by-id/none is not mounted at /srv/construct",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := fakeDisk(t, c.now, c.later, c.resize2fs)
			if c.unmounted {
				require.NoError(t, os.WriteFile(filepath.Join(h.fake, "unmounted"), nil, 0o600))
			}
			out, ok := h.grow()
			grown, _ := os.ReadFile(filepath.Join(h.fake, "grown"))
			if c.says != "" {
				assert.False(t, ok)
				assert.Contains(t, out, c.says)
				return
			}
			assert.True(t, ok, out)
			assert.Equal(t, "/dev/disk/by-id/none\n", string(grown), "once, by its device, whatever is mounted")
		})
	}
}
