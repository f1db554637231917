package digitalocean

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/digitalocean/godo"
)

// tagRE is what DigitalOcean accepts as a tag.
var tagRE = regexp.MustCompile(`^[A-Za-z0-9_:-]{1,255}$`)

type tagCreate struct {
	Name string `json:"name"`
}

type tagResources struct {
	Resources []struct {
		ID   string `json:"resource_id"`
		Type string `json:"resource_type"`
	} `json:"resources"`
}

type tagBody struct {
	Tag godo.Tag `json:"tag"`
}

type tagsBody struct {
	Tags []godo.Tag `json:"tags"`
	listMeta
}

// addTag makes sure that a tag exists. c.mu is held.
func (c *Cloud) addTag(name string) error {
	if !tagRE.MatchString(name) {
		return unprocessable("tag %q is invalid: it may contain letters, numbers, colons, dashes, and underscores", name)
	}
	if !slices.Contains(c.tags, name) {
		c.tags = append(c.tags, name)
	}
	return nil
}

func (c *Cloud) createTag(r *http.Request) (reply, error) {
	var in tagCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.addTag(in.Name); err != nil {
		return reply{}, err
	}
	return created(tagBody{c.tagView(in.Name)})
}

// tagView counts what carries a tag. c.mu is held.
func (c *Cloud) tagView(name string) godo.Tag {
	res := &godo.TaggedResources{
		Droplets:        &godo.TaggedDropletsResources{},
		Images:          &godo.TaggedImagesResources{},
		Volumes:         &godo.TaggedVolumesResources{},
		VolumeSnapshots: &godo.TaggedVolumeSnapshotsResources{},
		Databases:       &godo.TaggedDatabasesResources{},
	}
	for _, d := range c.droplets {
		if !d.deleting && slices.Contains(d.tags, name) {
			res.Droplets.Count++
			res.Droplets.LastTaggedURI = "https://api.digitalocean.com/v2/droplets/" + strconv.Itoa(d.id)
		}
	}
	for _, v := range c.volumes {
		if slices.Contains(v.Tags, name) {
			res.Volumes.Count++
		}
	}
	res.Count = res.Droplets.Count + res.Volumes.Count
	return godo.Tag{Name: name, Resources: res}
}

func (c *Cloud) listTags(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []godo.Tag
	for _, name := range c.tags {
		all = append(all, c.tagView(name))
	}
	page, meta := paginate(r, all)
	return ok(tagsBody{page, meta})
}

func (c *Cloud) getTag(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := r.PathValue("name")
	if !slices.Contains(c.tags, name) {
		return reply{}, notFound()
	}
	return ok(tagBody{c.tagView(name)})
}

func (c *Cloud) deleteTag(r *http.Request) (reply, error) {
	name := r.PathValue("name")
	c.mu.Lock()
	if !slices.Contains(c.tags, name) {
		c.mu.Unlock()
		return reply{}, notFound()
	}
	without := func(tags []string) []string {
		return slices.DeleteFunc(slices.Clone(tags), func(t string) bool { return t == name })
	}
	c.tags = without(c.tags)
	for _, d := range c.droplets {
		d.tags = without(d.tags)
	}
	for _, v := range c.volumes {
		v.Tags = without(v.Tags)
	}
	for _, f := range c.firewalls {
		f.Tags = without(f.Tags)
	}
	c.mu.Unlock()
	c.syncFirewalls()
	return gone()
}

// changeTagged adds a tag to resources, or takes it off.
func (c *Cloud) changeTagged(add bool) handler {
	return func(r *http.Request) (reply, error) {
		var in tagResources
		if err := decode(r, &in); err != nil {
			return reply{}, err
		}
		name := r.PathValue("name")
		c.mu.Lock()
		err := c.retag(name, in, add)
		c.mu.Unlock()
		if err != nil {
			return reply{}, err
		}
		c.syncFirewalls()
		return gone()
	}
}

// retag changes the tags of each resource. c.mu is held.
func (c *Cloud) retag(name string, in tagResources, add bool) error {
	if !slices.Contains(c.tags, name) {
		return notFound()
	}
	for _, res := range in.Resources {
		var tags *[]string
		switch res.Type {
		case "droplet":
			if d := c.dropletRef(res.ID); d != nil {
				tags = &d.tags
			}
		case "volume":
			if v := c.volume(res.ID); v != nil {
				tags = &v.Tags
			}
		default:
			return unprocessable("resource_type %q is not modelled by the simulator", res.Type)
		}
		if tags == nil {
			return notFound()
		}
		next := slices.DeleteFunc(slices.Clone(*tags), func(t string) bool { return t == name })
		if add {
			next = append(next, name)
		}
		*tags = next
	}
	return nil
}
