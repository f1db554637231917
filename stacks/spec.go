package stacks

import (
	"slices"
	"strings"
)

// ConstructImage is the catalogue's name for the release's own image, which
// holds every Construct service; the command chooses one.
const ConstructImage = "construct"

// ServiceSpec declares one service. Everything that must agree about a service
// (Compose file, environment, scrape targets, gateway URLs, probes, flows) is
// derived from here.
type ServiceSpec struct {
	Name       string   // Compose service name
	Role       Role     // where it runs
	Image      string   // catalogue image name, or ConstructImage
	Program    string   // of ConstructImage, as release.overrides names it; "": Name
	Entrypoint []string // nil keeps the image's
	Command    []string // nil keeps the image's
	UID, GID   int      // user in the container and owner of its files; never root
	CapAdd     []string // capabilities that may be had; all others are dropped

	Port    int    // main listener inside the container; 0: none
	Private []int  // TCP ports published on the private address
	Public  []Port // ports published on every address
	// Sysctls are kernel settings of its own network namespace.
	Sysctls     map[string]string
	HostNetwork bool     // listens in the host's own network namespace
	HostPID     bool     // sees the host's processes
	Aliases     []string // further names on the stack's own network

	HealthPath string   // HTTP path on Port that answers 200; "": no HTTP probe from outside
	Health     []string // Compose health check, run inside the container
	NoHealth   bool     // nothing in its image could check it: up is healthy
	Metrics    string   // HTTP path of the metrics; "": none
	MetricPort int      // 0: Port

	// Rolling services are replaced without a gap: the next container starts
	// beside the running one, and takes over when it is healthy. What listens
	// on a port is reached through its host's HAProxy, which drains the old one.
	Rolling bool
	// StandIn services have the host's ports themselves, so that no two can run.
	// While one is made anew, a stand-in of the new version has its connections.
	StandIn  bool
	DrainSec int // longest time for what is under way to end; 0 for what has no Port

	MemoryMB    int    // least memory it is given
	MemoryShare int    // weight in what the host has left after every least
	MemoryMaxMB int    // bound of the share; 0: none
	PIDs        int    // bound on processes and threads
	GraceSec    int    // time between stop signal and kill
	StopSignal  string // "" is the image's, else SIGTERM

	// Pool is the most PostgreSQL connections that it holds open; 0: none. The
	// server's budget and its list of clients follow from it.
	Pool int
	// Migrates says that it brings the database's schema to its own version
	// when it starts, and refuses to start on a newer one (facts 1a).
	Migrates bool
	After    []string // services of the same role that must be healthy first
	Needs    []string // services that it dials, on any role
	Data     []DataDir
	// HostNames says that it asks for hosts' names alone. The host's resolver
	// answers it directly: Docker's own, which knows the neighbours' names too, is
	// away while the engine restarts.
	HostNames bool
	// HostDirs are directories of the host that it may read, each without what
	// is mounted below.
	HostDirs []HostDir
	// Tmpfs are the directories beside /tmp and Data that it writes to, with
	// their options: its root file system is read-only. Gone with the container.
	Tmpfs []string
	// Environment is for values that only the host knows; all others are in
	// the environment file, each key in one of the two.
	Environment []HostVariable
	// ConfigDir is where its configuration directory appears; "": it has none.
	ConfigDir string
	// Reload is a command that, run in the container, makes the service take a
	// changed configuration: no new container then, and the configuration is
	// what the link "current" in ConfigDir points at. nil: a changed
	// configuration is a new container. No word holds a space.
	Reload []string
	// Started names the configuration files that a start alone reads: a change
	// of one is a new container in spite of Reload.
	Started []string
	// ConfigSubDirs are parts of it that must appear elsewhere as well: name
	// in the directory → path in the container.
	ConfigSubDirs map[string]string
	ShmMB         int // size of /dev/shm; 0: Docker's default

	args   func(*renderer) []string   // added to Command
	health func(*renderer) []string   // instead of Health
	env    func(*renderer) []variable // environment file
	files  func(*renderer) []File     // further configuration files, Path relative to ConfigDir
}

// Port is a public port.
type Port struct {
	Number   int
	Protocol string // tcp or udp
}

// DataDir is a directory that outlives its containers.
type DataDir struct {
	Host  string // below DataRoot; else on the server's own disk, and lost with it
	Mount string // path in the container
	Mode  uint32
	// ReadOnly is for what the host writes there.
	ReadOnly bool
}

// HostDir is a directory of the host, as a container sees it.
type HostDir struct{ Host, Mount string }

// HostVariable is an environment variable whose value refers to
// ${CONSTRUCT_PRIVATE_IP} or ${CONSTRUCT_PUBLIC_IP}.
type HostVariable struct{ Key, Value string }

// DataRoot is where a role's data volume is mounted on its host.
const DataRoot = "/srv/construct"

// Stateful tells whether the service keeps data on the volume.
func (s ServiceSpec) Stateful() bool { return slices.ContainsFunc(s.Data, DataDir.onVolume) }

func (d DataDir) onVolume() bool { return strings.HasPrefix(d.Host, DataRoot+"/") }

// variable is one line of an environment file.
type variable struct{ key, value string }
