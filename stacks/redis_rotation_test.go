package stacks

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// link is how a copy says that it follows.
func (s *redisServer) link(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(s.mustScript(t, "admin.sh", "INFO", "replication")) {
		if state, ok := strings.CutPrefix(strings.TrimSpace(line), "master_link_status:"); ok {
			return state
		}
	}
	return "none"
}

// One up brings the copy's new password to the primary, and some minutes later
// to the copy. Meanwhile the copy follows: its connection stays, and a new one is
// let in by the old password. A primary that restarts meanwhile knows the new one
// alone; the copy then waits for its own part of the up, and needs nothing else.
func TestRedisReplicaPasswordRotates(t *testing.T) {
	t.Parallel()
	before, after := testDeployment(), testDeployment()
	after.Secrets.RedisReplicaPassword = canary + "another-replica-password-00"
	ctx := t.Context()
	for name, meanwhile := range map[string]func(t *testing.T, primary, replica *redisServer){
		"the connection stays": func(t *testing.T, _, replica *redisServer) {
			assert.Equal(t, "up", replica.link(t), "at once")
		},
		"the connection is cut": func(t *testing.T, primary, replica *redisServer) {
			assert.Equal(t, "1", primary.mustScript(t, "admin.sh", "CLIENT", "KILL", "TYPE", "replica"))
			waitFor(t, 20*time.Second, "the copy with the old password", func() error {
				if state := replica.link(t); state != "up" {
					return errors.New(state)
				}
				return nil
			})
		},
		"the primary restarts": func(t *testing.T, primary, replica *redisServer) {
			primary.kill()
			primary.start(t)
			time.Sleep(3 * time.Second) // more than one attempt
			assert.Equal(t, "down", replica.link(t), "the old password is good after a restart")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			primary, replica := redisPair(t, before)
			pid := replica.process.Process.Pid
			primary.configure(t, after)
			primary.mustScript(t, "health.sh") // the release waits for it before it reloads
			primary.mustScript(t, "reload.sh")
			meanwhile(t, primary, replica)

			require.NoError(t, primary.application(t, after).Set(ctx, "written", "meanwhile", 0).Err())
			replica.configure(t, after)
			replica.mustScript(t, "reload.sh")
			waitFor(t, 20*time.Second, "the copy", func() error {
				return replica.application(t, after).Get(ctx, "written").Err()
			})
			primary.mustScript(t, "reload.sh", "forget")
			primary.mustScript(t, "admin.sh", "CLIENT", "KILL", "TYPE", "replica")
			waitFor(t, 20*time.Second, "the copy with the new password alone", func() error {
				if state := replica.link(t); state != "up" {
					return errors.New(state)
				}
				return nil
			})
			assert.Equal(t, pid, replica.process.Process.Pid)
			assert.ErrorContains(t, primary.client(t, redisReplicaUser, before.Secrets.RedisReplicaPassword).Ping(ctx).Err(), "WRONGPASS")
		})
	}
}

// The monitor's password changes without a restart, and the health check holds
// before and after the server has taken it.
func TestRedisMonitorPasswordRotates(t *testing.T) {
	t.Parallel()
	before, after := testDeployment(), testDeployment()
	after.Secrets.RedisMonitorPassword = canary + "another-monitor-password-00"
	primary, replica := redisPair(t, before)
	for _, s := range []*redisServer{primary, replica} {
		s.configure(t, after)
		s.mustScript(t, "health.sh")
		s.mustScript(t, "reload.sh")
		s.mustScript(t, "health.sh")
		for _, d := range []Deployment{before, after} { // its exporter on this host may be behind
			assert.NoError(t, s.client(t, redisMonitorUser, d.Secrets.RedisMonitorPassword).Ping(t.Context()).Err())
		}
	}
}
