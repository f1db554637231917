package stacks

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMemorySettings(t *testing.T) {
	t.Parallel()
	const connections = 98
	for limit, want := range map[int]postgresMemory{
		512:   {SharedBuffers: 128, EffectiveCache: 320, WorkMem: 1, MaintenanceWorkMem: 32, WALSize: 512},
		1008:  {SharedBuffers: 252, EffectiveCache: 630, WorkMem: 2, MaintenanceWorkMem: 63, WALSize: 1008},
		5000:  {SharedBuffers: 1250, EffectiveCache: 3125, WorkMem: 12, MaintenanceWorkMem: 312, WALSize: 4096},
		32768: {SharedBuffers: 8192, EffectiveCache: 20480, WorkMem: 83, MaintenanceWorkMem: 1024, WALSize: 4096},
	} {
		got := newPostgresMemory(limit, connections)
		if got != want {
			t.Errorf("PostgreSQL on %d MB: %+v, want %+v", limit, got, want)
		}
		if got.SharedBuffers+got.WorkMem*connections+4*got.MaintenanceWorkMem > limit {
			t.Errorf("PostgreSQL on %d MB: %+v does not fit", limit, got)
		}
	}
	for _, c := range []struct{ primary, replica, want int }{{600, 600, 360}, {600, 200, 160}, {8000, 400, 320}} {
		if got := redisMaxMemory(c.primary, c.replica); got != c.want {
			t.Errorf("Redis on %d and %d MB: %d, want %d", c.primary, c.replica, got, c.want)
		}
	}
	for _, c := range []struct{ limit, memory, cores int }{{1184, 1024, 1}, {2500, 2340, 1}, {5000, 4840, 2}, {20000, 19840, 2}} {
		if memory, cores := redpandaMemory(c.limit); memory != c.memory || cores != c.cores || memory < cores*1024 {
			t.Errorf("Redpanda on %d MB: %d MB and %d cores, want %d and %d", c.limit, memory, cores, c.memory, c.cores)
		}
	}
}

func TestTooSmallAServerIsRefused(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.Memory[Message] = 1024
	if _, err := Render(d, Message); err == nil || !strings.Contains(err.Error(), "want at least 2048 MB") {
		t.Errorf("error %v", err)
	}
}

// everySize is every size of server that the clouds rent, and all between, in MB.
func everySize(role Role, f Features) []int {
	var sizes []int
	for mb := MinimumMemoryMB(role, f); mb <= 64<<10; mb += 256 {
		sizes = append(sizes, mb)
	}
	return sizes
}

// On every size, with every feature, what the containers may take together
// leaves the host its share, of memory and of processes, and what each service
// is told to use fits into what it may take.
func TestEverySizeHoldsItsServices(t *testing.T) {
	t.Parallel()
	for _, f := range everyFeature() {
		for _, role := range Roles(f.Media) {
			for _, total := range everySize(role, f) {
				specs := Services(role, f)
				limits, err := memoryLimits(Services(role, f.planned()), total)
				require.NoError(t, err, "%+v: %s on %d MB", f, role, total)
				memory, pids := 0, 0
				for _, s := range specs {
					memory, pids = memory+limits[s.Name], pids+s.PIDs
					assert.GreaterOrEqual(t, limits[s.Name], s.MemoryMB, "%s on %d MB", s.Name, total)
				}
				assert.LessOrEqual(t, memory, total-hostReserveMB(total), "%+v: memory of %s on %d MB", f, role, total)
				assert.LessOrEqual(t, pids, hostPIDs(total), "%+v: processes of %s on %d MB", f, role, total)
				checkSettings(t, f, limits)
			}
		}
	}
}

