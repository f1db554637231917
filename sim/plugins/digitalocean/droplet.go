package digitalocean

import (
	"context"
	"crypto/sha1" //nolint:gosec // the official provider's fingerprint of user data, no protection
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
)

func (c *cloud) droplet() *provider.Resource {
	hashed := func(state, input any) bool {
		text, _ := input.(string)
		return state == userDataHash(text)
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"image":             {Type: provider.String, Required: true, ForceNew: true},
			"name":              {Type: provider.String, Required: true, AutoName: 255},
			"region":            {Type: provider.String, Computed: true, ForceNew: true, Same: foldCase},
			"size":              {Type: provider.String, Required: true, Same: foldCase},
			"backups":           {Type: provider.Bool, Default: false},
			"dropletAgent":      {Type: provider.Bool, ForceNew: true},
			"gracefulShutdown":  {Type: provider.Bool, Default: false},
			"ipv6":              {Type: provider.Bool, Default: false},
			"ipv6Address":       {Type: provider.String, Computed: true},
			"monitoring":        {Type: provider.Bool, Default: false, ForceNew: true},
			"privateNetworking": {Type: provider.Bool, Computed: true},
			"publicNetworking":  {Type: provider.Bool, Computed: true, ForceNew: true},
			"resizeDisk":        {Type: provider.Bool, Default: true},
			"sshKeys":           {Type: provider.ListOf(provider.String), ForceNew: true, Set: true},
			"tags":              tagsProperty(),
			"userData":          {Type: provider.String, ForceNew: true, Same: hashed},
			"volumeIds":         {Type: provider.ListOf(provider.String), Computed: true, Set: true},
			"vpcUuid":           {Type: provider.String, Computed: true, ForceNew: true},
		},
		Outputs: map[string]provider.Type{
			"createdAt": provider.String, "disk": provider.Int, "dropletUrn": provider.String,
			"ipv4Address": provider.String, "ipv4AddressPrivate": provider.String,
			"locked": provider.Bool, "memory": provider.Int, "priceHourly": provider.Number,
			"priceMonthly": provider.Number, "status": provider.String, "vcpus": provider.Int,
		},
		Create: c.createDroplet, Read: c.readDroplet, Update: c.updateDroplet, Delete: c.deleteDroplet,
		// IPv6 can be switched on in place, but never off.
		Replaces: func(state, in provider.Values) []string {
			if state.Bool("ipv6") && !in.Bool("ipv6") {
				return []string{"ipv6"}
			}
			return nil
		},
		Unsettled: func(changed []string, _, in provider.Values) []string {
			if slices.Contains(changed, "ipv6") && in.Bool("ipv6") {
				return []string{"ipv6Address"}
			}
			return nil
		},
	}
}

// userDataHash is what the state holds of user data.
func userDataHash(text string) string {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see import
	return hex.EncodeToString(sum[:])
}

func (c *cloud) createDroplet(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	d, _, err := c.Droplets.Create(ctx, dropletRequest(in))
	if err != nil {
		return "", nil, fmt.Errorf("create droplet: %w", err)
	}
	id := strconv.Itoa(d.ID)
	absent := func(err error) bool { return status(err) == http.StatusNotFound }
	if err := c.waitDroplet(ctx, d.ID, actionLimit, "to become active", absent, isStatus("active")); err != nil {
		return id, nil, err
	}
	out, err := c.readDroplet(ctx, id, in)
	if out != nil && in.Has("userData") {
		out["userData"] = userDataHash(in.String("userData"))
	}
	return id, out, err
}

