package container

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Programs start from an image's /usr in a volume, which all hosts read, each
// with a layer of its own above: csim-init puts the two together. On a machine
// whose engine mounts images by FUSE, and keeps every host's programs in memory
// once more, hosts boot and start programs noticeably faster by it.
const (
	sharedUsr = "/var/lib/csim/usr"
	ownUsr    = "/var/lib/csim/own"
)

// programs names the volume with the image's /usr. It stays, as the image does.
func (o *Options) programs() string {
	return strings.NewReplacer(":", "-", "/", "-").Replace(o.Image) + "-usr"
}

func (o *Options) usrLayer(hostID string) string { return o.container(hostID) + "-usr" }

// sharePrograms fills the volume where it is new: the engine copies into an empty
// volume what the image has at its mount point. Two processes that did so at once
// would see it half full.
func (b *Backend) sharePrograms(ctx context.Context) error {
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), b.opts.programs()+".lock"), os.O_CREATE|os.O_RDWR, 0o666) //nolint:gosec // every user's simulator waits for it
	if err != nil {
		return fmt.Errorf("share programs: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("share programs: %w", err)
	}
	if _, err := docker(ctx, nil, "volume", "inspect", b.opts.programs()); err == nil || !missing(err) {
		return err
	}
	_, err = docker(ctx, nil, "volume", "create", "--label", labelSim, b.opts.programs())
	if err == nil {
		_, err = docker(ctx, nil, "run", "--rm", "--network", "none", "--volume", b.opts.programs()+":/usr", "--entrypoint", "true", b.opts.Image)
	}
	if err != nil {
		_, _ = docker(context.WithoutCancel(ctx), nil, "volume", "rm", "--force", b.opts.programs())
		return fmt.Errorf("share programs: %w", err)
	}
	return nil
}

// newVolumes makes what a host writes to beside its own file system.
func (b *Backend) newVolumes(ctx context.Context, hostID string) error {
	for _, name := range b.hostVolumes(hostID) {
		if _, err := docker(ctx, nil, append(append([]string{"volume", "create"}, labels(b.opts.Instance)...), name)...); err != nil {
			return err
		}
	}
	return nil
}

func (b *Backend) hostVolumes(hostID string) []string {
	return []string{b.opts.dockerRoot(hostID), b.opts.usrLayer(hostID)}
}
