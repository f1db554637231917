package e2e

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
)

// schema comes after an update that has migrated the database. There is a dump
// from before it, which can be restored; the way back to the version before is
// refused, with the reason and before anything is touched, by up and by construct
// rollback; and back on the configuration of what runs, an up goes well.
func (d *deployment) schema(t *testing.T, former lab.Settings) {
	before, after := d.dump(t, "3"), d.query(t, "construct", "SELECT max(version) FROM _sqlx_migrations")
	require.Equal(t, "4", after, "the new version has migrated")
	d.restores(t, before)

	present, started := d.Settings, d.starts(t)
	require.NoError(t, d.Configure(t.Context(), former))
	refused := []string{upFails(t.Context(), t, d.Stack)}
	require.NoError(t, d.Configure(t.Context(), present))
	out, code := construct(t, d.Lab, "rollback", "app")
	assert.Equal(t, 3, code, "construct rollback past a migration: %s", out)
	for _, said := range append(refused, out) {
		for _, want := range []string{
			d.servers["db"].Name, "auth-service", "construct-server:0.7.0 knows migrations up to 3, the database has 4",
			"migration 4 came 20", "construct-server:0.8.0; the dump from before it is " + before, "Back past a migration",
		} {
			assert.Contains(t, said, want)
		}
	}
	assert.Equal(t, started, d.starts(t), "a refused rollback has restarted something")
	assert.Equal(t, "0.8.0", d.version(t, "/api/v1/users/profile"))
	up(t, d.Lab) // the refused one has fetched images, no more
	assert.Equal(t, started, d.starts(t), "back on what runs, an up has restarted something")
	assert.Equal(t, before, d.dump(t, "3"), "what migrates nothing needs no dump")
}

// dump is the newest dump of the database at a migration, for root only.
func (d *deployment) dump(t *testing.T, migration string) string {
	t.Helper()
	out := d.on(t, "db", "sudo sh -c 'stat -c \"%n %a %U %s\" /srv/construct/schema/construct-"+migration+"-*.dump | sort | tail -n 1; ls -A /srv/construct/schema'")
	line, names, _ := strings.Cut(out, "\n")
	fields := strings.Fields(line)
	require.Len(t, fields, 4, "%s", out)
	assert.Equal(t, []string{"600", "root"}, fields[1:3], "%s", line)
	assert.NotContains(t, names, ".new.", "a dump that is not whole was left")
	return fields[0]
}

// restores brings a dump back into a database of its own in the same server, as
// docs/operations.md has it, finds the users in it at the version before, and
// drops it.
func (d *deployment) restores(t *testing.T, dump string) {
	t.Helper()
	const server, scratch = "sudo docker exec construct-postgres-1 ", "restored"
	d.on(t, "db", server+"createdb --username postgres --owner construct "+scratch)
	d.on(t, "db", "sudo sh -c 'docker exec --interactive construct-postgres-1 pg_restore --username postgres --exit-on-error --dbname "+scratch+" <"+dump+"'")
	assert.Equal(t, "3", d.query(t, scratch, "SELECT max(version) FROM _sqlx_migrations"))
	assert.Equal(t, d.user.ID, d.query(t, scratch, "SELECT id FROM users WHERE username = 'alice'"), "no row of the user in %s", path.Base(dump))
	d.on(t, "db", server+"dropdb --username postgres "+scratch)
}

// query is the answer of one row and column.
func (d *deployment) query(t *testing.T, database, sql string) string {
	t.Helper()
	return strings.TrimSpace(d.on(t, "db", "sudo docker exec construct-postgres-1 psql -U postgres -d "+database+" -Atc \""+sql+"\""))
}
