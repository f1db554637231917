package stacks

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// inNetwork tells a test's second process that it is in a network of its own.
const inNetwork = "CONSTRUCT_TEST_NETWORK"

// inOwnNetwork runs the test again, alone, in a network namespace that has
// nothing but a loopback device with these addresses, and says whether this is
// the process to go on.
func inOwnNetwork(t *testing.T, addresses ...string) bool {
	t.Helper()
	ip := tool(t, "ip")
	if os.Getenv(inNetwork) != "" {
		for _, args := range append([][]string{{"link", "set", "lo", "up"}}, addressArgs(addresses)...) {
			if out, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
				t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
			}
		}
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), inNetwork+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil && strings.Contains(string(out), "--- SKIP: "+t.Name()):
		t.Skipf("in a network of its own: %s", out)
	case errors.As(err, &exit), err == nil && !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("in a network of its own: %v\n%s", err, out)
	case err != nil:
		t.Skipf("no network namespace to be had: %v", err)
	}
	return false
}

func addressArgs(addresses []string) [][]string {
	var all [][]string
	for _, a := range addresses {
		all = append(all, []string{"-6", "address", "add", a + "/128", "dev", "lo", "nodad"})
	}
	return all
}

// setSysctls gives this network what Docker gives the container's.
func setSysctls(t *testing.T, service string) {
	t.Helper()
	s, err := mustParse(t, mustRender(t, testDeployment(), Gateway)).GetService(service)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range s.Sysctls {
		file := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
		if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
			t.Skipf("%s cannot be set here: %v", name, err)
		}
	}
}
