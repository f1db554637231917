package hetzner

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

// Volumes are of 10 GB to 10 TB; a server takes at most 16.
const (
	minVolumeGB         = 10
	maxVolumeGB         = 10240
	maxVolumesPerServer = 16
)

type volume struct {
	meta
	size     int
	location schema.Location
	format   *string
	server   *server
}

func (v *volume) hostID() string { return fmt.Sprintf("hz-vol-%d", v.id) }

// byID is the volume's name under /dev/disk/by-id on a server.
func (v *volume) byID() string { return fmt.Sprintf("scsi-0HC_Volume_%d", v.id) }

type volumeCreate struct {
	Name      string            `json:"name"`
	Size      int               `json:"size"`
	Server    *int64            `json:"server"`
	Location  *schema.IDOrName  `json:"location"`
	Labels    map[string]string `json:"labels"`
	Automount *bool             `json:"automount"`
	Format    *string           `json:"format"`
}

type volumeAttach struct {
	Server    int64 `json:"server"`
	Automount *bool `json:"automount"`
}

type volumeResize struct {
	Size int `json:"size"`
}

func (v *volume) view() schema.Volume {
	out := schema.Volume{
		ID: v.id, Name: v.name, Status: "available", Location: v.location, Size: v.size, Format: v.format,
		Protection: schema.VolumeProtection{Delete: v.protected}, Labels: v.labels, Created: v.created,
		LinuxDevice: "/dev/disk/by-id/" + v.byID(),
	}
	if v.server != nil {
		out.Server = &v.server.id
	}
	return out
}

// volumesOf lists the ids of a server's volumes. c.mu is held.
func (c *Cloud) volumesOf(s *server) []int64 {
	out := []int64{}
	for _, v := range c.volumes {
		if v.server == s {
			out = append(out, v.id)
		}
	}
	return out
}

func (c *Cloud) createVolume(r *http.Request) (reply, error) {
	var in volumeCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	v, s, err := c.newVolume(in)
	if err == nil {
		c.volumes = append(c.volumes, v)
	}
	c.mu.Unlock()
	if err != nil {
		return reply{}, err
	}
	if err := c.backend.CreateVolume(r.Context(), v.hostID(), v.size); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.volumes = slices.DeleteFunc(c.volumes, func(o *volume) bool { return o == v })
		return reply{}, fmt.Errorf("create volume %q: %w", v.name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next := []schema.Action{}
	if s != nil {
		next = append(next, c.startAttach(v, s))
	}
	a := c.done("create_volume", ref("volume", v.id))
	return created(schema.VolumeCreateResponse{Volume: v.view(), Action: &a, NextActions: next})
}

// newVolume validates a request. c.mu is held.
func (c *Cloud) newVolume(in volumeCreate) (*volume, *server, error) {
	var s *server
	var at *schema.Location
	if in.Location != nil {
		at = location(text(*in.Location))
	}
	if in.Server != nil {
		var found bool
		if s, found = byID(c.live(), *in.Server); !found {
			return nil, nil, notFound("server", *in.Server)
		}
		at = &s.location
	}
	switch {
	case at == nil:
		return nil, nil, invalid("location", "must name a location, or server a server")
	case in.Size < minVolumeGB || in.Size > maxVolumeGB:
		return nil, nil, invalid("size", "must be %d to %d", minVolumeGB, maxVolumeGB)
	case in.Format != nil && *in.Format != "ext4" && *in.Format != "xfs":
		return nil, nil, invalid("format", "must be ext4 or xfs")
	case in.Automount != nil && *in.Automount:
		return nil, nil, invalid("automount", "is not modelled by the simulator")
	}
	m, err := newMeta(c, c.volumes, "volume", in.Name, in.Labels)
	if err != nil {
		return nil, nil, err
	}
	return &volume{meta: m, size: in.Size, location: *at, format: in.Format}, s, nil
}

// volumeInPath finds the idle volume that a request names. c.mu is held.
func (c *Cloud) volumeInPath(r *http.Request) (*volume, error) {
	v, err := inPath(r, c.volumes, "volume")
	if err == nil && c.busy("volume", v.id) {
		err = locked("volume")
	}
	return v, err
}

func (c *Cloud) attachVolume(r *http.Request) (reply, error) {
	var in volumeAttach
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.volumeInPath(r)
	if err != nil {
		return reply{}, err
	}
	s, found := byID(c.live(), in.Server)
	switch {
	case !found:
		return reply{}, notFound("server", in.Server)
	case in.Automount != nil && *in.Automount:
		return reply{}, invalid("automount", "is not modelled by the simulator")
	case v.server != nil:
		return reply{}, fail(http.StatusConflict, "volume_already_attached", "volume is already attached to a server, detach first")
	case v.location.Name != s.location.Name:
		return reply{}, invalid("server", "volume and server are not in the same location")
	case c.busy("server", s.id):
		return reply{}, locked("server")
	case len(c.volumesOf(s)) >= maxVolumesPerServer:
		return reply{}, fail(http.StatusForbidden, "resource_limit_exceeded", "a server takes at most %d volumes", maxVolumesPerServer)
	}
	return acted(c.startAttach(v, s))
}

func (c *Cloud) startAttach(v *volume, s *server) schema.Action {
	return c.start("attach_volume", c.speed.Action,
		s.onHost(func(ctx context.Context) error { return c.backend.AttachVolume(ctx, v.hostID(), s.hostID(), v.byID()) }),
		func() { v.server = s }, ref("volume", v.id), ref("server", s.id))
}

func (c *Cloud) detachVolume(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.volumeInPath(r)
	if err != nil {
		return reply{}, err
	}
	s := v.server
	switch {
	case s == nil:
		return reply{}, invalid("server", "volume is not attached to a server")
	case c.busy("server", s.id):
		return reply{}, locked("server")
	}
	return acted(c.start("detach_volume", c.speed.Action,
		s.onHost(func(ctx context.Context) error { return c.backend.DetachVolume(ctx, v.hostID(), s.hostID()) }),
		func() { v.server = nil }, ref("volume", v.id), ref("server", s.id)))
}

func (c *Cloud) resizeVolume(r *http.Request) (reply, error) {
	var in volumeResize
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.volumeInPath(r)
	if err != nil {
		return reply{}, err
	}
	if in.Size <= v.size || in.Size > maxVolumeGB {
		return reply{}, invalid("size", "must be more than %d, at most %d", v.size, maxVolumeGB)
	}
	return acted(c.start("resize_volume", c.speed.Action,
		func(ctx context.Context) error { return c.backend.ResizeVolume(ctx, v.hostID(), in.Size) },
		func() { v.size = in.Size }, ref("volume", v.id)))
}

func (c *Cloud) protectVolume(r *http.Request) (reply, error) {
	return changeProtection(c, r, "volume", func() []*volume { return c.volumes })
}

func (c *Cloud) deleteVolume(r *http.Request) (reply, error) {
	c.mu.Lock()
	v, err := c.volumeInPath(r)
	switch {
	case err != nil:
	case v.protected:
		err = protected("volume")
	case v.server != nil:
		err = inUse("volume with ID '%d' is still attached to a server", v.id)
	}
	if err != nil {
		c.mu.Unlock()
		return reply{}, err
	}
	c.volumes = slices.DeleteFunc(c.volumes, func(o *volume) bool { return o == v })
	c.mu.Unlock()
	if err := c.backend.DeleteVolume(c.work.Context(), v.hostID()); err != nil {
		return reply{}, fmt.Errorf("delete volume %q: %w", v.name, err)
	}
	return gone()
}
