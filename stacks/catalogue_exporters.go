package stacks

import "strconv"

const (
	nodeExporterPort = 9100
	nodeExporterUID  = 59100
)

// exporterServices exist where somebody reads them: with media only.
func exporterServices(f Features) []ServiceSpec {
	specs := []ServiceSpec{
		postgresExporter(),
		redisExporter(DB, "redis-primary"),
		redisExporter(Message, "redis-replica"),
	}
	for _, role := range Roles(f.Media) {
		specs = append(specs, nodeExporter(role))
	}
	return specs
}

// textfileDir is where the host's own figures are (deploy/scripts/lib/metrics.sh).
const textfileDir = "/var/lib/construct/metrics"

// nodeExporter listens in the host's network, on the private address, since
// its network figures would be the container's otherwise.
func nodeExporter(role Role) ServiceSpec {
	listen := "${CONSTRUCT_PRIVATE_IP}:" + strconv.Itoa(nodeExporterPort)
	// Without /run, where the engine's socket is.
	dirs := []HostDir{{"/", "/host"}}
	if role != Gateway && role != App {
		dirs = append(dirs, HostDir{DataRoot, "/host" + DataRoot})
	}
	return ServiceSpec{
		// A user of its own: it sees the host's processes, and one user's may
		// read each other's environment.
		Name: "node-exporter", Role: role, Image: "node-exporter", UID: nodeExporterUID, GID: nodeExporterUID,
		Command: []string{
			"--path.rootfs=/host", "--web.listen-address=" + listen,
			"--collector.textfile.directory=/host" + textfileDir,
			"--collector.filesystem.mount-points-exclude=^/(boot|dev|proc|run|sys|var/lib/docker|var/lib/containerd)($|/)",
		},
		Port: nodeExporterPort, HostNetwork: true, HostPID: true, Metrics: "/metrics",
		Health:   wgetHealth("http://" + listen + "/"),
		MemoryMB: 32, PIDs: 64, GraceSec: 10,
		HostDirs: dirs,
	}
}

func postgresExporter() ServiceSpec {
	return ServiceSpec{
		Name: "postgres-exporter", Role: DB, Image: "postgres-exporter", UID: nobodyUID, GID: nobodyUID,
		Port: 9187, Private: []int{9187}, Metrics: "/metrics",
		Health:   wgetHealth("http://127.0.0.1:9187/"),
		MemoryMB: 48, PIDs: 64, GraceSec: 10,
		Needs: []string{"postgres"},
		env: func(r *renderer) []variable {
			return []variable{
				{"DATA_SOURCE_PASS", r.d.Secrets.PostgresExporterPassword},
				{"DATA_SOURCE_URI", "postgres:5432/" + postgresDatabase + "?sslmode=disable"},
				{"DATA_SOURCE_USER", postgresExporterUser},
			}
		},
	}
}

// redisExporter reads the Redis beside it. It may not read the configuration,
// which holds the replica's password.
func redisExporter(role Role, target string) ServiceSpec {
	return ServiceSpec{
		Name: "redis-exporter", Role: role, Image: "redis-exporter", UID: 59000, GID: 59000,
		Port: 9121, Private: []int{9121}, Metrics: "/metrics",
		Health:   wgetHealth("http://127.0.0.1:9121/health"),
		MemoryMB: 32, PIDs: 64, GraceSec: 10,
		Needs: []string{target},
		env: func(r *renderer) []variable {
			return []variable{
				{"REDIS_ADDR", "redis://" + target + ":6379"},
				{"REDIS_EXPORTER_CONFIG_COMMAND", "-"},
				{"REDIS_PASSWORD", r.d.Secrets.RedisMonitorPassword},
				{"REDIS_USER", redisMonitorUser},
			}
		},
	}
}
