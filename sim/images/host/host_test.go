package host

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestOverlayArchive(t *testing.T) {
	t.Parallel()
	archive, err := overlayArchive([]byte("\x7fELF plugin"))
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]int64{}
	for r := tar.NewReader(archive); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		modes[header.Name] = header.Mode
	}
	for name, want := range map[string]int64{
		"usr/sbin/csim-init":                            0o755,
		"usr/lib/csim/customize.sh":                     0o755,
		"etc/systemd/system-generators/csim-fstab":      0o755,
		"etc/cloud/cloud.cfg.d/90_csim.cfg":             0o644,
		"usr/libexec/docker/cli-plugins/docker-compose": 0o755,
	} {
		if modes[name] != want {
			t.Errorf("%s: mode %o, want %o", name, modes[name], want)
		}
	}
}

// TestRecipeDigest: another plugin is another image.
func TestRecipeDigest(t *testing.T) {
	t.Parallel()
	plugin := filepath.Join(t.TempDir(), "docker-compose")
	digest := func(content string) string {
		if err := os.WriteFile(plugin, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
		digest, err := recipeDigest(plugin)
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	one := digest("one")
	if again := digest("one"); again != one {
		t.Errorf("the same recipe gave %s and %s", one, again)
	}
	if two := digest("two"); two == one {
		t.Error("another plugin gave the same digest")
	}
	if _, err := recipeDigest(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "compose plugin") {
		t.Errorf("a missing plugin: %v", err)
	}
}

func TestShell(t *testing.T) {
	t.Parallel()
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("shellcheck is not installed")
	}
	args := []string{"overlay/usr/sbin/csim-init", "overlay/etc/systemd/system-generators/csim-fstab"}
	more, err := filepath.Glob("overlay/usr/lib/csim/*")
	if err != nil || len(more) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	if out, err := exec.Command(shellcheck, append(args, more...)...).CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
}
