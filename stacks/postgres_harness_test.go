package stacks

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The fleet's servers, as the database under test resolves them.
const (
	appAddress     = "127.0.0.11"
	messageAddress = "127.0.0.12"
	gatewayAddress = "127.0.0.13"
	unknownAddress = "127.0.0.14"
	hostsFile      = "127.0.0.1 localhost\n" + appAddress + " app.internal\n" + messageAddress + " message.internal\n" + gatewayAddress + " gateway.internal\n"
)

// postgresServer is a real PostgreSQL on a rendered configuration.
type postgresServer struct {
	dir, config, data string
	port              int
	account           *user.User // that it runs as
	process           *exec.Cmd
}

// startPostgres makes a database as the image does and waits until the health
// check says that it is well. PostgreSQL refuses to run as root, so root becomes
// the user postgres, and gives the server an /etc/hosts of its own. Anybody else
// runs it as who they are; see [postgresServer.fit].
func startPostgres(t *testing.T, d Deployment) *postgresServer {
	t.Helper()
	account, err := user.Current()
	if err == nil && account.Uid == "0" {
		account, err = user.Lookup("postgres")
	}
	if err != nil {
		t.Skipf("nobody to run PostgreSQL: %v", err)
	}
	dir := t.TempDir()
	s := &postgresServer{
		dir: dir, config: filepath.Join(dir, "config"), data: filepath.Join(dir, "data"),
		port: freePort(t), account: account,
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // closed to other users at first
		t.Fatal(err)
	}
	s.configure(t, d)
	args := []string{"-D", s.data, "-U", "postgres", "--pwfile=" + filepath.Join(s.config, "password")}
	r, err := newRenderer(d, DB)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range postgres().env(r) {
		if v.key == "POSTGRES_INITDB_ARGS" {
			args = append(args, strings.Fields(v.value)...)
		}
	}
	if out, err := s.as(t, exec.Command(postgresBin(t, "initdb"), args...)).CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	if !s.byRoot() {
		ident := peerMap + " " + account.Username + " postgres\n"
		if err := os.WriteFile(filepath.Join(s.data, "pg_ident.conf"), []byte(ident), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Log(s.log(t))
		}
	})
	s.start(t)
	return s
}

// configure writes the rendered configuration to where the server reads it, as
// the server's user may.
func (s *postgresServer) configure(t *testing.T, d Deployment) {
	t.Helper()
	if err := os.RemoveAll(s.config); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.config, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range mustRender(t, d, DB).Files {
		if dir, name := filepath.Split(f.Path); strings.HasPrefix(dir, configDir+"/postgres-") && !strings.Contains(dir, "exporter") {
			if err := os.WriteFile(filepath.Join(s.config, name), f.Content, f.Mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"postgresql.conf", "health.sh", "reload.sh"} {
		relocate(t, filepath.Join(s.config, name), postgresConfig, s.config)
	}
	relocate(t, filepath.Join(s.config, "health.sh"), "mark=/tmp/", "mark="+s.dir+"/")
	if !s.byRoot() {
		s.fit(t)
		return
	}
	uid, gid := s.ids(t)
	err := filepath.Walk(s.dir, func(name string, _ os.FileInfo, err error) error {
		return errors.Join(err, os.Chown(name, uid, gid))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *postgresServer) start(t *testing.T) {
	t.Helper()
	args := []string{
		postgresBin(t, "postgres"), "-c", "config_file=" + filepath.Join(s.config, "postgresql.conf"), "-D", s.data,
		"-p", strconv.Itoa(s.port), "-c", "unix_socket_directories=" + s.dir, "-c", "listen_addresses=127.0.0.1",
	}
	if s.byRoot() {
		args = append(s.named(t), args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.process = cmd
	waitFor(t, 30*time.Second, "postgres", func() error { return s.health(t) })
}

// log is what the server said so far.
func (s *postgresServer) log(t *testing.T) string {
	t.Helper()
	said, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

// stop ends the server as its container does: at once, with a clean shutdown.
func (s *postgresServer) stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(os.Interrupt)
	_ = s.process.Wait()
	s.process = nil
}

// script runs one of the container's scripts, as docker exec does.
func (s *postgresServer) script(t *testing.T, name string) error {
	t.Helper()
	out, err := s.as(t, exec.Command("bash", filepath.Join(s.config, name))).CombinedOutput()
	if err != nil {
		return errors.Join(err, errors.New(string(out)))
	}
	return nil
}

func (s *postgresServer) health(t *testing.T) error {
	t.Helper()
	return s.script(t, "health.sh")
}

// admin runs SQL as an operator does on the host.
func (s *postgresServer) admin(t *testing.T, sql string) string {
	t.Helper()
	out, err := s.as(t, exec.Command(postgresBin(t, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-c", sql)).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", sql, err, out)
	}
	return strings.TrimSpace(string(out))
}

// dial connects as a service does: with the URL of its environment, from the
// server on which it runs.
func (s *postgresServer) dial(t *testing.T, url, from string) (*pgx.Conn, error) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
	config.Port = uint16(s.port)
	config.DialFunc = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)))
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	}
	return conn, err
}

// databaseURL is a service's, with its certificate where the test unpacked it.
func databaseURL(t *testing.T, d Deployment, role Role, service string) string {
	t.Helper()
	url := environments(t, d)[service]["DATABASE_URL"]
	return strings.ReplaceAll(url, secretsMount, configOf(t, d, role, service))
}

// postgresBin finds a program of the server, which Debian keeps off the PATH.
func postgresBin(t *testing.T, name string) string {
	t.Helper()
	if found := firstPostgres(name); found != "" {
		return found
	}
	return tool(t, name)
}

func firstPostgres(name string) string {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return ""
	}
	return slices.Max(found)
}
