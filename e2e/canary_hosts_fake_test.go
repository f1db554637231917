package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	leakPassword = "q9Xw3Zr7Lk2Vb8Nm4Td6Ys1Pf5Hg0Jc"    // gitleaks:allow
	leakHostKey  = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU4Kz" // gitleaks:allow
	leakID       = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// fakeHost is a directory that hostCheck takes for a host: one service that
// was given a password, and a host key.
type fakeHost struct {
	t   *testing.T
	dir string
}

func newFakeHost(t *testing.T) fakeHost {
	t.Helper()
	f := fakeHost{t: t, dir: t.TempDir()}
	f.write("var/lib/construct/releases/aa11/env/web.env", 0o600, "PASSWORD="+leakPassword+"\n")
	f.write("var/lib/construct/config/web-0123456789ab/web.conf", 0o400, "pass "+leakPassword+"\n")
	f.write("etc/ssh/ssh_host_ed25519_key", 0o600, leakHostKey+"\n")
	f.write("etc/motd", 0o644, "welcome\n")
	f.process("1", "0::/init.scope", "/sbin/init", "PATH=/bin")
	f.process("2", "0::/system.slice/docker-"+leakID+".scope", "web\x00--port\x0080", "PASSWORD="+leakPassword)
	f.write("docker/ps", 0o600, leakID+"\n")
	f.write("docker/inspect", 0o600, `[{"Id":"`+leakID+`","Name":"/construct-web-1","Config":{"User":"0:0","Env":["PASSWORD=`+leakPassword+`"]}}]`)
	f.write("docker/image", 0o600, "CREATED BY\nRUN apt-get install web\n")
	f.write("docker/logs", 0o600, "listening\n")
	f.write("journal", 0o600, "web started\n")
	for name, script := range map[string]string{
		"sudo":       `exec "$@"`,
		"docker":     `[ "$1" != image ] || [ "$2" != ls ] || { echo 1a2b; exit; }; exec /bin/cat "` + f.dir + `/docker/$1"`,
		"journalctl": `exec /bin/cat "` + f.dir + `/journal"`,
		// Of files outside, and to whom a test's files belong, the host knows nothing.
		"cat":  `case $1 in /var/lib/construct/current/*) exec /bin/cat "` + f.dir + `/var/lib/construct/releases/aa11/env/${1##*/}" ;; esac; exec /bin/cat "$@"`,
		"stat": `echo "$(PATH=/usr/bin:/bin stat -c %a "$3") 0:0"`,
	} {
		f.write("bin/"+name, 0o700, "#!/bin/bash\n"+script+"\n")
	}
	return f
}

func (f fakeHost) write(name string, mode os.FileMode, content string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	require.NoError(f.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(f.t, os.WriteFile(path, []byte(content), mode))
	require.NoError(f.t, os.Chmod(path, mode)) // an umask may have taken some of it
}

func (f fakeHost) process(pid, cgroup, arguments, environment string) {
	f.t.Helper()
	for name, content := range map[string]string{
		"comm": "p" + pid + "\n", "cgroup": cgroup + "\n", "cmdline": arguments + "\x00", "environ": environment + "\x00",
	} {
		f.write("proc/"+pid+"/"+name, 0o600, content)
	}
}

// on runs a command on the host, as far as the check has any.
func (f fakeHost) on(command string) string {
	command = strings.NewReplacer(
		"cd /proc", "cd "+filepath.Join(f.dir, "proc"),
		"mktemp -p /run", "mktemp -p "+f.dir,
		"find "+searched, "find "+filepath.Join(f.dir, "var")+" "+filepath.Join(f.dir, "etc"),
	).Replace(command)
	shell := exec.CommandContext(f.t.Context(), "bash", "-c", command)
	shell.Env = []string{"PATH=" + filepath.Join(f.dir, "bin") + ":/usr/bin:/bin"}
	shell.Stderr = os.Stderr
	out, err := shell.Output()
	require.NoError(f.t, err, command)
	assert.NotContains(f.t, command, leakPassword, "the check tells what it looks for")
	return string(out)
}

func leakSecrets() map[string]string {
	return map[string]string{"password": leakPassword, hostKeyOf("web"): leakHostKey}
}

func TestHostsKeepSecrets(t *testing.T) {
	t.Parallel()
	f := newFakeHost(t)
	hostsKeepSecrets(t, func(_, command string) string { return f.on(command) }, []string{"web"}, leakSecrets())
}

func TestLeaksOfHostsAreFound(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(fakeHost){
		"the arguments of p3 holds password, as it is": func(f fakeHost) {
			f.process("3", "0::/system.slice/docker-"+leakID+".scope", "web\x00--password\x00"+leakPassword, "")
		},
		"the environment of p3 holds password": func(f fakeHost) {
			f.process("3", "0::/system.slice/ssh.service", "sshd", "PASSWORD="+leakPassword)
		},
		"the environment of web holds password, which its environment file does not": func(f fakeHost) {
			f.write("var/lib/construct/releases/aa11/env/web.env", 0o600, "PORT=80\n")
		},
		"docker inspect web holds password, as it is": func(f fakeHost) {
			f.write("docker/inspect", 0o600, `[{"Id":"`+leakID+`","Name":"/construct-web-1","Config":{"User":"0:0","Cmd":["`+leakPassword+`"]}}]`)
			f.process("2", "0::/system.slice/docker-"+leakID+".scope", "web", "")
		},
		"an image holds password, as it is": func(f fakeHost) {
			f.write("docker/image", 0o600, "CREATED BY\nRUN echo "+leakPassword+"\n")
		},
		"the journal holds password, as it is": func(f fakeHost) { f.write("journal", 0o600, "PASSWORD="+leakPassword+"\n") },
		"the log of web holds password, as it is": func(f fakeHost) {
			f.write("docker/logs", 0o600, "connecting as web:"+leakPassword+"\n")
		},
		"/etc/backup holds password, which has no business there": func(f fakeHost) { f.write("etc/backup", 0o600, leakPassword) },
		"/releases/aa11/env/web.env holds a secret, has mode 644 and belongs to 0:0 (want 0:0, for it alone)": func(f fakeHost) {
			f.write("var/lib/construct/releases/aa11/env/web.env", 0o644, "PASSWORD="+leakPassword+"\n")
		},
		"/web.env holds host key of web, which has no business there": func(f fakeHost) {
			f.write("var/lib/construct/releases/aa11/env/web.env", 0o600, "PASSWORD="+leakPassword+"\nKEY="+leakHostKey+"\n")
		},
		"/ssh_host_ed25519_key holds password, which has no business there": func(f fakeHost) {
			f.write("etc/ssh/ssh_host_ed25519_key", 0o600, leakPassword+"\n")
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			f := newFakeHost(t)
			change(f)
			leaks := newHostCheck("web", f.on, leakSecrets()).all()
			require.Len(t, leaks, 1, "%q", leaks)
			assert.True(t, strings.HasSuffix(leaks[0], want), "%q", leaks[0])
		})
	}
}
