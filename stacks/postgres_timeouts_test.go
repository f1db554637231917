package stacks

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a service starts and forgets ends by itself, and lets go of what it
// holds. The limits are minutes (TestPostgresRuns); these sessions have shorter
// ones, of the same kind.
func TestPostgresEndsWhatIsForgotten(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	s := startPostgres(t, d)
	url := databaseURL(t, d, App, "auth-service")
	holder, err := s.dial(t, url, appAddress)
	require.NoError(t, err)
	waiter, err := s.dial(t, url, appAddress)
	require.NoError(t, err)
	exec := func(sql string) error { _, err := holder.Exec(t.Context(), sql); return err }

	require.NoError(t, exec("CREATE TABLE users (id int); INSERT INTO users VALUES (1)"))
	require.NoError(t, exec("SET statement_timeout = '300ms'"))
	require.ErrorContains(t, exec("SELECT pg_sleep(30)"), "SQLSTATE 57014", "a statement without an end")
	require.NoError(t, exec("SET statement_timeout = 0"), "the connection is as good as before")

	require.NoError(t, exec("SET idle_in_transaction_session_timeout = '500ms'"))
	require.NoError(t, exec("BEGIN"))
	require.NoError(t, exec("UPDATE users SET id = 2"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = waiter.Exec(ctx, "UPDATE users SET id = 3")
	require.NoError(t, err, "an open transaction keeps its locks")
	require.Error(t, exec("COMMIT"), "a transaction that was ended goes on")
	require.Equal(t, "3", value(t, waiter, "SELECT id::text FROM users"))
	require.Contains(t, s.log(t), "terminating connection due to idle-in-transaction timeout")
}
