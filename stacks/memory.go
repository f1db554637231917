package stacks

import "fmt"

// MinimumMemoryMB is the smallest server of a role on which its services fit,
// in MB as the clouds sell it. Beside a broker there is no room left for an
// agent in 2 GB.
func MinimumMemoryMB(role Role, f Features) int {
	switch {
	case role == Gateway:
		return 1024
	case role == Message && f.Logs && !f.ExternalKafka:
		return 3072
	}
	return 2048
}

// hostReserveMB is kept from the containers for kernel, Docker, sshd and the
// page cache.
func hostReserveMB(total int) int { return 256 + total/32 }

// planned are the features for which memory and connections are divided: all
// that may join later. Switching monitoring on or off, or changing the token key
// pair, moves no limit, and with it restarts no database and no edge. Room for logs is
// not kept on every server: most will never collect any, and the smallest have
// none (ADR 9).
func (f Features) planned() Features {
	f.Media, f.PreviousJWT = true, true
	return f
}

// hostPIDs is what the kernel admits of processes and threads: an eighth of
// memory for their stacks of 16 KiB (threads-max). A quarter is the host's own.
func hostPIDs(totalMB int) int { return totalMB * 8 * 3 / 4 }

// memoryLimits divides a host's memory: every service gets its least, what is
// left is shared by weight. The limits and the reserve never add up to more
// than the host has.
func memoryLimits(specs []ServiceSpec, totalMB int) (map[string]int, error) {
	left, weight := totalMB-hostReserveMB(totalMB), 0
	for _, s := range specs {
		left -= s.MemoryMB
		weight += s.MemoryShare
	}
	if left < 0 {
		return nil, fmt.Errorf("memory: %d MB are %d MB too few", totalMB, -left)
	}
	limits := make(map[string]int, len(specs))
	for _, s := range specs {
		limit := s.MemoryMB
		if weight > 0 {
			limit += left * s.MemoryShare / weight
		}
		if s.MemoryMaxMB > 0 {
			limit = min(limit, s.MemoryMaxMB)
		}
		limits[s.Name] = limit
	}
	return limits, nil
}

// postgresMemory are the settings that follow from PostgreSQL's memory limit,
// all in MB.
type postgresMemory struct {
	SharedBuffers, EffectiveCache, WorkMem, MaintenanceWorkMem, WALSize int
}

// connectionBudget says who may hold how many PostgreSQL connections.
type connectionBudget struct {
	Services int // the login of the services
	Exporter int // the monitoring login
	Total    int // max_connections
}

const (
	exporterConnections = 5
	// operatorConnections are for people, dumps and what the release does, on
	// top of the three that PostgreSQL keeps for superusers.
	operatorConnections = 10
	reservedConnections = 3
)

// connectionsOf adds up every service's pool, twice: while a service is
// replaced, the server may not yet have noticed that the one before is gone.
func connectionsOf(all []ServiceSpec) connectionBudget {
	b := connectionBudget{Exporter: exporterConnections}
	for _, s := range all {
		b.Services += 2 * s.Pool
	}
	b.Total = b.Services + b.Exporter + operatorConnections + reservedConnections
	return b
}

// newPostgresMemory follows PostgreSQL's manual (20.4: shared_buffers a quarter
// of memory, effective_cache_size what is left for the page cache) and the
// usual pgtune rules for an OLTP server: work_mem so that every connection may
// sort once, maintenance_work_mem a sixteenth.
func newPostgresMemory(limitMB, connections int) postgresMemory {
	shared := limitMB / 4
	return postgresMemory{
		SharedBuffers:      shared,
		EffectiveCache:     limitMB * 5 / 8,
		WorkMem:            max(1, (limitMB-shared)/(connections*3)),
		MaintenanceWorkMem: min(1024, max(16, limitMB/16)),
		WALSize:            min(4096, max(512, limitMB)),
	}
}

// redisMaxMemory leaves the primary room for the copies that a fork makes
// while the AOF is rewritten, and the replica, which holds the same data and
// does not fork, room for its buffers.
func redisMaxMemory(primaryLimitMB, replicaLimitMB int) int {
	return min(primaryLimitMB*60/100, replicaLimitMB*80/100)
}

// redpandaMemory is what --memory gets: Redpanda refuses to start outside
// developer mode with less than 1 GiB per core; the rest of the limit is for
// rpk and the health check.
func redpandaMemory(limitMB int) (memoryMB, cores int) {
	memoryMB = limitMB - redpandaOverheadMB
	cores = min(2, max(1, memoryMB/2048))
	return memoryMB, cores
}

const redpandaOverheadMB = 160
