package stacks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tool finds a program, in the repository's own tools first. Without it the
// test is skipped, and says so.
func tool(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		own, err := filepath.Abs(filepath.Join("..", ".tools", "bin", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(own); err == nil {
			return own
		}
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	t.Skipf("no %s on this machine", strings.Join(names, " or "))
	return ""
}

// configOf unpacks a role's bundle and returns a service's configuration
// directory.
func configOf(t *testing.T, d Deployment, role Role, service string) string {
	t.Helper()
	dir := unpack(t, mustRender(t, d, role))
	found, err := filepath.Glob(filepath.Join(dir, configDir, service+"-????????????"))
	if err != nil || len(found) != 1 {
		t.Fatalf("configuration directories of %s: %v, %v", service, found, err)
	}
	return found[0]
}

// relocate points a file's absolute container paths at the unpacked directory.
func relocate(t *testing.T, file, from, to string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o600); err != nil { // what only its service may read is writable for nobody
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(content), from, to)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
}

func TestCaddyfileIsValid(t *testing.T) {
	t.Parallel()
	caddy := tool(t, "caddy")
	for name, d := range variants() {
		dir := configOf(t, d, Gateway, "caddy")
		file := filepath.Join(dir, "Caddyfile")
		relocate(t, file, "/etc/caddy/current/", dir+"/")
		relocate(t, file, "/data/caddy", t.TempDir())
		t.Log(name)
		env := []string{"CONSTRUCT_PUBLIC_IP=203.0.113.9", "HOME=" + t.TempDir()}
		run(t, env, caddy, "validate", "--config", file, "--adapter", "caddyfile")
		run(t, env, caddy, "fmt", "--diff", file)
	}
}

func TestPrometheusConfigIsValid(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	for _, d := range variants() {
		if !d.Media {
			continue
		}
		dir := configOf(t, d, Media, "prometheus")
		file := filepath.Join(dir, "prometheus.yml")
		relocate(t, file, "/etc/prometheus", dir)
		run(t, nil, promtool, "check", "config", file)
	}
}

func TestAlertmanagerConfigIsValid(t *testing.T) {
	t.Parallel()
	amtool := tool(t, "amtool")
	for _, d := range variants() {
		if d.Media {
			run(t, nil, amtool, "check-config", filepath.Join(configOf(t, d, Media, "alertmanager"), "alertmanager.yml"))
		}
	}
}

func TestBlackboxConfigIsValid(t *testing.T) {
	t.Parallel()
	blackbox := tool(t, "prometheus-blackbox-exporter", "blackbox_exporter")
	for _, d := range variants() {
		if !d.Media {
			continue
		}
		dir := configOf(t, d, Media, "blackbox-exporter")
		file := filepath.Join(dir, "config.yml")
		relocate(t, file, "/etc/blackbox_exporter", dir)
		run(t, nil, blackbox, "--config.check", "--config.file="+file)
	}
}

func TestShellIsClean(t *testing.T) {
	t.Parallel()
	shellcheck := tool(t, "shellcheck")
	for _, role := range []Role{DB, Message} {
		scripts, err := filepath.Glob(filepath.Join(unpack(t, mustRender(t, testDeployment(), role)), configDir, "*", "*.sh"))
		if err != nil || len(scripts) == 0 {
			t.Fatalf("no scripts of %s (%v)", role, err)
		}
		run(t, nil, shellcheck, append([]string{"-S", "style"}, scripts...)...)
	}
	file := filepath.Join(t.TempDir(), "probe.sh")
	script := "#!/bin/bash\n" + httpHealth(8001, "/health")[3] + "\n"
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, nil, shellcheck, "-S", "style", file)
}
