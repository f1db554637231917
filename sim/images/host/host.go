package host

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Suite is the Debian release of the clouds' images.
const Suite = "bookworm"

// packages are those of the clouds' Debian images that a deployment meets,
// Docker, and what the image itself needs (csim-init, the helper container).
var packages = []string{
	"auditd", "ca-certificates", "chrony", "cloud-init", "curl", "dbus", "dnsmasq-base", "docker.io",
	"e2fsprogs", "fail2ban", "gnupg", "iproute2", "iptables", "iputils-arping", "iputils-ping",
	"kmod", "locales", "nftables", "openssh-server", "openssl", "procps", "python3-systemd",
	"sudo", "systemd", "systemd-sysv", "unattended-upgrades", "util-linux",
}

//go:embed all:overlay
var overlay embed.FS

// Options configures Ensure.
type Options struct {
	// ComposePlugin is the path of a statically linked docker-compose, installed
	// as Docker's CLI plugin. Required: no image without it is of use.
	ComposePlugin string
	// Output receives the progress of a build. Default: discarded.
	Output io.Writer
}

// Ensure returns the reference of the host image, building it if the engine
// does not have it: minutes the first time, a fraction of a second after.
func Ensure(ctx context.Context, opts Options) (imageRef string, err error) {
	if opts.Output == nil {
		opts.Output = io.Discard
	}
	digest, err := recipeDigest(opts.ComposePlugin)
	if err != nil {
		return "", fmt.Errorf("build host image: %w", err)
	}
	ref := "csim-host:" + digest
	if exists(ctx, ref) {
		return ref, nil
	}
	base, err := ensureBase(ctx, opts.Output)
	if err != nil {
		return "", fmt.Errorf("build host image: %w", err)
	}
	if err := customize(ctx, opts, base, ref); err != nil {
		return "", fmt.Errorf("build host image: %w", err)
	}
	return ref, nil
}

// recipeDigest covers everything that the image is made of but the packages'
// versions, which are those of the day it was built.
func recipeDigest(composePlugin string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, baseDigest(), commitChanges)
	err := fs.WalkDir(overlay, "overlay", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := overlay.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		return err
	})
	if err != nil {
		return "", err
	}
	plugin, err := os.Open(composePlugin)
	if err != nil {
		return "", fmt.Errorf("read compose plugin: %w", err)
	}
	defer func() { _ = plugin.Close() }()
	if _, err := io.Copy(sum, plugin); err != nil {
		return "", fmt.Errorf("read compose plugin: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

func baseDigest() string {
	sum := sha256.Sum256([]byte(Suite + " " + strings.Join(packages, ",") + " " + strings.Join(dpkgOptions, ",")))
	return hex.EncodeToString(sum[:])[:12]
}

func exists(ctx context.Context, ref string) bool {
	return exec.CommandContext(ctx, "docker", "image", "inspect", ref).Run() == nil
}

// command runs a program with its output shown, and quoted in its error.
func command(ctx context.Context, output io.Writer, stdin io.Reader, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	var tail tailWriter
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, io.MultiWriter(output, &tail), io.MultiWriter(output, &tail)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s %s: %w: %s", name, firstWord(args), errors.Join(err, ctx.Err()), tail.String())
	}
	return nil
}

func firstWord(args []string) string {
	return strings.Join(slices.Clone(args[:min(1, len(args))]), " ")
}

// tailWriter keeps the last bytes written to it.
type tailWriter struct{ kept []byte }

const tailSize = 800

func (w *tailWriter) Write(p []byte) (int, error) {
	w.kept = append(w.kept, p...)
	w.kept = w.kept[max(0, len(w.kept)-tailSize):]
	return len(p), nil
}

func (w *tailWriter) String() string { return strings.TrimSpace(string(w.kept)) }
