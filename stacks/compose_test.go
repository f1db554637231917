package stacks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// unpack writes a bundle's release directory as the host would have it.
func unpack(t *testing.T, b Bundle) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range b.Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// parse loads a bundle's compose.yaml as the deploy script does.
func parse(t *testing.T, b Bundle, env map[string]string) (*types.Project, error) {
	t.Helper()
	dir := unpack(t, b)
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml")}},
		Environment: env,
	})
}

func hostEnv() map[string]string {
	return map[string]string{"CONSTRUCT_PRIVATE_IP": "10.20.0.9", "CONSTRUCT_PUBLIC_IP": "203.0.113.9", "CONSTRUCT_MTU": "1450"}
}

func mustParse(t *testing.T, b Bundle) *types.Project {
	t.Helper()
	p, err := parse(t, b, hostEnv())
	if err != nil {
		t.Fatalf("%s: %v", b.Role, err)
	}
	return p
}

func TestComposeOfEveryRole(t *testing.T) {
	t.Parallel()
	for name, d := range variants() {
		for _, role := range Roles(d.Media) {
			t.Run(name+"/"+string(role), func(t *testing.T) {
				t.Parallel()
				b := mustRender(t, d, role)
				p := mustParse(t, b)
				if p.Name != "construct" {
					t.Errorf("project %q", p.Name)
				}
				if len(p.Services) != len(b.Services) {
					t.Errorf("%d services in compose.yaml, %d in the bundle", len(p.Services), len(b.Services))
				}
				for _, want := range b.Services {
					checkService(t, p, want)
				}
				if mtu := p.Networks["default"].DriverOpts["com.docker.network.driver.mtu"]; mtu != "1450" {
					t.Errorf("containers' MTU %q is not the host's", mtu)
				}
			})
		}
	}
}

func checkService(t *testing.T, p *types.Project, want Service) {
	t.Helper()
	s, err := p.GetService(want.Name)
	if err != nil {
		t.Fatal(err)
	}
	if s.Image != want.Image {
		t.Errorf("%s: image %q, bundle says %q", s.Name, s.Image, want.Image)
	}
	// The agent's image has nothing to check it with; Prometheus does.
	if none := s.Name == "log-agent"; (s.HealthCheck == nil || len(s.HealthCheck.Test) < 2) != none {
		t.Errorf("%s: no health check", s.Name)
	}
	if s.MemLimit <= 0 || s.PidsLimit <= 0 || s.StopGracePeriod == nil || s.Restart != "unless-stopped" {
		t.Errorf("%s: unbounded: memory %d, pids %d, grace %v, restart %q", s.Name, s.MemLimit, s.PidsLimit, s.StopGracePeriod, s.Restart)
	}
	if s.Logging == nil || s.Logging.Options["max-size"] == "" {
		t.Errorf("%s: logs are not rotated", s.Name)
	}
	if s.Pid == "" && (s.Init == nil || !*s.Init) {
		t.Errorf("%s: no init process, so an ignored SIGTERM would wait out the grace", s.Name)
	}
	for _, port := range s.Ports {
		public := port.Published == "80" || port.Published == "443"
		if public != (port.HostIP == "0.0.0.0") || (!public && port.HostIP != "10.20.0.9") {
			t.Errorf("%s: port %s is published on %q", s.Name, port.Published, port.HostIP)
		}
	}
	for _, v := range s.Volumes {
		if v.Bind == nil || v.Bind.CreateHostPath {
			t.Errorf("%s: a missing %s would become an empty directory", s.Name, v.Source)
		}
	}
	checkConfinement(t, s)
}

// A host that does not know its address must not publish to the world.
func TestComposeNeedsTheHostsAddress(t *testing.T) {
	t.Parallel()
	for _, env := range []map[string]string{{}, {"CONSTRUCT_PRIVATE_IP": "", "CONSTRUCT_PUBLIC_IP": ""}} {
		_, err := parse(t, mustRender(t, testDeployment(), App), env)
		if err == nil || !strings.Contains(err.Error(), "CONSTRUCT_PRIVATE_IP") {
			t.Errorf("with %v: error %v", env, err)
		}
	}
}

// Every environment value arrives as it was given, whatever it holds.
func TestEnvironmentArrives(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	for _, role := range Roles(true) {
		p := mustParse(t, mustRender(t, d, role))
		r, err := newRenderer(d, role)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range r.mine {
			if spec.env == nil {
				continue
			}
			s, err := p.GetService(spec.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range spec.env(r) {
				got := s.Environment[v.key]
				if got == nil || *got != v.value {
					t.Errorf("%s: %s arrives as %v, want %q", spec.Name, v.key, got, v.value)
				}
			}
			for _, v := range spec.Environment {
				if s.Environment[v.Key] == nil || *s.Environment[v.Key] == "" {
					t.Errorf("%s: %s is empty", spec.Name, v.Key)
				}
			}
		}
	}
}
