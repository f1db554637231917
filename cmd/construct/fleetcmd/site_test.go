package fleetcmd_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/cmd/construct/fleetcmd"
	"github.com/construct-server/infra/deploy"
	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/host/dry"
)

const seed = "0123456789abcdef0123456789abcdef"

// said is what a host says of itself: the lines of construct-release facts by
// their first word.
type said map[string][]string

// site is five dry hosts and the outputs of a stack that deployed them.
type site struct {
	*dry.Backend
	dir   string
	hosts []map[string]any // the output fleet's
	// execute answers before the facts do, unless it says exit -1.
	execute func(host, command string, stdin []byte) (stdout, stderr string, exit int)

	mu    sync.Mutex
	facts map[string]said
}

var members = []struct{ name, role string }{
	{"gateway-1", "gateway"}, {"app-1", "app"}, {"app-2", "app"}, {"db-1", "db"}, {"message-1", "message"},
}

// services are what each role runs here.
var services = map[string][]string{
	"gateway": {"caddy"}, "app": {"auth-service", "user-service"}, "db": {"postgres"}, "message": {"messaging-service", "redpanda"},
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	s.Backend = dry.New(dry.Options{Execute: s.answer})
	t.Cleanup(func() { require.NoError(t, s.Close(t.Context())) })
	require.NoError(t, s.CreateNetwork(t.Context(), host.Network{ID: "net", Prefix: netip.MustParsePrefix("10.20.0.0/24"), MTU: 1500}))
	login := s.key(t)
	for i, m := range members {
		s.boot(t, i, m.name, m.role, login)
	}
	s.write(t)
	s.well()
	require.Eventually(t, func() bool { _, _, code := s.run(t, "", "status"); return code == 0 }, 10*time.Second, 20*time.Millisecond, "the hosts do not boot")
	return s
}

// key writes the operator's private key and returns the public one.
func (s *site) key(t *testing.T) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "key"), pem.EncodeToMemory(block), 0o600))
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

func (s *site) boot(t *testing.T, i int, name, role, login string) {
	t.Helper()
	server := "construct-prod-" + name
	keys, err := deploy.NewHostKeys(seed, "", server)
	require.NoError(t, err)
	userData, err := deploy.UserData(deploy.UserDataArgs{
		Hostname: server, AdminUser: "construct", AuthorizedKeys: []string{login},
		HostKeys: keys, SSHPort: dry.DefaultSSHPort,
	})
	require.NoError(t, err)
	address, err := s.NextPublic()
	require.NoError(t, err)
	inside := netip.AddrFrom4([4]byte{10, 20, 0, byte(32 + i)})
	require.NoError(t, s.Create(t.Context(), host.Spec{
		ID: name, Hostname: server, UserData: userData, PublicIPv4: address, NetworkID: "net", PrivateIPv4: inside,
	}))
	via, dialled := "gateway-1", inside.String()
	if role == "gateway" {
		via, dialled = "", address.String()
	}
	var run []any
	for _, service := range services[role] {
		run = append(run, map[string]any{"name": service, "image": "example.com/" + service + ":1", "config": "c-" + service})
	}
	s.hosts = append(s.hosts, map[string]any{
		"name": name, "role": role, "server": server, "address": dialled, "via": via, "hostKey": keys.Pinned,
		"release": "aa" + fmt.Sprint(i), "firewall": "ff" + fmt.Sprint(i), "services": run,
	})
}

// write writes the outputs as `pulumi stack output --json` prints them.
func (s *site) write(t *testing.T) {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"gatewayUrl": "https://203.0.113.1",
		"fleet":      map[string]any{"user": "construct", "port": dry.DefaultSSHPort, "hosts": s.hosts},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "outputs.json"), data, 0o600))
}

// well makes every host say that all is as it should be.
func (s *site) well() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts, s.execute = map[string]said{}, nil
	for i, h := range s.hosts {
		f := said{
			"format": {"1"}, "host": {h["server"].(string)}, "release": {h["release"].(string)},
			"deployed": {"2026-11-28T03:10:00Z\talice from 203.0.113.7\tapply\t" + h["release"].(string) + "\tc0ffee\tok"},
			"firewall": {fmt.Sprintf("ff%d loaded", i)}, "disk": {"/ 41 7", "/srv/construct 62 1"}, "mount": {"/srv/construct mounted"},
		}
		for _, name := range services[h["role"].(string)] {
			f["service"] = append(f["service"], fmt.Sprintf("%s example.com/%s:1 c-%s stateless", name, name, name))
			f["started"] = append(f["started"], fmt.Sprintf("%s hash-%s sha256:%s", name, name, name))
			f["container"] = append(f["container"], running(name, "running healthy 0 0 false"))
			f["image"] = append(f["image"], fmt.Sprintf("sha256:%s example.com/%s@sha256:d-%s", name, name, name))
		}
		s.facts[h["name"].(string)] = f
	}
}

// running is a container's line.
func running(service, state string) string {
	return fmt.Sprintf("%s %s id-%s sha256:%s example.com/%s:1 hash-%s", service, state, service, service, service, service)
}

func (s *site) answer(name, command string, stdin []byte) (string, string, int) {
	s.mu.Lock()
	execute := s.execute
	s.mu.Unlock()
	if execute != nil {
		if out, errOut, exit := execute(name, command, stdin); exit >= 0 {
			return out, errOut, exit
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if command != "exec sudo /usr/local/sbin/construct-release facts" {
		return "", "unexpected: " + command, 127
	}
	var b strings.Builder
	b.WriteString("format " + strings.Join(s.facts[name]["format"], "") + "\n")
	for _, word := range slices.Sorted(maps.Keys(s.facts[name])) {
		for _, line := range s.facts[name][word] {
			if word != "format" {
				b.WriteString(word + " " + line + "\n")
			}
		}
	}
	return b.String(), "", 0
}

// run runs one command as the operator types it.
func (s *site) run(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	root := &cobra.Command{Use: "construct", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(fleetcmd.New()...)
	flags := []string{"--outputs", filepath.Join(s.dir, "outputs.json"), "--ssh-private-key", filepath.Join(s.dir, "key"), "--timeout", "3s"}
	root.SetArgs(append(append(args[:1:1], flags...), args[1:]...))
	var out, errOut bytes.Buffer
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&errOut)
	err := root.ExecuteContext(t.Context())
	if err != nil {
		errOut.WriteString(err.Error())
	}
	return out.String(), errOut.String(), fleetcmd.ExitCode(err)
}
