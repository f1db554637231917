package stacks

import (
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// checkConfinement holds what every container may do to what this file lists.
// TestComposeOfEveryRole calls it for every service of every variant.
func checkConfinement(t *testing.T, s types.ServiceConfig) {
	t.Helper()
	if !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) || s.Privileged || len(s.Devices) > 0 {
		t.Errorf("%s: security options %v, privileged %v, devices %v", s.Name, s.SecurityOpt, s.Privileged, s.Devices)
	}
	if uid, _, _ := strings.Cut(s.User, ":"); uid == "" || uid == "0" || uid == "root" {
		t.Errorf("%s: runs as %q", s.Name, s.User)
	}
	capabilities := map[string][]string{"caddy": {"NET_BIND_SERVICE"}}
	if !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.CapAdd, capabilities[s.Name]) {
		t.Errorf("%s: capabilities %v without %v", s.Name, s.CapAdd, s.CapDrop)
	}
	if !s.ReadOnly || !slices.Contains(s.Tmpfs, scratch) {
		t.Errorf("%s: root file system read-only %v, tmpfs %v", s.Name, s.ReadOnly, s.Tmpfs)
	}
	for _, dir := range s.Tmpfs {
		if !strings.Contains(dir, "size=") {
			t.Errorf("%s: %s may fill the memory", s.Name, dir)
		}
	}
	seesHost := s.Name == "node-exporter"
	if (s.NetworkMode == "host") != seesHost || (s.Pid == "host") != seesHost || s.Ipc != "" || s.UserNSMode != "" {
		t.Errorf("%s: network %q, processes %q, ipc %q, users %q", s.Name, s.NetworkMode, s.Pid, s.Ipc, s.UserNSMode)
	}
	for _, v := range s.Volumes {
		checkMount(t, s.Name, v, seesHost)
	}
}

// checkMount refuses whatever leads to the engine: its socket, and directories
// that the socket is in, unless what is mounted below them is left out.
func checkMount(t *testing.T, service string, v types.ServiceVolumeConfig, seesHost bool) {
	t.Helper()
	own := strings.HasPrefix(v.Source, DataRoot+"/") || strings.HasPrefix(v.Source, "/var/lib/construct/")
	switch {
	case service == "log-agent" && v.Source == logDir && v.ReadOnly: // hard links to log files, and nothing of Docker's
	case v.Source == "/etc/construct/resolv.conf" && v.Target == "/etc/resolv.conf" && v.ReadOnly: // who answers it
	case v.Type != types.VolumeTypeBind || strings.Contains(v.Source, "docker"):
		t.Errorf("%s mounts %s %s", service, v.Type, v.Source)
	case own:
	case !seesHost || !v.ReadOnly || v.Bind == nil || v.Bind.Recursive != "disabled":
		t.Errorf("%s sees %s of the host: %+v", service, v.Source, v.Bind)
	}
}

// Where two services of a host run as one user, neither may see the other's
// processes: one user's may read each other's environment.
func TestWhoSeesProcessesIsAlone(t *testing.T) {
	t.Parallel()
	for _, f := range everyFeature() {
		all, err := Catalogue(LineS, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			for _, other := range all {
				if s.HostPID && other.Name != s.Name && other.UID == s.UID {
					t.Errorf("%s sees %s, which runs as %d as well", s.Name, other.Name, s.UID)
				}
			}
		}
	}
}

// The exporter is shown the data volume where there is one.
func TestNodeExporterSeesTheVolume(t *testing.T) {
	t.Parallel()
	all, err := Catalogue(LineS, Features{Media: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range Roles(true) {
		mine := func(s ServiceSpec) bool { return s.Role == role && s.Stateful() }
		exporter := all[slices.IndexFunc(all, func(s ServiceSpec) bool { return s.Role == role && s.Name == "node-exporter" })]
		sees := slices.ContainsFunc(exporter.HostDirs, func(d HostDir) bool { return d.Host == DataRoot })
		if has := slices.ContainsFunc(all, mine); has != sees {
			t.Errorf("%s has a volume: %v, its exporter sees one: %v", role, has, sees)
		}
	}
}