func dropletRequest(in provider.Values) *godo.DropletCreateRequest {
	req := &godo.DropletCreateRequest{
		Name: in.String("name"), Region: in.String("region"), Size: in.String("size"),
		Tags: in.Strings("tags"), Backups: in.Bool("backups"), IPv6: in.Bool("ipv6"),
		PrivateNetworking: in.Bool("privateNetworking"), Monitoring: in.Bool("monitoring"),
		UserData: in.String("userData"), VPCUUID: in.String("vpcUuid"),
	}
	if n, err := strconv.Atoi(in.String("image")); err == nil {
		req.Image.ID = n
	} else {
		req.Image.Slug = in.String("image")
	}
	for _, key := range in.Strings("sshKeys") {
		if n, err := strconv.Atoi(key); err == nil {
			req.SSHKeys = append(req.SSHKeys, godo.DropletCreateSSHKey{ID: n})
		} else {
			req.SSHKeys = append(req.SSHKeys, godo.DropletCreateSSHKey{Fingerprint: key})
		}
	}
	for _, id := range in.Strings("volumeIds") {
		req.Volumes = append(req.Volumes, godo.DropletCreateVolume{ID: id})
	}
	if in.Has("publicNetworking") && !in.Bool("publicNetworking") {
		req.PublicNetworking = godo.PtrTo(false)
	}
	if in.Has("dropletAgent") {
		req.WithDropletAgent = godo.PtrTo(in.Bool("dropletAgent"))
	}
	return req
}

// readDroplet leaves image, sshKeys, userData and dropletAgent as they are:
// the API does not tell them, or an image slug moves on.
func (c *cloud) readDroplet(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	d, _, err := c.Droplets.Get(ctx, n)
	if err != nil {
		return nil, found(err)
	}
	return described(d), nil
}

// described is what the API tells of a droplet.
func described(d *godo.Droplet) provider.Output {
	public, private := address(d, "public"), address(d, "private")
	out := provider.Output{
		"name": d.Name, "dropletUrn": d.URN(), "disk": d.Disk, "vcpus": d.Vcpus, "memory": d.Memory,
		"status": d.Status, "locked": d.Locked, "createdAt": d.Created, "vpcUuid": d.VPCUUID,
		"ipv4Address": public, "ipv4AddressPrivate": private, "ipv6Address": address6(d),
		"publicNetworking": public != "", "tags": nonNil(d.Tags), "volumeIds": nonNil(d.VolumeIDs),
	}
	if d.Region != nil {
		out["region"] = d.Region.Slug
	}
	if d.Size != nil {
		out["size"], out["priceHourly"], out["priceMonthly"] = d.Size.Slug, d.Size.PriceHourly, d.Size.PriceMonthly
	}
	if d.Features != nil {
		for feature, property := range map[string]string{
			"backups": "backups", "ipv6": "ipv6", "monitoring": "monitoring", "private_networking": "privateNetworking",
		} {
			out[property] = slices.Contains(d.Features, feature)
		}
	}
	return out
}

func address(d *godo.Droplet, kind string) string {
	if d.Networks == nil {
		return ""
	}
	for _, a := range d.Networks.V4 {
		if a.Type == kind {
			return a.IPAddress
		}
	}
	return ""
}

func address6(d *godo.Droplet) string {
	if d.Networks == nil {
		return ""
	}
	for _, a := range d.Networks.V6 {
		if a.Type == "public" {
			return strings.ToLower(a.IPAddress)
		}
	}
	return ""
}

// waitDroplet waits until an unlocked droplet is as wanted. Errors that passing
// accepts are waited over.
func (c *cloud) waitDroplet(ctx context.Context, id int, limit time.Duration, what string,
	passing func(error) bool, wanted func(*godo.Droplet) bool,
) error {
	return provider.Wait(ctx, c.poll, limit, fmt.Sprintf("droplet %d %s", id, what), func() (bool, error) {
		d, _, err := c.Droplets.Get(ctx, id)
		if err != nil && passing(err) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read droplet: %w", err)
		}
		return !d.Locked && wanted(d), nil
	})
}

func isStatus(s string) func(*godo.Droplet) bool {
	return func(d *godo.Droplet) bool { return d.Status == s }
}

func never(error) bool { return false }
