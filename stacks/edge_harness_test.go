package stacks

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
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
)

// edge is a running Caddy with the rendered configuration. Replaced are ports
// and addresses, the directories, the upstreams, and Let's Encrypt by Caddy's
// own authority; routes, limits, timeouts and headers are the deployment's.
type edge struct {
	host                string // what clients call it
	tls, plain, metrics string // host:port of its listeners
	roots               *x509.CertPool
	log                 string // file with all that it prints

	caddy, dir, storage string
	config              string // link to the configuration directory
	bind                string
	upstreams           upstreams
	process             *exec.Cmd
}

// upstreams are what stands behind the edge; "" is an echo.
type upstreams struct{ gateway, media, previous string }

func startEdge(t *testing.T, d Deployment) *edge { return startEdgeBefore(t, d, upstreams{}) }

func startEdgeBefore(t *testing.T, d Deployment, u upstreams) *edge {
	t.Helper()
	return startEdgeOn(t, d, u, "127.0.0.1")
}

func startEdgeOn(t *testing.T, d Deployment, u upstreams, bind string) *edge {
	t.Helper()
	e := newEdge(t, d, u, bind)
	e.start(t)
	return e
}

func newEdge(t *testing.T, d Deployment, u upstreams, bind string) *edge {
	t.Helper()
	dir, err := os.MkdirTemp("", "edge") //nolint:usetesting // the admin socket's path must be shorter than a test's directory is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	on := func(port int) string { return net.JoinHostPort(bind, strconv.Itoa(port)) }
	e := &edge{
		host: cmp.Or(d.Domain, bind), tls: on(freePort(t)), plain: on(freePort(t)), metrics: on(freePort(t)),
		caddy: tool(t, "caddy"), dir: dir, log: filepath.Join(dir, "log"), bind: bind,
		storage: filepath.Join(dir, "storage"), config: filepath.Join(dir, currentConfig),
		upstreams: upstreams{
			cmp.Or(u.gateway, serve(t, echo("gateway"))), cmp.Or(u.media, serve(t, echo("media"))),
			cmp.Or(u.previous, serve(t, echo("previous"))),
		},
	}
	e.configure(t, d)
	return e
}

// configure makes the rendered configuration current, as the host does.
func (e *edge) configure(t *testing.T, d Deployment) {
	t.Helper()
	dir := configOf(t, d, Gateway, "caddy")
	file := filepath.Join(dir, "Caddyfile")
	port := func(address string) string { return address[strings.LastIndex(address, ":")+1:] }
	for _, r := range [][2]string{
		{"\tpersist_config off\n", fmt.Sprintf("\tpersist_config off\n\thttp_port %s\n\thttps_port %s\n\tdefault_bind %s\n\tlocal_certs\n\tskip_install_trust\n",
			port(e.plain), port(e.tls), e.bind)},
		{"/run/caddy-admin.sock", filepath.Join(e.dir, "admin.sock")},
		{"/data/caddy", e.storage},
		{"http://:2020", "http://:" + port(e.metrics)},
		{"haproxy:8080", e.upstreams.gateway},
		{"haproxy:8081", e.upstreams.previous},
		{"media.internal:8005", e.upstreams.media},
		{"/etc/caddy/current/", dir + "/"},
	} {
		relocate(t, file, r[0], r[1])
	}
	next := e.config + ".new"
	if err := errors.Join(os.Symlink(dir, next), os.Rename(next, e.config)); err != nil {
		t.Fatal(err)
	}
}

func (e *edge) command(subcommand string) *exec.Cmd {
	cmd := exec.Command(e.caddy, subcommand, "--config", filepath.Join(e.config, "Caddyfile"), "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+e.dir, "CONSTRUCT_PUBLIC_IP="+e.bind)
	return cmd
}

// start runs Caddy until the end of the test or stop.
func (e *edge) start(t *testing.T) {
	t.Helper()
	out, err := os.OpenFile(e.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	e.process = e.command("run")
	e.process.Stdout, e.process.Stderr = out, out
	if err := e.process.Start(); err != nil {
		t.Fatal(err)
	}
	process := e.process
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
		if t.Failed() {
			t.Log(e.printed(t))
		}
	})
	waitFor(t, 20*time.Second, "caddy", func() error { return get("http://" + e.metrics + "/health") })
	waitFor(t, 10*time.Second, "its certificate", func() error {
		root, err := os.ReadFile(filepath.Join(e.storage, "pki/authorities/local/root.crt"))
		if err != nil {
			return err
		}
		e.roots = x509.NewCertPool()
		e.roots.AppendCertsFromPEM(root)
		conn, err := tls.Dial("tcp", e.tls, &tls.Config{RootCAs: e.roots, ServerName: e.host})
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
}

// stop ends Caddy as Docker does.
func (e *edge) stop(t *testing.T) {
	t.Helper()
	if err := e.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := e.process.Wait(); err != nil {
		t.Errorf("caddy ends with %v", err)
	}
}

// reload is what the host does with a changed configuration.
func (e *edge) reload() error {
	if out, err := e.command("reload").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// printed is all that Caddy has printed.
func (e *edge) printed(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(e.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.ToValidUTF8(text, []byte("?")))
}

// serve runs a handler as an upstream and returns its host:port.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.CloseClientConnections)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// ports counts those that freePort has looked at.
var ports atomic.Int64

// freePort is free for TCP and UDP. It is below those that the kernel gives to
// whoever dials, or to a test that listens anywhere, and given once.
func freePort(t *testing.T) int {
	t.Helper()
	for {
		port := 10_000 + (os.Getpid()*97+int(ports.Add(1)))%20_000
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		_ = l.Close()
		if err == nil {
			_ = u.Close()
			return port
		}
	}
}

// waitFor polls until f holds.
func waitFor(t *testing.T, limit time.Duration, what string, f func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

func get(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
