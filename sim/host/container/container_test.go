package container_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/sim/host/container"
	"github.com/construct-server/infra/sim/host/hosttest"
	imagehost "github.com/construct-server/infra/sim/images/host"
)

// The test's own ranges (RFC 2544), so that it runs beside a simulator.
const (
	instance      = "hosttest"
	publicPrefix  = "198.18.77.0/24"
	privatePrefix = "198.19.77.0/24"
)

// hostImage skips the test where container hosts cannot run.
func hostImage(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("container hosts take minutes; -short was given")
	}
	if out, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		t.Skipf("no Docker engine: %v: %s", err, out)
	}
	plugin, err := filepath.Abs("../../../.tools/bin/docker-compose")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(plugin); err != nil {
		t.Skipf("the Compose plugin was not built (make tools): %v", err)
	}
	ref, err := imagehost.Ensure(t.Context(), imagehost.Options{ComposePlugin: plugin, Output: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestContainerHosts boots two hosts once, since that takes the time.
func TestContainerHosts(t *testing.T) {
	b, err := container.New(t.Context(), container.Options{
		Image: hostImage(t), Instance: instance, Prefix: netip.MustParsePrefix(publicPrefix), SSHPort: 22,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	f := hosttest.NewFleet(t, b, 22, netip.MustParsePrefix(privatePrefix), 3*time.Minute)
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
		leftNothing(t)
	})
	hosttest.Contract(t, f)
	if t.Failed() {
		return
	}
	one := f.Await(t, f.SSH(publicOf(t, "one")))
	t.Run("first boot is over without errors", func(t *testing.T) { firstBoot(t, one) })
	t.Run("own reboot", func(t *testing.T) { ownReboot(t, f) })
	one = f.Await(t, f.SSH(publicOf(t, "one")))
	t.Run("nested docker", func(t *testing.T) { nestedDocker(t, one) })
	t.Run("firewall", func(t *testing.T) { firewall(t, f, one) })
	t.Run("volume", func(t *testing.T) { volume(t, f, one) })
}

// TestBootTime boots five hosts at once, as a deployment does.
func TestBootTime(t *testing.T) {
	if os.Getenv("CSIM_BENCH") == "" {
		t.Skip("a measurement, not a test: set CSIM_BENCH=1")
	}
	b, err := container.New(t.Context(), container.Options{
		Image: hostImage(t), Instance: instance, Prefix: netip.MustParsePrefix(publicPrefix),
	})
	if err != nil {
		t.Fatal(err)
	}
	f := hosttest.NewFleet(t, b, 22, netip.MustParsePrefix(privatePrefix), 5*time.Minute)
	start := time.Now()
	t.Run("hosts", func(t *testing.T) {
		for n := range 5 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				addr := f.Boot(t, "host-"+string(rune('a'+n)), 11+n, nil)
				created := time.Since(start)
				client := f.Await(t, addr)
				answered := time.Since(start)
				run(t, client, "cloud-init status --wait; sudo docker info")
				t.Logf("created %v, sshd %v, ready %v", created, answered, time.Since(start))
			})
		}
	})
	t.Logf("five hosts ready after %v", time.Since(start))
}

func nestedDocker(t *testing.T, one *ssh.Client) {
	if out, err := hosttest.Run(t, one, `sudo docker import --change 'ENTRYPOINT ["/hello"]' - hello:1`, helloImage(t)); err != nil {
		t.Fatalf("load image: %v %s", err, out)
	}
	run(t, one, "sudo docker run -d --name hello --restart always -p 8080:8080 -p 8081:8080 hello:1")
	if got := run(t, one, "curl -fsS --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:8080"); got != "hello\n" {
		t.Errorf("from the host itself: %q", got)
	}
}

func volume(t *testing.T, f *hosttest.Fleet, one *ssh.Client) {
	ctx := t.Context()
	const device = "/dev/disk/by-id/scsi-0HC_Volume_7"
	if err := errors.Join(f.CreateVolume(ctx, "7", 1), f.AttachVolume(ctx, "7", "one", "scsi-0HC_Volume_7")); err != nil {
		t.Fatal(err)
	}
	run(t, one, "sudo mkfs.ext4 -q "+device+" && sudo mkdir -p /srv/construct && echo '"+device+
		" /srv/construct ext4 defaults,nofail 0 2' | sudo tee -a /etc/fstab && sudo mount /srv/construct && sudo touch /srv/construct/kept")
	if err := f.ResizeVolume(ctx, "7", 2); err != nil {
		t.Fatal(err)
	}
	// Offline: growing a mounted ext4 takes CAP_SYS_RESOURCE, which not every
	// machine has to give.
	run(t, one, "sudo umount /srv/construct && sudo e2fsck -fp "+device+" && sudo resize2fs "+device+" && sudo mount /srv/construct")
	if err := f.DetachVolume(ctx, "7", "one"); err == nil {
		t.Error("a mounted volume was detached")
	}
	if err := f.Reboot(ctx, "one"); err != nil {
		t.Fatal(err)
	}
	one = f.Await(t, f.SSH(publicOf(t, "one")))
	run(t, one, "cloud-init status --wait")
	got := run(t, one, "findmnt -no FSTYPE,SIZE /srv/construct; ls /srv/construct; curl -fsS --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:8080")
	for _, want := range []string{"ext4", " 1.9G", "kept", "hello"} {
		if !strings.Contains(got, want) {
			t.Errorf("after the reboot: %q, want %q in it", got, want)
		}
	}
}

// publicOf asks the engine, not the backend, for a host's address.
func publicOf(t *testing.T, id string) netip.Addr {
	t.Helper()
	out, err := exec.Command("docker", "inspect", "--format",
		`{{(index .NetworkSettings.Networks "csim-`+instance+`-internet").IPAddress}}`, "csim-"+instance+"-"+id).Output()
	if err != nil {
		t.Fatal(err)
	}
	return netip.MustParseAddr(strings.TrimSpace(string(out)))
}

func run(t *testing.T, client *ssh.Client, command string) string {
	t.Helper()
	out, err := hosttest.Run(t, client, command, "")
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	return out
}

// helloImage is a file system with nothing but testdata/hello.
func helloImage(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "hello")
	build := exec.Command("go", "build", "-o", binary, "./testdata/hello")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build hello: %v: %s", err, out)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "hello", Mode: 0o755, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.String()
}

// leftNothing checks the machine after Close.
func leftNothing(t *testing.T) {
	t.Helper()
	for _, args := range [][]string{{"ps", "--all", "--quiet"}, {"network", "ls", "--quiet"}, {"volume", "ls", "--quiet"}} {
		out, err := exec.Command("docker", append(args, "--filter", "label=construct.sim.instance="+instance)...).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("left over: docker %v: %s %v", args, out, err)
		}
	}
	loops, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	for _, loop := range loops {
		if file, err := os.ReadFile(loop); err == nil && strings.Contains(string(file), "csim-"+instance+"-") {
			t.Errorf("left over: %s is %s", loop, file)
		}
	}
}
