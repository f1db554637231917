package digitalocean

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/digitalocean/godo"
	"github.com/google/uuid"
)

// Volumes are of 1 GiB to 16 TiB; a droplet takes at most 15 (limits page).
const (
	maxVolumeGB          = 16384
	maxVolumesPerDroplet = 15
)

var volumeNameRE = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

type volume struct {
	godo.Volume
}

// byID is the volume's name under /dev/disk/by-id on a droplet.
func (v *volume) byID() string { return "scsi-0DO_Volume_" + v.Name }

type volumeCreate struct {
	Region          string   `json:"region"`
	Name            string   `json:"name"`
	Description     string   `json:"description"`
	SizeGigabytes   int64    `json:"size_gigabytes"`
	SnapshotID      string   `json:"snapshot_id"`
	FilesystemType  string   `json:"filesystem_type"`
	FilesystemLabel string   `json:"filesystem_label"`
	Tags            []string `json:"tags"`
}

type volumeBody struct {
	Volume godo.Volume `json:"volume"`
}

type volumesBody struct {
	Volumes []godo.Volume `json:"volumes"`
	listMeta
}

// volume finds a volume. c.mu is held.
func (c *Cloud) volume(id string) *volume {
	i := slices.IndexFunc(c.volumes, func(v *volume) bool { return v.ID == id })
	if i < 0 {
		return nil
	}
	return c.volumes[i]
}

// volumesOf lists the ids of a droplet's volumes. c.mu is held.
func (c *Cloud) volumesOf(dropletID int) []string {
	out := []string{}
	for _, v := range c.volumes {
		if slices.Contains(v.DropletIDs, dropletID) {
			out = append(out, v.ID)
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
	v, err := c.newVolume(in)
	if err == nil {
		c.volumes = append(c.volumes, v)
	}
	c.mu.Unlock()
	if err != nil {
		return reply{}, err
	}
	if err := c.backend.CreateVolume(r.Context(), v.ID, int(v.SizeGigaBytes)); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.volumes = slices.DeleteFunc(c.volumes, func(o *volume) bool { return o == v })
		return reply{}, fmt.Errorf("create volume %q: %w", v.Name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return created(volumeBody{v.Volume})
}

// newVolume validates a request. c.mu is held.
func (c *Cloud) newVolume(in volumeCreate) (*volume, error) {
	region := regionView(in.Region)
	switch {
	case !volumeNameRE.MatchString(in.Name):
		return nil, unprocessable("name must be lowercase alphanumeric characters or dashes, and start with a letter")
	case region == nil:
		return nil, unprocessable("region %q is invalid", in.Region)
	case in.SizeGigabytes < 1 || in.SizeGigabytes > maxVolumeGB:
		return nil, unprocessable("invalid volume size: %d (want 1 to %d)", in.SizeGigabytes, maxVolumeGB)
	case in.SnapshotID != "":
		return nil, unprocessable("snapshot_id is not modelled by the simulator")
	case in.FilesystemType != "" && in.FilesystemType != "ext4" && in.FilesystemType != "xfs":
		return nil, unprocessable("filesystem_type %q is invalid", in.FilesystemType)
	case slices.ContainsFunc(c.volumes, func(v *volume) bool { return v.Name == in.Name && v.Region.Slug == in.Region }):
		return nil, conflict("a volume with that name already exists in this region")
	}
	tags := []string{}
	for _, t := range in.Tags {
		if err := c.addTag(t); err != nil {
			return nil, err
		}
		tags = append(tags, t)
	}
	return &volume{godo.Volume{
		ID: uuid.NewString(), Region: region, Name: in.Name, SizeGigaBytes: in.SizeGigabytes,
		Description: in.Description, DropletIDs: []int{}, CreatedAt: time.Now().UTC().Truncate(time.Second),
		FilesystemType: in.FilesystemType, FilesystemLabel: in.FilesystemLabel, Tags: tags,
	}}, nil
}

func (c *Cloud) listVolumes(r *http.Request) (reply, error) {
	q := r.URL.Query()
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []godo.Volume
	for _, v := range c.volumes {
		if (q.Get("name") == "" || v.Name == q.Get("name")) && (q.Get("region") == "" || v.Region.Slug == q.Get("region")) {
			all = append(all, v.Volume)
		}
	}
	page, meta := paginate(r, all)
	return ok(volumesBody{page, meta})
}

func (c *Cloud) getVolume(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.volume(r.PathValue("id"))
	if v == nil {
		return reply{}, notFound()
	}
	return ok(volumeBody{v.Volume})
}

func (c *Cloud) deleteVolume(r *http.Request) (reply, error) {
	c.mu.Lock()
	v := c.volume(r.PathValue("id"))
	if v == nil {
		c.mu.Unlock()
		return reply{}, notFound()
	}
	if len(v.DropletIDs) > 0 || c.busyKey(v.ID) {
		c.mu.Unlock()
		return reply{}, conflict("A volume that's attached to a Droplet cannot be deleted; detach it first")
	}
	c.volumes = slices.DeleteFunc(c.volumes, func(o *volume) bool { return o == v })
	c.mu.Unlock()
	if err := c.backend.DeleteVolume(c.work.Context(), v.ID); err != nil {
		return reply{}, fmt.Errorf("delete volume %q: %w", v.Name, err)
	}
	return gone()
}
