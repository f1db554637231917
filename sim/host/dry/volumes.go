package dry

import (
	"context"
	"fmt"
)

// volume is bookkeeping: a dry host has no disks.
type volume struct {
	sizeGB       int
	hostID, byID string
}

// CreateVolume notes a volume.
func (b *Backend) CreateVolume(_ context.Context, id string, sizeGB int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.volumes[id] == nil {
		b.volumes[id] = &volume{sizeGB: sizeGB}
	}
	return nil
}

// ResizeVolume grows a volume; as on the clouds it cannot shrink.
func (b *Backend) ResizeVolume(_ context.Context, id string, sizeGB int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.volumes[id]
	if v == nil {
		return fmt.Errorf("resize volume %q: does not exist", id)
	}
	if sizeGB < v.sizeGB {
		return fmt.Errorf("resize volume %q: %d GB is less than its %d GB", id, sizeGB, v.sizeGB)
	}
	v.sizeGB = sizeGB
	return nil
}

// AttachVolume notes which host has a volume.
func (b *Backend) AttachVolume(_ context.Context, volumeID, hostID, byID string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.attach(volumeID, hostID, byID)
}

func (b *Backend) attach(volumeID, hostID, byID string) error {
	v := b.volumes[volumeID]
	if v == nil {
		return fmt.Errorf("attach volume %q: does not exist", volumeID)
	}
	if _, err := b.find(hostID); err != nil {
		return fmt.Errorf("attach volume %q: %w", volumeID, err)
	}
	if v.hostID != "" && v.hostID != hostID {
		return fmt.Errorf("attach volume %q: host %q has it", volumeID, v.hostID)
	}
	v.hostID, v.byID = hostID, byID
	return nil
}

// DetachVolume notes that a host no longer has a volume.
func (b *Backend) DetachVolume(_ context.Context, volumeID, hostID string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v := b.volumes[volumeID]; v != nil && v.hostID == hostID {
		v.hostID, v.byID = "", ""
	}
	return nil
}

// DeleteVolume forgets a volume; it fails while a host has it.
func (b *Backend) DeleteVolume(_ context.Context, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v := b.volumes[id]; v != nil && v.hostID != "" {
		return fmt.Errorf("delete volume %q: host %q has it", id, v.hostID)
	}
	delete(b.volumes, id)
	return nil
}
