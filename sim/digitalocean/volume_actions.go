package digitalocean

import (
	"context"
	"net/http"
	"slices"
)

type volumeAction struct {
	Type          string `json:"type"`
	DropletID     int    `json:"droplet_id"`
	Region        string `json:"region"`
	SizeGigabytes int    `json:"size_gigabytes"`
}

// busyKey says whether a volume or reserved address has an action in progress.
func (c *Cloud) busyKey(key string) bool {
	for _, a := range c.actions {
		if a.key == key && a.status == "in-progress" {
			return true
		}
	}
	return false
}

func (c *Cloud) actOnVolume(r *http.Request) (reply, error) {
	var in volumeAction
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.volume(r.PathValue("id"))
	if v == nil {
		return reply{}, notFound()
	}
	if in.Region != "" && in.Region != v.Region.Slug {
		return reply{}, unprocessable("volume %q is not in region %q", v.Name, in.Region)
	}
	switch in.Type {
	case "attach":
		return c.attach(v, in)
	case "detach":
		return c.detach(v, in)
	case "resize":
		return c.resizeVolume(v, in)
	}
	return reply{}, unprocessable("action type %q is invalid", in.Type)
}

// startVolume begins an action on a volume. c.mu is held.
func (c *Cloud) startVolume(v *volume, kind string, d *droplet, do func(context.Context) error, then func()) (reply, error) {
	a := action{kind: kind, resourceType: "volume", key: v.ID, region: v.Region.Slug}
	if d != nil {
		a.droplet = d.id
		do = onHost(d, do)
	}
	return reply{http.StatusAccepted, actionBody{c.view(c.start(a, c.speed.Action, do, then))}}, nil
}

func (c *Cloud) attach(v *volume, in volumeAction) (reply, error) {
	d := c.droplet(in.DropletID)
	switch {
	case d == nil:
		return reply{}, notFound()
	case d.region != v.Region.Slug:
		return reply{}, unprocessable("Droplet and volume are not in the same region")
	case len(v.DropletIDs) > 0:
		return reply{}, unprocessable("This volume is already attached")
	case c.busy(d.id) || c.busyKey(v.ID):
		return reply{}, unprocessable("Droplet already has a pending event.")
	case len(c.volumesOf(d.id)) >= maxVolumesPerDroplet:
		return reply{}, unprocessable("cannot attach more volumes to the Droplet")
	}
	return c.startVolume(v, "attach_volume", d,
		func(ctx context.Context) error { return c.backend.AttachVolume(ctx, v.ID, d.hostID(), v.byID()) },
		func() { v.DropletIDs = []int{d.id} })
}

func (c *Cloud) detach(v *volume, in volumeAction) (reply, error) {
	d := c.droplet(in.DropletID)
	switch {
	case d == nil:
		return reply{}, notFound()
	case !slices.Contains(v.DropletIDs, d.id):
		return reply{}, unprocessable("Attachment not found")
	case c.busy(d.id) || c.busyKey(v.ID):
		return reply{}, unprocessable("Droplet already has a pending event.")
	}
	return c.startVolume(v, "detach_volume", d,
		func(ctx context.Context) error { return c.backend.DetachVolume(ctx, v.ID, d.hostID()) },
		func() { v.DropletIDs = []int{} })
}

func (c *Cloud) resizeVolume(v *volume, in volumeAction) (reply, error) {
	size := int64(in.SizeGigabytes)
	if size <= v.SizeGigaBytes || size > maxVolumeGB {
		return reply{}, unprocessable("invalid volume size: %d (a volume only grows, from %d to at most %d)", size, v.SizeGigaBytes, maxVolumeGB)
	}
	return c.startVolume(v, "resize_volume", nil,
		func(ctx context.Context) error { return c.backend.ResizeVolume(ctx, v.ID, in.SizeGigabytes) },
		func() { v.SizeGigaBytes = size })
}
