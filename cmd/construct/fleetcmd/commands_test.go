package fleetcmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// echo answers every command but the facts with what arrived.
func echo(name, command string, stdin []byte) (string, string, int) {
	if strings.HasSuffix(command, " facts") {
		return "", "", -1
	}
	return name + " ran " + command + "\n" + string(stdin), name + " complains\n", 0
}

func TestExec(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.execute = echo
	out, errOut, code := s.run(t, "input", "exec", "db-1", "--", "sh", "-c", "echo 'two words' | grep $HOME", "--stack")
	assert.Equal(t, 0, code)
	assert.Equal(t, "db-1 ran sh -c \"echo 'two words' | grep \\$HOME\" --stack\ninput", out, "words arrive as they are, the host's shell expands nothing")
	assert.Equal(t, "db-1 complains\n", errOut)

	for name, host := range map[string]string{"the cloud's name": "construct-prod-db-1", "a role with one host": "db"} {
		out, _, code := s.run(t, "", "exec", host, "--", "true")
		assert.Equal(t, 0, code, name)
		assert.Equal(t, "db-1 ran true\n", out, name)
	}

	s.execute = func(string, string, []byte) (string, string, int) { return "", "no\n", 3 }
	_, errOut, code = s.run(t, "", "exec", "db-1", "--", "false")
	assert.Equal(t, 3, code, "the command's own")
	assert.Equal(t, "no\n", errOut, "and nothing of ours")

	_, errOut, code = s.run(t, "", "exec", "app", "--", "true")
	assert.Equal(t, 255, code)
	assert.Contains(t, errOut, `"app" is no host (want one of gateway-1, app-1, app-2, db-1, message-1)`)

	require.NoError(t, s.SwapHostKey(t.Context(), "db-1", true))
	_, errOut, code = s.run(t, "", "exec", "db-1", "--", "true")
	assert.Equal(t, 255, code)
	assert.Contains(t, errOut, "db-1: shows the host key SHA256:")
}

func TestShellReadsCommandsFromStandardInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.execute = echo
	out, _, code := s.run(t, "uptime\n", "ssh", "app-2")
	assert.Equal(t, 0, code)
	assert.Equal(t, "app-2 ran \nuptime\n", out)
}

func TestLogs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.execute = echo
	const script, compose = "exec sudo /usr/local/sbin/construct-release logs ", "exec sudo docker compose --project-name construct logs"
	for arg, want := range map[string]string{
		"postgres": "db-1 ran " + script + "postgres --tail 100\n",
		"db-1":     "db-1 ran " + compose + " --tail 100\n",
		"db":       "db-1 ran " + compose + " --tail 100\n",
	} {
		out, _, code := s.run(t, "", "logs", arg)
		assert.Equal(t, 0, code)
		assert.Equal(t, want, out)
	}
	out, _, _ := s.run(t, "", "logs", "redpanda", "--follow", "--tail", "-1")
	assert.Equal(t, "message-1 ran "+script+"redpanda --tail all --follow\n", out)

	// From several hosts, every line says from which.
	out, errOut, code := s.run(t, "", "logs", "user-service", "--tail", "5")
	assert.Equal(t, 0, code)
	assert.ElementsMatch(t, []string{
		"app-1 | app-1 ran " + script + "user-service --tail 5",
		"app-2 | app-2 ran " + script + "user-service --tail 5",
	}, strings.Split(strings.TrimSpace(out), "\n"))
	assert.ElementsMatch(t, []string{"app-1 | app-1 complains", "app-2 | app-2 complains"}, strings.Split(strings.TrimSpace(errOut), "\n"))

	_, errOut, code = s.run(t, "", "logs", "nobody")
	assert.Equal(t, 1, code)
	assert.Contains(t, errOut, `"nobody" is no host (want one of gateway-1, app-1, app-2, db-1, message-1), nor is it a service of one`)
}

func TestRollback(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var ran []string
	s.execute = func(name, command string, _ []byte) (string, string, int) {
		if strings.HasSuffix(command, " facts") {
			return "", "", -1
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		ran = append(ran, name+": "+command)
		s.facts[name]["release"] = []string{"bb"}
		return "release bb is healthy on " + name + "\n", "", 0
	}
	const command = ": exec sudo /usr/local/sbin/construct-release rollback"
	out, errOut, code := s.run(t, "", "rollback", "app")
	assert.Equal(t, 0, code, errOut)
	assert.Equal(t, []string{"app-1" + command, "app-2" + command}, ran, "one after the other")
	assert.Contains(t, out, "app-1: release aa1 runs; going back\nrelease bb is healthy on app-1\napp-1: release bb runs, 2 of 2 services are well\napp-2: release aa2 runs; going back\n")
	assert.Contains(t, out, "The configuration still says release aa1. pulumi up leaves app as it is now until\nsomething of it changes")
	_, _, code = s.run(t, "", "status")
	assert.Equal(t, 1, code, "status goes on saying that it differs")

	ran = nil
	out, _, code = s.run(t, "", "rollback", "db", "aa3")
	assert.Equal(t, 0, code)
	assert.Equal(t, []string{"db-1" + command + " aa3"}, ran)
	assert.Contains(t, out, "db-1: release aa3 runs; going back\n")

	for want, args := range map[string][]string{
		`"postgres" is no role (want one of gateway, app, db, message)`:       {"rollback", "postgres"},
		`"x; reboot" is not a digest (want a release of construct-release hi`: {"rollback", "db", "x; reboot"},
	} {
		_, errOut, code := s.run(t, "", args...)
		assert.Equal(t, 1, code)
		assert.Contains(t, errOut, want)
	}
}

func TestRollbackThatFailsLeavesTheOtherHostsAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var ran []string
	s.execute = func(name, command string, _ []byte) (string, string, int) {
		if strings.HasSuffix(command, " facts") {
			return "", "", -1
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		ran = append(ran, name)
		return "", "there is no earlier release on this host\n", 1
	}
	out, errOut, code := s.run(t, "", "rollback", "app")
	assert.Equal(t, 1, code)
	assert.Equal(t, []string{"app-1"}, ran)
	assert.Contains(t, out, "app-1: release aa1 runs, 2 of 2 services are well\n", "the state that is left")
	assert.Contains(t, errOut, "there is no earlier release on this host\n1 more hosts of the role were left alone\n")
	assert.NotContains(t, out, "pulumi up", "nothing differs")
}

func TestLoginAndOutputsAreChecked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	write := func(name, content string) string {
		path := filepath.Join(s.dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	for want, args := range map[string][]string{
		"the stack has no output fleet: no `pulumi up` of this version has ended well yet": {"--outputs", write("old", `{"gatewayUrl":"x"}`)},
		"read the stack's outputs: invalid":                                                {"--outputs", write("bad", `nonsense`)},
		"output fleet: no hosts, user or port":                                             {"--outputs", write("empty", `{"fleet":{}}`)},
		`output fleet: host "a": via "b" (want a host that is dialled directly)`:           {"--outputs", write("via", `{"fleet":{"hosts":[{"name":"a","address":"x","hostKey":"k","via":"b"}]}}`)},
		"ssh: no key found": {"--ssh-private-key", write("nokey", "nonsense")},
	} {
		_, errOut, code := s.run(t, "", append([]string{"status"}, args...)...)
		assert.Equal(t, 2, code, want)
		assert.Contains(t, errOut, want)
	}
}
