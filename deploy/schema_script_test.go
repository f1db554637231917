package deploy

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	oldImage = "example.com/construct:0.7.0"
	newImage = "example.com/construct:0.8.0"
	schemas  = "srv/construct/schema"
)

// database is a host where PostgreSQL runs, with three migrations applied.
type database struct{ *target }

func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{newTarget(t)}
	require.NoError(t, os.MkdirAll(filepath.Join(d.root, "srv/construct"), 0o755))
	d.fakes(map[string]string{
		"postgres": "id-postgres\n", "tables": "5 1 1000000\n", "migrations": "3 0\n",
		"data": "PGDMP\nrows\nEND\n", "dump-exit": "0", "newer": "4 2026-11-28T03:10:00Z\n",
	})
	d.free(10 << 30)
	return d
}

func (d *database) fakes(files map[string]string) {
	for name, content := range files {
		require.NoError(d.t, os.WriteFile(filepath.Join(d.fake, name), []byte(content), 0o600))
	}
}

// free makes df tell how many bytes the volume has left.
func (d *database) free(n int) {
	require.NoError(d.t, os.WriteFile(filepath.Join(d.fake, "df"), fmt.Appendf(nil, "#!/bin/sh\necho Avail\necho %d\n", n), 0o700)) //nolint:gosec // a program
}

// at is a database whose highest migration is n.
func (d *database) at(n int) { d.fakes(map[string]string{"migrations": fmt.Sprintf("%d 0\n", n)}) }

// schema is construct-schema for the services that migrate, on an image.
func (d *database) schema(command, image string) (out string, code int) {
	scripts, err := filepath.Abs("scripts")
	require.NoError(d.t, err)
	data, err := filepath.Abs("testdata")
	require.NoError(d.t, err)
	args := []string{filepath.Join(scripts, "schema.sh"), command}
	if image != "" {
		args = append(args, "messaging-service="+image, "auth-service="+image)
	}
	cmd := exec.CommandContext(d.t.Context(), "bash", args...)
	cmd.Env = []string{
		"PATH=" + d.fake + ":" + data + "/schema:" + data + "/bin:" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + d.root,
		"CONSTRUCT_WHO=alice", "CONSTRUCT_LIB=" + filepath.Join(scripts, "lib"), "FAKE=" + d.fake,
	}
	var all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &all, &all
	_ = cmd.Run() // the exit code says it
	return all.String(), cmd.ProcessState.ExitCode()
}

// files are the names beside the database, dumps without their time.
func (d *database) files() []string {
	entries, err := os.ReadDir(filepath.Join(d.root, schemas))
	require.NoError(d.t, err)
	var names []string
	for _, e := range entries {
		name := e.Name()
		if at := strings.LastIndex(name, "-"); at > 0 {
			name = name[:at] + ".dump"
		}
		names = append(names, name)
	}
	return names
}

// known lets an image at the database as it is, and finds it healthy at another.
func (d *database) known(image string, migration int) {
	out, code := d.schema("prepare-worker", image)
	require.Zero(d.t, code, out)
	d.at(migration)
	out, code = d.schema("record", image)
	require.Zero(d.t, code, out)
}

func TestSchemaDumpsBeforeWhatMayMigrate(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	out, code := d.schema("prepare-worker", oldImage)
	require.Zero(t, code, out)
	assert.Contains(t, out, "construct-test-db-1: dumped the database as it is at migration 3: "+d.root+"/srv/construct/schema/construct-3-")
	require.Equal(t, []string{"construct-3.dump", "history"}, d.files())
	dump, err := filepath.Glob(filepath.Join(d.root, schemas, "*.dump"))
	require.NoError(t, err)
	info, err := os.Stat(dump[0])
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	content, err := os.ReadFile(dump[0])
	require.NoError(t, err)
	assert.Equal(t, "PGDMP\nrows\nEND\n", string(content))

	// Healthy: from now on it is known to bring nothing.
	out, code = d.schema("record", oldImage)
	require.Zero(t, code, out)
	out, code = d.schema("prepare-worker", oldImage)
	require.Zero(t, code, out)
	assert.Contains(t, out, "these versions have been healthy with migration 3: they migrate nothing, no dump")
	history := d.read(schemas + "/history")
	assert.Contains(t, history, "\talice\tstart\t3\t"+oldImage+"\n")
	assert.Equal(t, 1, strings.Count(history, "\talice\twell\t3\t"+oldImage+"\n"), "once for an image: %s", history)

	// A record is repeated for nothing.
	out, code = d.schema("record", oldImage)
	require.Zero(t, code, out)
	assert.Empty(t, out)
	assert.Equal(t, history, d.read(schemas+"/history"))
	out, code = d.schema("status", "")
	require.Zero(t, code, out)
	assert.Contains(t, out, "database construct, migration 3, tables of 0 MB\n"+history+"dump ")
}

func TestSchemaOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	for name, tables := range map[string]string{"without a table": "0 0 0\n", "with no migration": "1 1 8192\n"} {
		d := newDatabase(t)
		d.fakes(map[string]string{"tables": tables, "migrations": "0 0\n"})
		out, code := d.schema("prepare-worker", oldImage)
		require.Zero(t, code, "%s: %s", name, out)
		assert.Contains(t, out, "construct-test-db-1: the database is empty: nothing to dump")
		assert.Equal(t, []string{"history"}, d.files(), name)
	}
}

