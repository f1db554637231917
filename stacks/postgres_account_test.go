package stacks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// byRoot tells whether this is root's test, so that the server is as it is in
// its container.
func (s *postgresServer) byRoot() bool { return os.Geteuid() == 0 }

// peerMap is what lets the account of this test act as the superuser.
const peerMap = "tester"

// fit changes pg_hba.conf for a server that is not root's: without an /etc/hosts
// of its own, names stand for addresses, and its own account is the superuser's.
func (s *postgresServer) fit(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(hostsFile) {
		address, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		relocate(t, filepath.Join(s.config, "pg_hba.conf"), " "+name+" ", " "+address+"/32 ")
	}
	relocate(t, filepath.Join(s.config, "pg_hba.conf"), "local all postgres peer", "local all postgres peer map="+peerMap)
}

func (s *postgresServer) ids(t *testing.T) (uid, gid int) {
	t.Helper()
	uid, err := strconv.Atoi(s.account.Uid)
	if err != nil {
		t.Fatal(err)
	}
	gid, err = strconv.Atoi(s.account.Gid)
	if err != nil {
		t.Fatal(err)
	}
	return uid, gid
}

// as runs a command as the server's user, with the environment of its container.
func (s *postgresServer) as(t *testing.T, c *exec.Cmd) *exec.Cmd {
	t.Helper()
	c.Dir = s.dir
	if s.byRoot() {
		uid, gid := s.ids(t)
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	c.Env = append(os.Environ(), "PGDATA="+s.data, "PGHOST="+s.dir, "PGPORT="+strconv.Itoa(s.port),
		"PATH="+filepath.Dir(firstPostgres("psql"))+":"+os.Getenv("PATH"))
	return c
}

// named is the command that runs another as the server's user, in a mount
// namespace in which /etc/hosts names the fleet.
func (s *postgresServer) named(t *testing.T) []string {
	t.Helper()
	hosts := filepath.Join(s.dir, "hosts")
	if err := os.WriteFile(hosts, []byte(hostsFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(hosts, 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{
		tool(t, "unshare"), "--mount", "bash", "-c",
		`mount --bind "$1" /etc/hosts && shift && exec setpriv --reuid="$1" --regid="$2" --clear-groups "${@:3}"`, "hosts",
		hosts, s.account.Uid, s.account.Gid,
	}
}
