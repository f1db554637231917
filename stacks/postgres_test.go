package stacks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func value(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	var got string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&got), sql)
	return got
}

// The services find what they were promised: a schema of their own, and no
// rights beyond it.
func TestPostgresRuns(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	s := startPostgres(t, d)
	app, err := s.dial(t, databaseURL(t, d, App, "auth-service"), appAddress)
	require.NoError(t, err)
	for _, sql := range []string{
		"CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid())",
		"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
		"CREATE TRIGGER tr BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()",
		"CREATE SCHEMA more",
		"INSERT INTO users DEFAULT VALUES",
	} {
		_, err := app.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	for _, sql := range []string{
		"CREATE ROLE intruder", "ALTER SYSTEM SET fsync = off", "COPY users TO PROGRAM 'cat'", "SELECT pg_read_file('/etc/passwd')", "CREATE DATABASE other",
	} {
		_, err := app.Exec(t.Context(), sql)
		require.ErrorContains(t, err, "SQLSTATE 42501", sql) // insufficient privilege
	}

	memory := newPostgresMemory(limitOf(t, d, DB, "postgres"), budget(t, d).Total)
	for setting, want := range map[string]string{
		"data_checksums": "on", "wal_level": "replica", "archive_mode": "on", "password_encryption": "scram-sha-256", "fsync": "on",
		"ssl": "on", "server_encoding": "UTF8", "shared_buffers": fmt.Sprintf("%dMB", memory.SharedBuffers),
		"statement_timeout": "5min", "idle_in_transaction_session_timeout": "1min", "log_min_duration_statement": "500ms",
	} {
		assert.Equal(t, want, value(t, app, "SELECT current_setting('"+setting+"')"), setting)
	}
	assert.Equal(t, "C", value(t, app, "SELECT datcollate FROM pg_database WHERE datname = current_database()"))
	assert.Equal(t, postgresAppUser, value(t, app, "SELECT tableowner FROM pg_tables WHERE tablename = 'users'"))
	assert.Equal(t, "0", s.admin(t, "SHOW statement_timeout"), "an operator's VACUUM is cut")

	exporter, err := s.dial(t, exporterURL(d), "127.0.0.1")
	require.NoError(t, err)
	assert.NotEqual(t, "0", value(t, exporter, "SELECT count(*)::text FROM pg_stat_activity WHERE query <> ''"))
	_, err = exporter.Exec(t.Context(), "SELECT * FROM users")
	assert.ErrorContains(t, err, "permission denied")
}

func budget(t *testing.T, d Deployment) connectionBudget {
	t.Helper()
	all, err := Catalogue(LineS, d.Features().planned())
	require.NoError(t, err)
	return connectionsOf(all)
}

func exporterURL(d Deployment) string {
	return fmt.Sprintf("postgres://%s:%s@db.internal/%s?sslmode=disable", postgresExporterUser, d.Secrets.PostgresExporterPassword, postgresDatabase)
}

// Who is let in, from where, to what: the hosts whose services have a pool, as
// the flow matrix says, encrypted; and nobody else.
func TestPostgresAdmitsItsClientsAlone(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	s := startPostgres(t, d)
	url := databaseURL(t, d, App, "auth-service")
	require.Contains(t, url, "sslmode=verify-full")
	other := testDeployment()
	other.Seed = []byte("the seed of another deployment")
	r, err := newRenderer(d, DB)
	require.NoError(t, err)
	superuser, err := derivePassword(d.Seed, "postgres superuser")
	require.NoError(t, err)
	plain, _, _ := strings.Cut(url, "?")

	for name, c := range map[string]struct {
		url, from, refused string
	}{
		"app":               {url, appAddress, ""},
		"message":           {databaseURL(t, d, Message, "messaging-service"), messageAddress, ""},
		"gateway":           {url, gatewayAddress, "no pg_hba.conf entry"},
		"a stranger":        {url, unknownAddress, "no pg_hba.conf entry"},
		"in clear":          {plain + "?sslmode=disable", appAddress, "no pg_hba.conf entry"},
		"a wrong password":  {strings.Replace(url, d.Secrets.PostgresPassword, "wrong", 1), appAddress, "password authentication failed"},
		"another database":  {strings.Replace(url, "/construct?", "/postgres?", 1), appAddress, "no pg_hba.conf entry"},
		"the owner":         {strings.Replace(url, r.postgresLogin(), postgresAppUser, 1), appAddress, "password authentication failed"},
		"the superuser":     {"postgres://postgres:" + superuser + "@db.internal/construct?sslmode=require", appAddress, "no pg_hba.conf entry"},
		"a server unproven": {databaseURL(t, other, App, "auth-service"), appAddress, "certificate signed by unknown authority"},
		"another's name":    {strings.Replace(url, "db.internal", "message.internal", 1), appAddress, "certificate is valid for db.internal"},
	} {
		_, err := s.dial(t, c.url, c.from)
		if c.refused == "" {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorContains(t, err, c.refused, name)
		}
	}
}

// Every pool may be full, twice, and still monitoring and an operator get in.
func TestPostgresBudgetHolds(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	s := startPostgres(t, d)
	url := databaseURL(t, d, App, "auth-service")
	for i := range budget(t, d).Services {
		_, err := s.dial(t, url, appAddress)
		require.NoError(t, err, "connection %d", i+1)
	}
	_, err := s.dial(t, url, appAddress)
	require.ErrorContains(t, err, "too many connections for role")
	for range exporterConnections {
		_, err = s.dial(t, exporterURL(d), "127.0.0.1")
		require.NoError(t, err)
	}
	assert.Equal(t, "105", s.admin(t, "SELECT count(*) FROM pg_stat_activity WHERE client_addr IS NOT NULL"))
}

// The slow-query log names the statement and tells no value.
func TestPostgresLogsSlowQueries(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	s := startPostgres(t, d)
	app, err := s.dial(t, databaseURL(t, d, App, "auth-service"), appAddress)
	require.NoError(t, err)
	_, err = app.Exec(t.Context(), "SELECT pg_sleep(0.6), $1::text", "a private value")
	require.NoError(t, err)
	_, err = app.Exec(t.Context(), "SELECT $1::int / 0, $2::text", 7331, "a private value")
	require.Error(t, err)
	require.NoError(t, app.Close(context.WithoutCancel(t.Context())))
	log := s.log(t)
	assert.Regexp(t, `duration: \d+\.\d+ ms .*SELECT pg_sleep\(0\.6\), \$1::text`, log)
	assert.Contains(t, log, "division by zero")
	for _, secret := range []string{"private value", "7331", "SCRAM-SHA-256$", d.Secrets.PostgresPassword} {
		assert.NotContains(t, log, secret)
	}
}

// What is reloaded is what a reload takes: nothing in the files beside
// postgresql.conf waits for a start, and a bad file is refused.
func TestPostgresReloads(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	s := startPostgres(t, d)
	url := databaseURL(t, d, App, "auth-service")
	_, err := s.dial(t, url, gatewayAddress)
	require.Error(t, err)
	hba := filepath.Join(s.config, "pg_hba.conf")
	before, err := os.ReadFile(hba)
	require.NoError(t, err)

	write := func(text string) { require.NoError(t, os.WriteFile(hba, []byte(text), 0o600)) }
	write(strings.NewReplacer("app.internal", "gateway.internal", appAddress, gatewayAddress).Replace(string(before)))
	require.NoError(t, s.script(t, "reload.sh"))
	_, err = s.dial(t, url, gatewayAddress)
	require.NoError(t, err, "a changed pg_hba.conf was not taken")
	write("hostssl nonsense\n")
	require.ErrorContains(t, s.script(t, "reload.sh"), "pg_hba.conf: 1|")
	_, err = s.dial(t, url, gatewayAddress)
	require.NoError(t, err, "a refused pg_hba.conf was taken")

	other := testDeployment()
	other.Seed = []byte("the seed of another deployment")
	s.configure(t, other)
	require.NoError(t, s.script(t, "reload.sh"))
	_, err = s.dial(t, databaseURL(t, other, App, "auth-service"), appAddress)
	assert.NoError(t, err, "a changed certificate was not taken")
}

// A new password is one change of configuration: the server is not restarted,
// what is connected stays, and the old password lets in until the services on
// the other hosts have the new one.
func TestPostgresPasswordRotates(t *testing.T) {
	t.Parallel()
	before, after := testDeployment(), testDeployment()
	after.Secrets.PostgresPassword = canary + "another-postgres-password-00"
	after.Secrets.PostgresExporterPassword = canary + "another-exporter-password-00"
	s := startPostgres(t, before)
	oldURL, newURL := databaseURL(t, before, App, "auth-service"), databaseURL(t, after, App, "auth-service")
	pooled, err := s.dial(t, oldURL, appAddress)
	require.NoError(t, err)
	_, err = pooled.Exec(t.Context(), "CREATE TABLE users (id int)")
	require.NoError(t, err)
	_, err = s.dial(t, newURL, appAddress)
	require.Error(t, err, "the new password works before it was released")

	apply := func(d Deployment) {
		t.Helper()
		s.configure(t, d)
		require.NoError(t, s.script(t, "reload.sh"))
	}
	works := func(want bool, url, what string) {
		t.Helper()
		if _, err := s.dial(t, url, appAddress); want {
			assert.NoError(t, err, what)
		} else {
			assert.ErrorContains(t, err, "password authentication failed", what)
		}
	}
	apply(after)
	works(true, newURL, "new password")
	works(true, oldURL, "old password, within its hour")
	works(false, exporterURL(before), "old password of monitoring")
	works(true, exporterURL(after), "new password of monitoring")
	renewed, err := s.dial(t, newURL, appAddress)
	require.NoError(t, err)
	_, err = renewed.Exec(t.Context(), "ALTER TABLE users ADD COLUMN name text")
	require.NoError(t, err, "what the old login made is the new one's too")

	old := s.admin(t, "SELECT rolname FROM pg_roles WHERE rolvaliduntil BETWEEN now() + interval '50 min' AND now() + interval '1 hour'")
	require.Contains(t, oldURL, old, "the old login's hour")
	s.admin(t, "ALTER ROLE "+old+" VALID UNTIL '2020-01-01'")
	works(false, oldURL, "old password, after its hour")
	_, err = pooled.Exec(t.Context(), "SELECT * FROM users")
	require.NoError(t, err, "a connection from before the change")

	apply(before) // a rollback on the host
	works(true, oldURL, "old password, rolled back")
	apply(after)
	s.admin(t, "ALTER ROLE "+old+" VALID UNTIL '2020-01-01'")
	s.stop()
	s.start(t)
	assert.Equal(t, "1", s.admin(t, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'construct_login_%'"), "old logins are not cleared away")
	works(true, newURL, "new password, after a restart")
}

func limitOf(t *testing.T, d Deployment, role Role, service string) int {
	t.Helper()
	r, err := newRenderer(d, role)
	if err != nil {
		t.Fatal(err)
	}
	return r.limits[role][service]
}