func TestSchemaRefusesWhatIsOlder(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.known(oldImage, 3)
	d.known(newImage, 4)
	history, dump := d.read(schemas+"/history"), d.files()
	for _, command := range []string{"check", "prepare-worker"} {
		out, code := d.schema(command, oldImage)
		assert.Equal(t, 3, code, out)
		for _, want := range []string{
			"construct-test-db-1: messaging-service: " + oldImage + " knows migrations up to 3, the database has 4: it would not start (want a version that has migration 4)\n",
			"construct-test-db-1: auth-service: " + oldImage + " knows",
			"migration 4 came 2026-11-28T03:10:00Z with ",
			"; the dump from before it is " + d.root + "/srv/construct/schema/construct-3-",
			`docs/operations.md, "Back past a migration"`,
		} {
			assert.Contains(t, out, want)
		}
	}
	assert.Equal(t, history, d.read(schemas+"/history"))
	assert.Equal(t, dump, d.files(), "nothing was dumped")

	// The newest goes on, and so does what is not known.
	for _, image := range []string{newImage, "example.com/construct:0.8.1"} {
		out, code := d.schema("check", image)
		assert.Zero(t, code, out)
	}
	// After the dump was restored by hand, the older one goes on too.
	d.at(3)
	out, code := d.schema("prepare-worker", oldImage)
	assert.Zero(t, code, out)
	out, code = d.schema("prepare-worker", newImage)
	assert.Zero(t, code, out)
	assert.Contains(t, out, "dumped the database as it is at migration 3", "it would migrate again")
}

// Which version brought a migration is told by who was let at the database last
// before it came, healthy or not.
func TestSchemaNamesWhoMigrated(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.known(oldImage, 3)
	_, code := d.schema("prepare-worker", newImage) // and it is never healthy
	require.Zero(t, code)
	d.at(4)
	d.fakes(map[string]string{"newer": "4 2999-01-01T00:00:00Z\n"})
	out, code := d.schema("check", oldImage)
	assert.Equal(t, 3, code)
	assert.Contains(t, out, "migration 4 came 2999-01-01T00:00:00Z with "+newImage+"; the dump")
}

// One service alone on a newer version migrates for all: they are told.
func TestSchemaRecordTellsOfWhatCouldNotStartAgain(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.known(oldImage, 3)
	d.at(4)
	out, code := d.schema("record", oldImage)
	assert.Zero(t, code, out)
	assert.Contains(t, out, "auth-service runs on with "+oldImage+", which knows migrations up to 3; the database has 4 now: it could not start again")
}

func TestSchemaFailureLeavesNothingThatLooksWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fakes map[string]string
		free  int
		says  string
	}{
		"pg_dump ends half-way":   {map[string]string{"data": "PGDMP\nro", "dump-exit": "1"}, 10 << 30, "no dump, so nothing was started: pg_dump failed after "},
		"the rest is missing":     {map[string]string{"data": "PGDMP\nro"}, 10 << 30, "pg_restore cannot read what it wrote (8 bytes)"},
		"nothing is written":      {map[string]string{"data": ""}, 10 << 30, "pg_restore cannot read what it wrote (0 bytes)"},
		"no room for it":          {nil, 512<<20 + 999_999, "it may take 1 MB, and of the 513 MB that are free at /srv/construct 512 MB are PostgreSQL's (want a larger volume, construct:roles.db.volumeGb"},
		"no room at all":          {map[string]string{"tables": "5 1 0\n"}, 1 << 20, "(want a larger volume"},
		"it outgrows its room":    {map[string]string{"tables": "5 1 100\n", "data": "PGDMP\n" + strings.Repeat("row\n", 100_000) + "END\n"}, 512<<20 + 4096, "with 1 MB written of the 1 MB that it may take"},
		"half a migration":        {map[string]string{"migrations": "3 4\n"}, 10 << 30, "migration 4 is half done, and no version starts on it"},
		"PostgreSQL is down":      {map[string]string{"postgres": ""}, 10 << 30, "PostgreSQL does not run"},
		"PostgreSQL does not say": {map[string]string{"silent": ""}, 10 << 30, "the database construct could not be asked; said above"},
		"no volume":               {map[string]string{"unmounted": ""}, 10 << 30, "the data volume is not mounted at /srv/construct"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t)
			// What a run left that was killed.
			require.NoError(t, os.MkdirAll(filepath.Join(d.root, schemas), 0o700))
			d.write(schemas+"/.new.killed", "PGDMP\n")
			d.fakes(c.fakes)
			d.free(c.free)
			out, code := d.schema("prepare-worker", newImage)
			assert.Equal(t, 1, code)
			assert.Contains(t, out, "construct-test-db-1: ", "the host is named")
			assert.Contains(t, out, c.says)
			assert.Empty(t, slices.DeleteFunc(d.files(), func(name string) bool { return name == ".new.killed" }))
		})
	}
}

// An up that is tried again takes a dump each time: the one from before the
// migration stays.
func TestSchemaKeepsTheLastDumps(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	require.NoError(t, os.MkdirAll(filepath.Join(d.root, schemas), 0o700))
	for day, migration := range []int{2, 3, 3, 4, 4, 4} {
		d.write(fmt.Sprintf("%s/construct-%d-202611%02dT030000Z.dump", schemas, migration, day+1), "PGDMP\nEND\n")
	}
	d.write(schemas+"/mine.dump", "somebody's own")
	d.at(4)
	out, code := d.schema("prepare-worker", newImage)
	require.Zero(t, code, out)
	assert.Equal(t, []string{"construct-3.dump", "construct-4.dump", "construct-4.dump", "construct-4.dump", "history", "mine.dump"}, d.files())
	assert.True(t, d.exists(schemas+"/construct-3-20261103T030000Z.dump"), "the newest of before")
	assert.False(t, d.exists(schemas+"/construct-4-20261104T030000Z.dump"))
}
