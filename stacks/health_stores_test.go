package stacks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A health check that cannot fail let the first deployment start everything on
// a Redis that answered NOAUTH (defect 25).
func TestRedisHealthFails(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	primary, replica := redisPair(t, d)
	healthy := func(s *redisServer) error { _, err := s.script("health.sh"); return err }
	require.NoError(t, healthy(primary))
	require.NoError(t, healthy(replica))

	for _, s := range []*redisServer{primary, replica} {
		password := filepath.Join(s.dir, "operator")
		right, err := os.ReadFile(password)
		require.NoError(t, err)
		for what, wrong := range map[string]string{
			"a wrong password": "wrong", "no password": "", "the application's": d.Secrets.RedisPassword,
		} {
			require.NoError(t, os.WriteFile(password, []byte(wrong), 0o600))
			require.Error(t, healthy(s), "%s is healthy with %s", s.service, what)
		}
		require.NoError(t, os.WriteFile(password, right, 0o600))
		require.NoError(t, healthy(s))
	}

	primary.kill()
	require.Error(t, healthy(primary), "a process that is gone")
	waitFor(t, 10*time.Second, "the copy to notice", func() error {
		if healthy(replica) == nil {
			return assert.AnError
		}
		return nil
	})
	assert.Contains(t, replica.mustScript(t, "admin.sh", "PING"), "PONG", "it is the link that is down, not the copy")
	primary.start(t)
	waitFor(t, 20*time.Second, "the copy to follow again", func() error { return healthy(replica) })
	replica.kill()
	require.Error(t, healthy(replica), "a process that is gone")
}

func TestPostgresHealthFails(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	s := startPostgres(t, d)
	require.NoError(t, s.health(t))

	// Roles that cannot be made, as with a file that is cut.
	roles := filepath.Join(s.config, "roles.sql")
	before, err := os.ReadFile(roles)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(roles, append([]byte("SELECT 1/0;\n"), before...), 0o600))
	require.ErrorContains(t, s.health(t), "division by zero", "roles that are not as declared")
	require.NoError(t, os.WriteFile(roles, before, 0o600))
	require.NoError(t, s.health(t))

	// The server of the image's first start listens on its socket alone.
	health := filepath.Join(s.config, "health.sh")
	script, err := os.ReadFile(health)
	require.NoError(t, err)
	require.Contains(t, string(script), "--host 127.0.0.1")
	relocate(t, health, "--host 127.0.0.1", "--host 127.0.0.9") // nobody listens there
	require.Error(t, s.health(t), "a server that takes no logins over TCP")
	require.NoError(t, os.WriteFile(health, script, 0o600))

	s.stop()
	require.Error(t, s.health(t), "a process that is gone")
}

func TestBrokerHealthFails(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	b := newBroker(t, d)
	b.start(t)
	require.NoError(t, b.health())

	// Another container: what is declared cannot be set.
	config := filepath.Join(b.dir, "etc/construct/cluster.yaml")
	require.NoError(t, os.Remove(filepath.Join(b.dir, "tmp/construct-declared")))
	before, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, append(before, "unheard_of: true\n"...), 0o600))
	require.Error(t, b.health(), "properties that are not as declared")
	require.NoError(t, os.WriteFile(config, before, 0o600))
	require.NoError(t, b.health())

	b.kill()
	require.Error(t, b.health(), "a process that is gone")
}

// The exporters' are asked of a web server, as all others are; that of a worker
// without one, of its connections (TestConnectedHealth). None may be a command
// that always succeeds.
func TestNoHealthCheckIsAnEcho(t *testing.T) {
	t.Parallel()
	for name, d := range variants() {
		for _, role := range Roles(d.Media) {
			for _, s := range mustParse(t, mustRender(t, d, role)).Services {
				if s.Name == "log-agent" {
					continue // nothing in its image could check it
				}
				if s.HealthCheck == nil || len(s.HealthCheck.Test) < 2 {
					t.Errorf("%s: %s has no health check", name, s.Name)
					continue
				}
				for _, bad := range []string{"|| true", "exit 0", "|| echo", "incr ping"} {
					if line := strings.Join(s.HealthCheck.Test, " "); strings.Contains(line, bad) {
						t.Errorf("%s: %s: %q never fails", name, s.Name, line)
					}
				}
			}
		}
	}
}
