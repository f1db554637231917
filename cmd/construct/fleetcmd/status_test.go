package fleetcmd_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/host/dry"
)

func TestStatusOfAFleetThatIsAsItShouldBe(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	start := time.Now()
	out, errOut, code := s.run(t, "", "status")
	took := time.Since(start)
	assert.Equal(t, 0, code, "%s%s", out, errOut)
	assert.Empty(t, errOut)
	assert.Less(t, took, 2*time.Second, "five hosts")
	t.Logf("status of five hosts: %d ms\n%s", took.Milliseconds(), out)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 8, "one line per host, nothing in detail:\n%s", out)
	assert.Regexp(t, `^app-1 +ok +aa1 +2026-11-28T03:10:00Z alice from 203\.0\.113\.7 +2 of 2 +/ 41%, /srv/construct 62%$`, lines[2])
	assert.Equal(t, "5 hosts: 5 as they should be, 0 differ, 0 could not be asked", lines[7])
}

func TestStatusTellsWhatDiffers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	app := func(word string, lines ...string) func() { return func() { s.facts["app-1"][word] = lines } }
	second := running("user-service", "running healthy 0 0 false")
	for name, c := range map[string]struct {
		change func()
		want   []string // lines of the output
		fine   bool
	}{
		"another release": {change: app("release", "ee"), want: []string{"app-1: release is ee, should be aa1"}},
		"no release":      {change: app("release", "none"), want: []string{"app-1: no release runs, should be aa1"}},
		"another host":    {change: app("host", "construct-prod-db-1"), want: []string{`app-1: the host calls itself "construct-prod-db-1", should be construct-prod-app-1`}},
		"an unhealthy service": {change: app("container", running("auth-service", "running unhealthy 0 0 false"), second),
			want: []string{"app-1: auth-service is unhealthy"}},
		"a service that starts": {change: app("container", running("auth-service", "running starting 0 0 false"), second),
			want: []string{"app-1: auth-service is starting, not healthy yet"}},
		"a stopped service": {change: app("container", running("auth-service", "exited unhealthy 2 137 true"), second),
			want: []string{"app-1: auth-service is exited, exit code 137, 2 restarts, out of memory"}},
		"a missing service": {change: app("container", second), want: []string{"app-1: auth-service has no container"}},
		"another image": {change: app("container", strings.Replace(running("auth-service", "running healthy 0 0 false"), ":1 ", ":0 ", 1), second),
			want: []string{"app-1: auth-service runs example.com/auth-service:0, should run example.com/auth-service:1"}},
		"a moved tag": {change: app("image", "sha256:auth-service example.com/auth-service@sha256:other"),
			want: []string{"example.com/auth-service:1 is not the same everywhere: sha256:d-auth-servi on app-2; sha256:other on app-1"}},
		"another configuration": {change: app("service", "auth-service example.com/auth-service:1 c-old stateless"),
			want: []string{"app-1: auth-service has the configuration c-old, should have c-auth-service"}},
		"a container made by hand": {change: app("container", strings.Replace(running("auth-service", "running healthy 0 0 false"), "hash-", "other-", 1), second),
			want: []string{"app-1: auth-service was made anew since the release, by hand: image or configuration are not the release's"}},
		"two containers": {change: app("container", running("auth-service", "running healthy 0 0 false"), running("auth-service", "running starting 0 0 false"), second),
			want: []string{"app-1: auth-service has 2 containers"}},
		"two containers while somebody deploys": {
			change: func() {
				app("container", running("auth-service", "running starting 0 0 false"), running("auth-service", "running healthy 0 0 false"), second)()
				app("lock", "bob, since 2026-11-28T03:12:00Z, for release bb")()
			},
			want: []string{"app-1: note: somebody deploys: bob, since 2026-11-28T03:12:00Z, for release bb"}, fine: true},
		"a stranger": {change: func() {
			s.facts["db-1"]["container"] = append(s.facts["db-1"]["container"], running("miner", "running none 0 0 false"))
		},
			want: []string{"db-1: miner runs here, and should not"}},
		"no packet filter":        {change: app("firewall", "ff1 absent"), want: []string{"app-1: packet filter: no ruleset is loaded"}},
		"none ever":               {change: app("firewall"), want: []string{"app-1: packet filter: no ruleset is loaded"}},
		"a changed filter":        {change: app("firewall", "ff1 altered"), want: []string{"app-1: packet filter: the rules in force are not those of ruleset ff1"}},
		"an earlier filter":       {change: app("firewall", "ee loaded"), want: []string{"app-1: packet filter: ruleset is ee, should be ff1"}},
		"no volume":               {change: func() { s.facts["db-1"]["mount"] = []string{"/srv/construct missing"} }, want: []string{"db-1: the data volume is not mounted at /srv/construct"}},
		"a full disk":             {change: func() { s.facts["db-1"]["disk"] = []string{"/srv/construct 95 3"} }, want: []string{"db-1: disk /srv/construct is 95 % full, of its inodes 3 %"}},
		"no inodes":               {change: func() { s.facts["db-1"]["disk"] = []string{"/ 5 93"} }, want: []string{"db-1: disk / is 5 % full, of its inodes 93 %"}},
		"a Docker that is silent": {change: func() { app("container")(); app("docker", "silent")() }, want: []string{"app-1: Docker does not answer: what runs is not known"}},
		"a failed attempt": {change: app("last", "2026-11-28T03:11:00Z\talice\tapply\tbb\t-\tfailed"),
			want: []string{"app-1: note: the last attempt went wrong: apply of bb at 2026-11-28T03:11:00Z by alice, see construct-release history"}, fine: true},
		"a restart": {change: app("container", running("auth-service", "running healthy 3 0 false"), second),
			want: []string{"app-1: note: auth-service has restarted 3 times"}, fine: true},
	} {
		t.Run(name, func(t *testing.T) {
			s.well()
			c.change()
			out, errOut, code := s.run(t, "", "status")
			want := map[bool]int{true: 0, false: 1}
			assert.Equal(t, want[c.fine], code, "%s%s", out, errOut)
			_, detail, _ := strings.Cut(out, "\n\n")
			lines := strings.Split(strings.TrimSpace(detail), "\n")
			assert.Equal(t, c.want, lines[:len(lines)-1], "what is wrong, and nothing else")
		})
	}
}

func TestStatusOfHostsThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*testing.T, *site)
		want   []string // in the output
	}{
		"a host that is off": {func(t *testing.T, s *site) { require.NoError(t, s.PowerOff(t.Context(), "db-1")) },
			[]string{"db-1: no answer at 10.20.0.35:2222: ", "5 hosts: 4 as they should be, 0 differ, 1 could not be asked"}},
		"a host that refuses, another differs": {func(t *testing.T, s *site) {
			require.NoError(t, s.RefuseSSH(t.Context(), "db-1", true))
			s.facts["app-1"]["release"] = []string{"ee"}
		}, []string{"db-1: no answer at 10.20.0.35:2222: ", "app-1: release is ee", "5 hosts: 3 as they should be, 1 differ, 1 could not be asked"}},
		"a gateway that refuses": {func(t *testing.T, s *site) { require.NoError(t, s.RefuseSSH(t.Context(), "gateway-1", true)) },
			[]string{"gateway-1: no answer at 127.", "db-1: not asked: the way there leads through gateway-1", "0 as they should be, 0 differ, 5 could not"}},
		"a host with another key": {func(t *testing.T, s *site) { require.NoError(t, s.SwapHostKey(t.Context(), "db-1", true)) },
			[]string{"db-1: shows the host key SHA256:", ": nothing was sent to it"}},
		"a gateway with another key": {func(t *testing.T, s *site) { require.NoError(t, s.SwapHostKey(t.Context(), "gateway-1", true)) },
			[]string{"gateway-1: shows the host key SHA256:", ": nothing was sent to it", "db-1: not asked: the way there leads through gateway-1"}},
		"a host of an earlier version": {func(_ *testing.T, s *site) {
			s.execute = func(name, _ string, _ []byte) (string, string, int) {
				if name == "db-1" {
					return "", "usage: construct-release COMMAND\n", 2
				}
				return "", "", -1
			}
		}, []string{"db-1: construct-release facts ended with exit code 2: usage: construct-release COMMAND (a host of an earlier version"}},
		"a host of a later version": {func(_ *testing.T, s *site) { s.facts["db-1"]["format"] = []string{"9"} },
			[]string{`db-1: says "format 9" (want format 1)`}},
		"a host that talks nonsense": {func(_ *testing.T, s *site) { s.facts["db-1"]["disk"] = []string{"/ full 3"} },
			[]string{`db-1: says "disk / full 3": not a number`}},
		"a host that hangs": {func(t *testing.T, s *site) {
			over := make(chan struct{})
			t.Cleanup(func() { close(over) })
			s.execute = func(name, _ string, _ []byte) (string, string, int) {
				if name == "db-1" {
					<-over
				}
				return "", "", -1
			}
		}, []string{"db-1: the host was reached, but did not answer: timed out after 3s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			c.change(t, s)
			out, errOut, code := s.run(t, "", "status")
			assert.Equal(t, 2, code, "%s%s", out, errOut)
			for _, want := range c.want {
				assert.Contains(t, out, want)
			}
		})
	}
}

