package stacks

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// haproxyServer is a real HAProxy on the app server's rendered configuration and
// scripts, as the user that its container has, in front of services of this
// machine that a name server of the test finds.
type haproxyServer struct {
	dir, run string
	ports    map[string]int // of HAProxy, by service
	services *httptest.Server
	silent   atomic.Bool // the name server does not answer
	process  *exec.Cmd
}

func startHAProxy(t *testing.T, d Deployment) *haproxyServer {
	t.Helper()
	tool(t, "haproxy", "/usr/sbin/haproxy")
	s := &haproxyServer{dir: t.TempDir(), run: t.TempDir(), ports: map[string]int{}}
	s.services = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		wait, _ := time.ParseDuration(req.URL.Query().Get("wait"))
		time.Sleep(wait)
	}))
	t.Cleanup(s.services.Close)
	s.configure(t, d)
	if os.Getuid() == 0 {
		require.NoError(t, os.Chmod(filepath.Dir(s.dir), 0o755)) // closed to other users at first
		require.NoError(t, os.Chown(s.run, haproxyUID, haproxyUID))
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	require.NoError(t, err)
	s.process = s.command("start.sh")
	s.process.Stdout, s.process.Stderr = log, log
	require.NoError(t, s.process.Start())
	t.Cleanup(func() {
		_ = s.process.Process.Signal(syscall.SIGTERM)
		_ = s.process.Wait()
		if said, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("haproxy:\n%s", said)
		}
		_ = log.Close()
	})
	waitFor(t, 20*time.Second, "user-service behind HAProxy", func() error { return get(s.url("user-service", "")) })
	return s
}

// configure writes what is rendered, with paths and ports that fit this machine.
func (s *haproxyServer) configure(t *testing.T, d Deployment) {
	t.Helper()
	_, port, err := net.SplitHostPort(s.services.Listener.Addr().String())
	require.NoError(t, err)
	bind := func(port int) string { return "bind 127.0.0.1:" + strconv.Itoa(port) + "\n" }
	replace := []string{
		haproxyConfig, s.dir, "/run/", s.run + "/", "127.0.0.11:53", s.nameServer(t),
		strconv.Itoa(haproxyAdminPort), strconv.Itoa(freePort(t)), strconv.Itoa(haproxyMasterPort), strconv.Itoa(freePort(t)),
		fmt.Sprintf("bind :%d\n", haproxyPort), bind(freePort(t)), "timeout 1 getent ahostsv4 \"$1\"", "echo 127.0.0.1",
	}
	r, err := newRenderer(d, App)
	require.NoError(t, err)
	for _, service := range behindHAProxy(r.mine, App) {
		s.ports[service.Name] = freePort(t)
		own := strconv.Itoa(service.Port)
		replace = append(replace, "bind :"+own+"\n", bind(s.ports[service.Name]), service.Name+":"+own, service.Name+":"+port, service.Name+" "+own, service.Name+" "+port)
	}
	from := configOf(t, d, App, haproxyName)
	files, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(from, file.Name()))
		require.NoError(t, err)
		fitted := strings.NewReplacer(replace...).Replace(string(content))
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, file.Name()), []byte(fitted), 0o444))
	}
}

// nameServer stands for the engine's: every name is this machine's.
func (s *haproxyServer) nameServer(t *testing.T) string {
	t.Helper()
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	server := &dns.Server{PacketConn: socket, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		if s.silent.Load() {
			return
		}
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = []dns.RR{&dns.A{
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 600},
				A:   net.IPv4(127, 0, 0, 1),
			}}
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	return socket.LocalAddr().String()
}

// command runs one of the scripts as HAProxy's user, who has no right that its
// files do not give.
func (s *haproxyServer) command(script string, args ...string) *exec.Cmd {
	c := exec.Command("bash", append([]string{filepath.Join(s.dir, script)}, args...)...)
	c.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"}
	if os.Getuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: haproxyUID, Gid: haproxyUID}}
	}
	return c
}

func (s *haproxyServer) reload() error {
	out, err := s.command("reload.sh").CombinedOutput()
	if err != nil {
		return errors.New(string(out))
	}
	return nil
}

// worker is the process that takes connections.
func (s *haproxyServer) worker(t *testing.T) string {
	t.Helper()
	out, err := s.command("ask.sh", "show info").Output()
	require.NoError(t, err)
	_, after, _ := strings.Cut(string(out), "\nPid: ")
	pid, _, _ := strings.Cut(after, "\n")
	return pid
}

// busy is how many requests are under way, or why that is not known.
func (s *haproxyServer) busy() string {
	out, err := s.command("busy.sh").CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	count, _, _ := strings.Cut(string(out), " ")
	return count
}

func (s *haproxyServer) url(service, query string) string {
	return fmt.Sprintf("http://127.0.0.1:%d/%s", s.ports[service], query)
}
