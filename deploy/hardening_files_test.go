package deploy

import (
	"bufio"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func hostFile(t *testing.T, name string) string {
	t.Helper()
	text, err := script("files/" + name)
	require.NoError(t, err)
	return text
}

// Every kernel setting says why, is a setting, and is there once.
func TestKernelSettingsHaveReasons(t *testing.T) {
	t.Parallel()
	setting := regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)+ = \S+$`)
	reason, seen := false, map[string]bool{}
	for line := range strings.Lines(hostFile(t, "sysctl.conf")) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			reason = false
		case strings.HasPrefix(line, "# "):
			reason = true
		default:
			assert.True(t, reason, "%s: no reason above it", line)
			assert.Regexp(t, setting, line)
			key, _, _ := strings.Cut(line, " ")
			assert.False(t, seen[key], "%s is set twice", key)
			seen[key] = true
		}
	}
	assert.Greater(t, len(seen), 25)
}

// Every audit rule can be asked for by its key, and none records services,
// which have no login.
func TestAuditRules(t *testing.T) {
	t.Parallel()
	rules := 0
	for lines := bufio.NewScanner(strings.NewReader(hostFile(t, "audit.rules"))); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") || line == "-i" {
			continue
		}
		rules++
		assert.Regexp(t, ` -k [a-z-]+$`, line)
		if strings.HasPrefix(line, "-a ") {
			assert.Contains(t, line, "-F auid!=unset", "services would be recorded")
		} else {
			assert.Regexp(t, `^-w /\S+ -p wa `, line)
		}
	}
	assert.Greater(t, rules, 10)
}

// What apt makes of the file: security fixes only, and never the engine.
func TestUpgradesAreSecurityFixesWithoutDocker(t *testing.T) {
	t.Parallel()
	aptConfig, err := exec.LookPath("apt-config")
	if err != nil {
		t.Skip("apt-config is not installed")
	}
	h := newTarget(t)
	h.write("apt.conf", `Unattended-Upgrade::Origins-Pattern { "origin=Debian,codename=${distro_codename},label=Debian"; };`+"\n"+
		hostFile(t, "apt-upgrades.conf"))
	command := exec.CommandContext(t.Context(), aptConfig, "--config-file", h.root+"/apt.conf", "dump", "--no-empty", "--format", "%F=%v%n")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	values := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[strings.TrimSuffix(key, "::")] = append(values[strings.TrimSuffix(key, "::")], value)
	}
	assert.Equal(t, []string{"origin=Debian,codename=${distro_codename}-security,label=Debian-Security"},
		values["Unattended-Upgrade::Origins-Pattern"], "Debian's own list is replaced")
	assert.Equal(t, []string{"false"}, values["Unattended-Upgrade::Automatic-Reboot"])
	assert.Equal(t, []string{"1"}, values["APT::Periodic::Unattended-Upgrade"])
	for _, name := range []string{"docker-ce", "docker-ce-cli", "docker-compose-plugin", "docker.io", "containerd", "containerd.io", "runc"} {
		held := false
		for _, pattern := range values["Unattended-Upgrade::Package-Blacklist"] {
			held = held || regexp.MustCompile("^(?:"+pattern+")").MatchString(name)
		}
		assert.True(t, held, "%s would be upgraded under running containers", name)
	}
}
