package host

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// dpkgOptions leave out what a server in a test does not read, and the fsync
// after every file.
var dpkgOptions = []string{
	"path-exclude=/usr/share/man/*",
	"path-exclude=/usr/share/doc/*",
	"path-exclude=/usr/share/locale/*",
	"path-include=/usr/share/locale/locale.alias",
	"force-unsafe-io",
}

// commitChanges are the image's settings.
var commitChanges = []string{"ENTRYPOINT [\"/sbin/csim-init\"]", "CMD []", "ENV container=docker"}

// ensureBase returns the image that holds the packages and nothing else.
func ensureBase(ctx context.Context, output io.Writer) (string, error) {
	ref := "csim-host-base:" + baseDigest()
	if exists(ctx, ref) {
		return ref, nil
	}
	if _, err := exec.LookPath("mmdebstrap"); err == nil {
		return ref, bootstrap(ctx, output, ref)
	}
	return ref, fromDebianImage(ctx, output, ref)
}

// bootstrap makes the base with mmdebstrap. As root it uses a chroot, as
// anybody else a user namespace.
func bootstrap(ctx context.Context, output io.Writer, ref string) error {
	args := []string{"--variant=minbase", "--include=" + strings.Join(packages, ","), "--format=tar"}
	for _, option := range dpkgOptions {
		args = append(args, "--dpkgopt="+option)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("bootstrap %s: %w", Suite, err)
	}
	defer func() { _ = reader.Close() }()
	cmd := exec.CommandContext(ctx, "mmdebstrap", append(args, Suite, "-")...)
	var tail tailWriter
	cmd.Stdout, cmd.Stderr = writer, io.MultiWriter(output, &tail)
	err = cmd.Start()
	_ = writer.Close() // the child has its own
	if err != nil {
		return fmt.Errorf("bootstrap %s: %w", Suite, err)
	}
	// Imported under a name of its own: a bootstrap that breaks off must not
	// leave a base behind.
	partial := ref + "-partial"
	imported := command(ctx, output, reader, "docker", "import", "-", partial)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("bootstrap %s: %w: %s", Suite, err, tail.String())
	}
	if imported != nil {
		return imported
	}
	if err := command(ctx, output, nil, "docker", "tag", partial, ref); err != nil {
		return err
	}
	return command(ctx, output, nil, "docker", "rmi", partial)
}

// fromDebianImage makes the base from Docker Hub's debian image.
func fromDebianImage(ctx context.Context, output io.Writer, ref string) error {
	var script strings.Builder
	script.WriteString("set -e\nexport DEBIAN_FRONTEND=noninteractive\n")
	for _, option := range dpkgOptions {
		fmt.Fprintf(&script, "echo '%s' >> /etc/dpkg/dpkg.cfg.d/csim\n", option)
	}
	fmt.Fprintf(&script, "apt-get update\napt-get install -y --no-install-recommends %s\napt-get clean\nrm -rf /var/lib/apt/lists/*\n",
		strings.Join(packages, " "))
	if err := inContainer(ctx, output, "debian:"+Suite+"-slim", ref, nil, []string{"sh", "-c", script.String()}, nil); err != nil {
		return fmt.Errorf("no mmdebstrap (make packages), so from Docker Hub's image: %w", err)
	}
	return nil
}

// customize lays the overlay and the Compose plugin over the base and runs
// overlay/usr/lib/csim/customize.sh in it.
func customize(ctx context.Context, opts Options, base, ref string) error {
	plugin, err := os.ReadFile(opts.ComposePlugin)
	if err != nil {
		return fmt.Errorf("read compose plugin: %w", err)
	}
	archive, err := overlayArchive(plugin)
	if err != nil {
		return err
	}
	return inContainer(ctx, opts.Output, base, ref, archive, []string{"/usr/lib/csim/customize.sh"}, commitChanges)
}

// overlayArchive is a tar of the overlay, scripts executable, and the plugin.
func overlayArchive(plugin []byte) (io.Reader, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	add := func(name string, content []byte) error {
		mode := int64(0o644)
		if bytes.HasPrefix(content, []byte("#!")) || bytes.HasPrefix(content, []byte("\x7fELF")) {
			mode = 0o755
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err := w.Write(content)
		return err
	}
	err := fs.WalkDir(overlay, "overlay", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := overlay.ReadFile(path)
		if err != nil {
			return err
		}
		return add(strings.TrimPrefix(path, "overlay/"), content)
	})
	if err == nil {
		err = add("usr/libexec/docker/cli-plugins/docker-compose", plugin)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("pack overlay: %w", err)
	}
	return &buffer, nil
}

// inContainer runs a command in a container of an image, over which an archive
// (may be nil) was unpacked, and keeps the result as ref.
func inContainer(ctx context.Context, output io.Writer, from, ref string, archive io.Reader, run, changes []string) error {
	name := "csim-build-" + strings.NewReplacer(":", "-").Replace(ref)
	remove := func() error {
		return command(context.WithoutCancel(ctx), io.Discard, nil, "docker", "rm", "--force", "--volumes", name)
	}
	_ = remove() // of a build that was killed; usually there is none
	create := append([]string{"create", "--name", name, "--label", "construct.sim=1", from}, run...)
	if err := command(ctx, output, nil, "docker", create...); err != nil {
		return err
	}
	steps := func() error {
		if archive != nil {
			if err := command(ctx, output, archive, "docker", "cp", "-", name+":/"); err != nil {
				return err
			}
		}
		if err := command(ctx, output, nil, "docker", "start", "--attach", name); err != nil {
			return err
		}
		commit := []string{"commit"}
		for _, change := range changes {
			commit = append(commit, "--change", change)
		}
		return command(ctx, output, nil, "docker", append(commit, name, ref)...)
	}
	err := steps()
	if removed := remove(); err == nil {
		err = removed
	}
	return err
}
