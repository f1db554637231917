package stacks

import (
	"strconv"
)

const (
	lokiUID  = 10001 // of its image
	lokiPort = 3100

	// agentUID is nobody else's: logDir is its alone.
	agentUID         = 59200
	agentMetricsPort = 8888
	agentState       = "/var/lib/otelcol"
	agentConfig      = "/etc/otelcol"

	// logDir is where each host keeps hard links to its containers' log files,
	// at <host>/<service>/<inode>.log, and what its journal says of logins
	// (deploy/scripts/logs.sh). Within Docker's directory, since a hard link
	// stays on one file system; nothing of Docker's own is in it.
	logDir   = "/var/lib/docker/construct-logs"
	logMount = "/logs"
	// journalService is the directory of the host's own lines in logDir.
	journalService = "host"
)

// logServices are Loki and an agent on every host.
func logServices() []ServiceSpec {
	specs := []ServiceSpec{loki()}
	for _, role := range Roles(true) {
		specs = append(specs, logAgent(role))
	}
	return specs
}

// loki asks nobody who they are, as Prometheus and the exporters do not: the
// flow matrix says who reaches it.
func loki() ServiceSpec {
	return ServiceSpec{
		Name: "loki", Role: Media, Image: "loki", UID: lokiUID, GID: lokiUID,
		Command: []string{"-config.file=/etc/loki/loki.yml"},
		Port:    lokiPort, Private: []int{lokiPort}, Metrics: "/metrics",
		// The image holds nothing but the program, which can ask itself.
		Health:   []string{"CMD", "/usr/bin/loki", "-health"},
		MemoryMB: 256, MemoryShare: 2, MemoryMaxMB: 2048, PIDs: 256, GraceSec: 60,
		Data:      []DataDir{{Host: DataRoot + "/loki", Mount: "/loki", Mode: 0o750}},
		ConfigDir: "/etc/loki",
		env:       func(r *renderer) []variable { return goMemory(r, "loki") },
	}
}

// logAgent reads the host's log files and sends them to Loki. It has no health
// check: its image holds the one program, which cannot ask another how it is.
// Prometheus does (TargetDown), and LogsNotArriving tells what matters.
func logAgent(role Role) ServiceSpec {
	return ServiceSpec{
		Name: "log-agent", Role: role, Image: "otel-collector", UID: agentUID, GID: agentUID,
		Command: []string{"--config=" + agentConfig + "/agent.yml"},
		Port:    agentMetricsPort, Private: []int{agentMetricsPort}, Metrics: "/metrics",
		NoHealth: true,
		MemoryMB: 128, PIDs: 128, GraceSec: 10,
		Needs: []string{"loki"},
		Data: []DataDir{
			{Host: logDir, Mount: logMount, Mode: 0o750, ReadOnly: true},
			// How far it has read and what waits: a new container goes on from there.
			{Host: "/var/lib/construct/log-agent", Mount: agentState, Mode: 0o700},
		},
		ConfigDir: agentConfig,
		env:       func(r *renderer) []variable { return goMemory(r, "log-agent") },
		files:     agentFiles,
	}
}

// goMemory has a Go program collect its garbage before its limit kills it.
func goMemory(r *renderer, service string) []variable {
	return []variable{{"GOMEMLIMIT", strconv.Itoa(r.limits[r.role][service]*4/5) + "MiB"}}
}

// agentView is what the agent's configuration depends on.
type agentView struct {
	Role                           Role
	Endpoint, Logs, State, Journal string
	MetricsPort                    int
}

func agentFiles(r *renderer) []File {
	v := agentView{
		Role: r.role, Endpoint: "http://" + r.address("loki") + "/otlp", Logs: logMount, State: agentState,
		Journal: journalService, MetricsPort: agentMetricsPort,
	}
	if r.role == Media {
		v.Endpoint = "http://loki:" + strconv.Itoa(lokiPort) + "/otlp" // beside it, on the stack's own network
	}
	content, err := execute("logs/agent.yml.tmpl", v)
	if err != nil {
		r.fail(err)
	}
	return []File{{Path: "agent.yml", Mode: 0o444, Content: content}}
}
