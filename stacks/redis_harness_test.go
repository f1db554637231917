package stacks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// redisServer is a real Redis on a rendered configuration, with paths and ports
// that fit this machine.
type redisServer struct {
	role      Role
	service   string
	dir, data string
	port      int
	primary   int // port of the primary
	command   []string
	process   *exec.Cmd
	out       *os.File
}

// newRedis has a configuration, data directory and port, and does not run yet.
func newRedis(t *testing.T, d Deployment, role Role, primary int) *redisServer {
	t.Helper()
	tool(t, "redis-server")
	s := &redisServer{
		role: role, service: map[Role]string{DB: "redis-primary", Message: "redis-replica"}[role],
		dir: t.TempDir(), data: t.TempDir(), port: freePort(t), primary: primary,
	}
	var err error
	s.out, err = os.Create(filepath.Join(s.data, "log"))
	require.NoError(t, err)
	t.Cleanup(func() {
		s.kill()
		if said, err := os.ReadFile(s.out.Name()); t.Failed() && err == nil {
			t.Logf("%s:\n%s", s.service, said)
		}
		_ = s.out.Close()
	})
	s.configure(t, d)
	return s
}

// configure makes a deployment's rendered files the current ones.
func (s *redisServer) configure(t *testing.T, d Deployment) {
	t.Helper()
	require.NoError(t, os.RemoveAll(s.dir))
	require.NoError(t, os.CopyFS(s.dir, os.DirFS(configOf(t, d, s.role, s.service))))
	replace := strings.NewReplacer(
		redisConfig, s.dir, "/data/", s.data+"/", "\ndir /data", "\ndir "+s.data, "/tmp/construct", s.data+"/construct",
		"\nport 6379", "\nport "+strconv.Itoa(s.port), "\nbind * -::*", "\nbind 127.0.0.1",
		"redis-cli ", "redis-cli -p "+strconv.Itoa(s.port)+" ",
		"db.internal 6379", "127.0.0.1 "+strconv.Itoa(s.primary),
	)
	files, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	for _, f := range files {
		name := filepath.Join(s.dir, f.Name())
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, []byte(replace.Replace(string(content))), 0o600))
	}
	s.command = strings.Fields(replace.Replace(strings.Join(redisService(s.service, s.role).Command, " ")))
}

// start runs the container's command until the health check is content.
func (s *redisServer) start(t *testing.T) *redisServer {
	t.Helper()
	s.process = exec.Command(s.command[0], s.command[1:]...)
	s.process.Dir, s.process.Stdout, s.process.Stderr = s.data, s.out, s.out
	require.NoError(t, s.process.Start())
	waitFor(t, 20*time.Second, s.service, func() error {
		if out, err := s.script("health.sh"); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	return s
}

// kill is kill -9.
func (s *redisServer) kill() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		s.process = nil
	}
}

// script runs one of the container's scripts, as docker exec does.
func (s *redisServer) script(name string, args ...string) (string, error) {
	c := exec.Command("bash", append([]string{filepath.Join(s.dir, name)}, args...)...)
	out, err := c.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (s *redisServer) mustScript(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := s.script(name, args...)
	require.NoError(t, err, "%s: %s", name, out)
	return out
}

// client connects as one user, with a single connection that is never opened again.
func (s *redisServer) client(t *testing.T, name, password string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{
		Addr: fmt.Sprintf("127.0.0.1:%d", s.port), Username: name, Password: password,
		MaxRetries: -1, PoolSize: 1, DisableIdentity: true,
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// application connects as the services do.
func (s *redisServer) application(t *testing.T, d Deployment) *redis.Client {
	t.Helper()
	return s.client(t, redisAppUser, d.Secrets.RedisPassword)
}

// residentMB is the memory of the server and of the child that writes its file,
// if there is one, each page that they share counted once.
func (s *redisServer) residentMB(t *testing.T) (mb int, forked bool) {
	t.Helper()
	pids := []string{strconv.Itoa(s.process.Process.Pid)}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]s/task/%[1]s/children", pids[0]))
	require.NoError(t, err)
	total := 0
	for _, pid := range append(pids, strings.Fields(string(children))...) {
		rollup, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
		if err != nil {
			continue // it has just ended
		}
		for line := range strings.Lines(string(rollup)) {
			if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
				kb, err := strconv.Atoi(strings.Fields(rest)[0])
				require.NoError(t, err)
				total += kb
			}
		}
	}
	return total >> 10, len(children) > 0
}
