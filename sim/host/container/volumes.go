package container

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strconv"
)

// volume is a sparse file and the loop device over it.
type volume struct {
	sizeGB int
	disk   disk
	hostID string // "" while detached
}

// disk is how a host sees a volume.
type disk struct {
	byID         string
	device       string
	major, minor int
}

// linkNames are what may stand below /dev/disk/by-id.
var (
	linkNames   = regexp.MustCompile(`^[A-Za-z0-9_.:+-]+$`)
	volumeNames = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

// CreateVolume makes a volume. It takes space as it is written to.
func (b *Backend) CreateVolume(ctx context.Context, id string, sizeGB int) error {
	if !volumeNames.MatchString(id) {
		return fmt.Errorf("create volume %q: want an id of the form %s", id, volumeNames)
	}
	b.mu.Lock()
	_, known := b.volumes[id]
	b.mu.Unlock()
	if known {
		return nil
	}
	const script = `truncate --size "$2G" "$1"
		device=$(losetup --find --show --nooverlap "$1")
		echo "$device" $((0x$(stat -c %t "$device"))) $((0x$(stat -c %T "$device")))`
	out, err := b.helper.run(ctx, script, b.helper.disk(id), strconv.Itoa(sizeGB))
	if err != nil {
		return fmt.Errorf("create volume %q: %w", id, err)
	}
	v := &volume{sizeGB: sizeGB}
	if _, err := fmt.Sscan(out, &v.disk.device, &v.disk.major, &v.disk.minor); err != nil {
		return fmt.Errorf("create volume %q: parse loop device %q: %w", id, out, err)
	}
	b.mu.Lock()
	b.volumes[id] = v
	b.mu.Unlock()
	return nil
}

// ResizeVolume grows the device; the file system on it is the host's business,
// as on the clouds.
func (b *Backend) ResizeVolume(ctx context.Context, id string, sizeGB int) error {
	v, err := b.volume(id)
	if err != nil {
		return fmt.Errorf("resize %w", err)
	}
	if sizeGB < v.sizeGB {
		return fmt.Errorf("resize volume %q: %d GB is less than its %d GB", id, sizeGB, v.sizeGB)
	}
	const script = `truncate --size "$2G" "$1" && losetup --set-capacity "$3"`
	if _, err := b.helper.run(ctx, script, b.helper.disk(id), strconv.Itoa(sizeGB), v.disk.device); err != nil {
		return fmt.Errorf("resize volume %q: %w", id, err)
	}
	b.mu.Lock()
	b.volumes[id].sizeGB = sizeGB
	b.mu.Unlock()
	return nil
}

// AttachVolume makes the device node and its by-id link on a host, now and at
// every later boot.
func (b *Backend) AttachVolume(ctx context.Context, volumeID, hostID, byID string) error {
	return b.change(hostID, "attach volume "+strconv.Quote(volumeID)+" to", func(m *machine) error {
		if err := b.attach(m, volumeID, byID); err != nil {
			return err
		}
		if err := put(ctx, m.name, m.settings(&b.opts)); err != nil || !m.on {
			return err
		}
		d := m.disks[volumeID]
		// A host that boots just now makes the same node.
		const script = `mkdir -p /dev/disk/by-id
			[ -b "$1" ] || mknod -m 0660 "$1" b "$2" "$3" || [ -b "$1" ]
			ln -sfn "$1" "/dev/disk/by-id/$4"`
		_, err := shell(ctx, m.name, script, d.device, strconv.Itoa(d.major), strconv.Itoa(d.minor), byID)
		return err
	})
}

// attach notes that a host has a volume.
func (b *Backend) attach(m *machine, volumeID, byID string) error {
	if !linkNames.MatchString(byID) || path.Base(byID) != byID {
		return fmt.Errorf("attach volume %q: by-id name %q (want %s)", volumeID, byID, linkNames)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.volumes[volumeID]
	if v == nil {
		return fmt.Errorf("attach volume %q: does not exist", volumeID)
	}
	if v.hostID != "" && v.hostID != m.spec.ID {
		return fmt.Errorf("attach volume %q: host %q has it", volumeID, v.hostID)
	}
	v.hostID = m.spec.ID
	d := v.disk
	d.byID = byID
	m.disks[volumeID] = d
	return nil
}

// DetachVolume takes the device away from a host. It fails while the host has
// it mounted, which a cloud would not notice, and the host would.
func (b *Backend) DetachVolume(ctx context.Context, volumeID, hostID string) error {
	return b.change(hostID, "detach volume "+strconv.Quote(volumeID)+" from", func(m *machine) error {
		d, has := m.disks[volumeID]
		if !has {
			return nil
		}
		if m.on {
			const script = `if grep -q "^$1 " /proc/mounts; then echo "is mounted" >&2; exit 1; fi
				rm -f "$1" "/dev/disk/by-id/$2"`
			if _, err := shell(ctx, m.name, script, d.device, d.byID); err != nil {
				return err
			}
		}
		delete(m.disks, volumeID)
		b.mu.Lock()
		if v := b.volumes[volumeID]; v != nil {
			v.hostID = ""
		}
		b.mu.Unlock()
		return put(ctx, m.name, m.settings(&b.opts))
	})
}

// DeleteVolume removes a volume and what is on it; it fails while a host has it.
func (b *Backend) DeleteVolume(ctx context.Context, id string) error {
	v, err := b.volume(id)
	if err != nil {
		return nil //nolint:nilerr // what does not exist is deleted
	}
	if v.hostID != "" {
		return fmt.Errorf("delete volume %q: host %q has it", id, v.hostID)
	}
	if _, err := b.helper.run(ctx, `losetup --detach "$1"; rm -f "$2"`, v.disk.device, b.helper.disk(id)); err != nil {
		return fmt.Errorf("delete volume %q: %w", id, err)
	}
	b.mu.Lock()
	delete(b.volumes, id)
	b.mu.Unlock()
	return nil
}

// volume returns a copy of a volume's state.
func (b *Backend) volume(id string) (volume, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v := b.volumes[id]; v != nil {
		return *v, nil
	}
	return volume{}, fmt.Errorf("volume %q: does not exist", id)
}