func TestStatusAsJSON(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.facts["app-1"]["container"] = s.facts["app-1"]["container"][1:]
	s.facts["db-1"]["interruption"] = []string{"postgres 4 2026-11-28T03:10:00Z"}
	out, _, code := s.run(t, "", "status", "--json")
	assert.Equal(t, 1, code)
	var got struct {
		State string
		Hosts []struct {
			Name, State, Release string
			Wrong                []string
			Deployed             struct{ Who, Commit string }
			Services             []struct{ Name, Health, Digest string }
			Interruptions        []struct {
				Service, At string
				Seconds     int
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.Equal(t, "differs", got.State)
	require.Len(t, got.Hosts, 5)
	assert.Equal(t, "ok", got.Hosts[0].State)
	assert.Equal(t, []string{}, got.Hosts[0].Wrong, "a list, not null")
	app := got.Hosts[1]
	assert.Equal(t, []string{"auth-service has no container"}, app.Wrong)
	assert.Equal(t, "c0ffee", app.Deployed.Commit)
	assert.Equal(t, "sha256:d-user-service", app.Services[0].Digest)
	assert.Empty(t, app.Interruptions)
	db := got.Hosts[3].Interruptions
	require.Len(t, db, 1)
	assert.Equal(t, "postgres 4 2026-11-28T03:10:00Z", fmt.Sprint(db[0].Service, " ", db[0].Seconds, " ", db[0].At))
}

// What is asked before any host is.
func TestStatusThatCannotBegin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for want, args := range map[string][]string{
		"no such file":          {"--outputs", filepath.Join(s.dir, "none")},
		"read the private key":  {"--ssh-private-key", filepath.Join(s.dir, "none")},
		"unknown flag":          {"--nonsense"},
		"unknown command \"app": {"app-1"},
	} {
		_, errOut, code := s.run(t, "", append([]string{"status"}, args...)...)
		assert.Equal(t, 2, code, want)
		assert.Contains(t, errOut, want)
	}
}

// Five hosts that are slow to log in cost two log-ins, the gateway's and all the
// others' at once: not five.
func TestHostsAreDialledAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const slow = time.Second
	s.SlowLogins(slow)
	began := time.Now()
	out, errOut, code := s.run(t, "", "status")
	took := time.Since(began)
	assert.Equal(t, 0, code, "%s%s", out, errOut)
	assert.GreaterOrEqual(t, took, 2*slow)
	assert.Less(t, took, 3*slow+slow/2, "one after the other it is %v", 5*slow)
}

// One connection to the gateway carries all questions.
func TestGatewayIsDialledOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	gateway := s.hosts[0]["address"].(string)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.78.0.1:2222")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	var dialled atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			dialled.Add(1)
			far, err := net.Dial("tcp", net.JoinHostPort(gateway, "2222"))
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(far, conn); _ = far.Close() }()
			go func() { _, _ = io.Copy(conn, far); _ = conn.Close() }()
		}
	}()
	s.hosts[0]["address"] = "127.78.0.1"
	s.write(t)
	out, errOut, code := s.run(t, "", "status")
	require.Equal(t, 0, code, "%s%s", out, errOut)
	assert.Equal(t, int32(1), dialled.Load())
	assert.Equal(t, 2222, dry.DefaultSSHPort)
}