// checkSettings holds every data store's settings against its limit.
func checkSettings(t *testing.T, f Features, limits map[string]int) {
	t.Helper()
	if limit, ok := limits["postgres"]; ok {
		all, err := Catalogue(LineS, f.planned())
		require.NoError(t, err)
		connections := connectionsOf(all)
		m := newPostgresMemory(limit, connections.Total)
		// Three autovacuum workers and an index build.
		assert.LessOrEqual(t, m.SharedBuffers+connections.Total*m.WorkMem+4*m.MaintenanceWorkMem, limit, "PostgreSQL in %d MB", limit)
		assert.Less(t, connections.Total+64, postgres().PIDs, "a process for every connection")
	}
	if limit, ok := limits["redis-primary"]; ok {
		// A fork may copy two pages of three while the append-only file is rewritten.
		assert.LessOrEqual(t, redisMaxMemory(limit, limit)*5/3, limit, "Redis in %d MB", limit)
	}
	if limit, ok := limits["redpanda"]; ok && !f.ExternalKafka {
		memory, cores := redpandaMemory(limit)
		assert.LessOrEqual(t, memory+redpandaOverheadMB, limit, "Redpanda in %d MB", limit)
		assert.GreaterOrEqual(t, memory, cores*1024, "Redpanda in %d MB", limit)
	}
}

// The rendered files say what was computed.
func TestLimitsArriveInCompose(t *testing.T) {
	t.Parallel()
	for name, d := range variants() {
		for _, role := range Roles(d.Media) {
			limits, err := memoryLimits(Services(role, d.Features().planned()), d.Memory[role])
			require.NoError(t, err)
			for _, s := range mustParse(t, mustRender(t, d, role)).Services {
				assert.EqualValues(t, limits[s.Name], s.MemLimit>>20, "%s: %s/%s", name, role, s.Name)
			}
		}
	}
}

// What is connected and what has a pool are the same services, and the server
// has a place for each connection.
func TestPoolsAddUp(t *testing.T) {
	t.Parallel()
	for name, d := range variants() {
		var clients []string
		pools := 0
		for service, env := range environments(t, d) {
			spec, ok := find(mustCatalogue(t, d), service)
			require.True(t, ok, service)
			connects := strings.Contains(env["DATABASE_URL"], canary)
			assert.Equal(t, connects, spec.Pool > 0, "%s: pool of %s", name, service)
			assert.True(t, !connects || slices.Contains(spec.Needs, "postgres"), "%s: %s connects and does not say so", name, service)
			if connects {
				pools += spec.Pool
				clients = append(clients, spec.Role.Host())
			}
		}
		r, err := newRenderer(d, DB)
		require.NoError(t, err)
		b := r.connections
		if name != "rotating" {
			pools += servicePool // auth-previous has a place before it comes
		}
		assert.Equal(t, 2*pools, b.Services, name)
		assert.Equal(t, b.Services+b.Exporter+operatorConnections+reservedConnections, b.Total, name)
		slices.Sort(clients)
		var admitted []string
		for _, f := range Flows(d.Features()) {
			if f.Service == "postgres" {
				admitted = append(admitted, f.From.Host())
			}
		}
		assert.Equal(t, slices.Compact(clients), admitted, "%s: the firewall's clients of PostgreSQL", name)
		assert.Equal(t, admitted, r.databaseClients(), "%s: pg_hba.conf's clients", name)
	}
}

func mustCatalogue(t *testing.T, d Deployment) []ServiceSpec {
	t.Helper()
	all, err := Catalogue(LineS, d.Features())
	require.NoError(t, err)
	return all
}

// A stop waits for the longest request but uploads: a poll of a minute.
func TestGraceOutlastsALongPoll(t *testing.T) {
	t.Parallel()
	const longPollSec = 60
	for _, s := range mustCatalogue(t, testDeployment()) {
		if s.Image == ConstructImage {
			assert.Greater(t, s.GraceSec, longPollSec, s.Name)
			assert.Greater(t, s.GraceSec, gatewayTimeoutSec, "%s: the gateway waits longer than the service has", s.Name)
		}
	}
}
