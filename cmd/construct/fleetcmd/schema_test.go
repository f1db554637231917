package fleetcmd_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// migrating makes auth-service one that migrates, and answers what a rollback
// asks before it begins: what the hosts would go back to, and whether the
// database lets that start. ran gets every command.
func migrating(t *testing.T, s *site, target, check func() (string, string, int), ran *[]string) {
	t.Helper()
	for _, h := range s.hosts {
		for _, one := range h["services"].([]any) {
			one.(map[string]any)["migrates"] = one.(map[string]any)["name"] == "auth-service"
		}
	}
	s.write(t)
	s.execute = func(name, command string, _ []byte) (string, string, int) {
		if strings.HasSuffix(command, " facts") {
			return "", "", -1
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		*ran = append(*ran, name+": "+strings.TrimPrefix(command, "exec sudo /usr/local/sbin/"))
		switch {
		case strings.Contains(command, "construct-release target"):
			return target()
		case strings.Contains(command, "construct-schema check"):
			return check()
		}
		return "", "", 0
	}
}

func TestRollbackPastAMigrationIsRefused(t *testing.T) {
	t.Parallel()
	target := func() (string, string, int) {
		return "release bb\nservice auth-service example.com/construct:0.7.0 c1 stateless\nservice user-service example.com/construct:0.7.0 c2 stateless\n", "", 0
	}
	asked := []string{
		"app-1: construct-release target", "app-2: construct-release target",
		"db-1: construct-schema check 'auth-service=example.com/construct:0.7.0'",
	}
	rolled := []string{"app-1: construct-release rollback", "app-2: construct-release rollback"}
	for name, c := range map[string]struct {
		target, check func() (string, string, int)
		code          int
		says          string
		ran           []string
	}{
		"older": {
			target, func() (string, string, int) { return "", "db: it would not start\n", 3 },
			3, "db: it would not start\nrefused: the database is newer; nothing was changed", asked,
		},
		"not older": {
			target, func() (string, string, int) { return "db: nothing is known against these versions\n", "", 0 },
			0, "", append(asked[:3:3], rolled...),
		},
		"the database does not tell": {
			target, func() (string, string, int) { return "", "db: PostgreSQL does not run\n", 1 },
			0, "db: PostgreSQL does not run\ndb-1: whether the database is newer than what it goes back to is not known", append(asked[:3:3], rolled...),
		},
		"the host is of an earlier version": {
			func() (string, string, int) { return "", "usage: construct-release\n", 2 }, nil,
			0, "app-1: whether the database is newer than what it goes back to is not known: construct-release target ended with exit code 2", append(asked[:1:1], rolled...),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			var ran []string
			migrating(t, s, c.target, c.check, &ran)
			_, errOut, code := s.run(t, "", "rollback", "app")
			assert.Equal(t, c.code, code, errOut)
			assert.Contains(t, errOut, c.says)
			assert.Equal(t, c.ran, ran)
		})
	}
}

// What migrates nothing is nobody's question.
func TestRollbackAsksTheDatabaseOnlyForWhatMigrates(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var ran []string
	migrating(t, s, nil, nil, &ran)
	_, errOut, code := s.run(t, "", "rollback", "message", "aa4")
	assert.Equal(t, 0, code, errOut)
	assert.Equal(t, []string{"message-1: construct-release rollback aa4"}, ran)
}
