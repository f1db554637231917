package digitalocean

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/construct-server/infra/sim/host"
	"github.com/digitalocean/godo"
)

// maxUserData is DigitalOcean's limit, in bytes.
const maxUserData = 64 << 10

// ref is an id or a slug or fingerprint, sent as a number or a string.
type ref string

// UnmarshalJSON implements json.Unmarshaler.
func (v *ref) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err == nil {
		*v = ref(n.String())
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("want a number or a string: %w", err)
	}
	*v = ref(s)
	return nil
}

// volumeRef is a volume in a droplet's creation: its id, or {"id": …}.
type volumeRef string

// UnmarshalJSON implements json.Unmarshaler.
func (v *volumeRef) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*v = volumeRef(s)
		return nil
	}
	var o struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return fmt.Errorf("want a volume id: %w", err)
	}
	*v = volumeRef(o.ID)
	return nil
}

type dropletCreate struct {
	Name              string      `json:"name"`
	Region            string      `json:"region"`
	Size              string      `json:"size"`
	Image             ref         `json:"image"`
	SSHKeys           []ref       `json:"ssh_keys"`
	Backups           bool        `json:"backups"`
	IPv6              bool        `json:"ipv6"`
	PrivateNetworking bool        `json:"private_networking"` // always on since VPCs
	Monitoring        bool        `json:"monitoring"`
	UserData          string      `json:"user_data"`
	Volumes           []volumeRef `json:"volumes"`
	Tags              []string    `json:"tags"`
	VPCUUID           string      `json:"vpc_uuid"`
	WithDropletAgent  *bool       `json:"with_droplet_agent"`
	PublicNetworking  *bool       `json:"public_networking"`
}

func (c *Cloud) createDroplet(r *http.Request) (reply, error) {
	var in dropletCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	v, err := c.vpcFor(in)
	if err != nil {
		return reply{}, err
	}
	if err := c.wire(r.Context(), v); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d, vols, err := c.newDroplet(in, v)
	if err != nil {
		return reply{}, err
	}
	c.droplets = append(c.droplets, d)
	spec := host.Spec{
		ID: d.hostID(), Hostname: d.name, UserData: d.userData, AuthorizedKeys: d.keys,
		MemoryMB: d.size.memory, VCPUs: d.size.cpus,
		PublicIPv4: d.public4, PublicIPv6: d.public6,
		NetworkID: v.networkID(), PrivateIPv4: d.private4,
		Firewall: c.effective(d),
	}
	for _, vol := range vols {
		vol.DropletIDs = []int{d.id}
		spec.Volumes = append(spec.Volumes, host.Volume{ID: vol.ID, ByID: vol.byID()})
	}
	d.host.Lock()
	a := c.start(action{kind: "create", resourceType: "droplet", resourceID: d.id, droplet: d.id, region: d.region},
		c.speed.Boot,
		func(ctx context.Context) error {
			defer d.host.Unlock()
			return c.backend.Create(ctx, spec)
		},
		func() { d.built, d.status = true, "active" })
	return reply{http.StatusAccepted, dropletBody{
		Droplet: c.dropletView(d),
		Links: &godo.Links{Actions: []godo.LinkAction{{
			ID: a.id, Rel: "create", HREF: fmt.Sprintf("http://%s/v2/actions/%d", r.Host, a.id),
		}}},
	}}, nil
}

// vpcFor finds the VPC that a droplet asks for, or makes the region's default.
func (c *Cloud) vpcFor(in dropletCreate) (*vpc, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.VPCUUID != "" {
		v := c.vpc(in.VPCUUID)
		if v == nil {
			return nil, unprocessable("VPC %q is invalid", in.VPCUUID)
		}
		if v.RegionSlug != in.Region {
			return nil, unprocessable("VPC is not in the same region as the Droplet")
		}
		return v, nil
	}
	for _, v := range c.vpcs {
		if v.Default && v.RegionSlug == in.Region {
			return v, nil
		}
	}
	if regionView(in.Region) == nil {
		return nil, unprocessable("You specified an invalid region for Droplet creation.")
	}
	return c.newVPC(vpcCreate{Name: "default-" + in.Region, Region: in.Region})
}

// newDroplet validates a request and takes its addresses. c.mu is held.
func (c *Cloud) newDroplet(in dropletCreate, v *vpc) (*droplet, []*volume, error) {
	d := &droplet{
		name: in.Name, region: in.Region, image: imageOf(string(in.Image)), userData: in.UserData,
		ipv6: in.IPv6, backups: in.Backups, monitoring: in.Monitoring,
		status: "new", created: time.Now(), vpc: v,
	}
	var err error
	if d.size, err = checkDroplet(in, d.image); err != nil {
		return nil, nil, err
	}
	var bad []string
	for _, k := range in.SSHKeys {
		key := c.key(string(k))
		if key == nil {
			bad = append(bad, string(k))
			continue
		}
		d.keys = append(d.keys, key.PublicKey)
	}
	if len(bad) > 0 {
		return nil, nil, unprocessable("%s are invalid key identifiers for Droplet creation.", strings.Join(bad, ", "))
	}
	var vols []*volume
	for _, id := range in.Volumes {
		vol := c.volume(string(id))
		if vol == nil || vol.Region.Slug != in.Region {
			return nil, nil, unprocessable("volume %q was not found in region %q", id, in.Region)
		}
		if len(vol.DropletIDs) > 0 {
			return nil, nil, unprocessable("This volume is already attached to droplet %d", vol.DropletIDs[0])
		}
		vols = append(vols, vol)
	}
	for _, t := range in.Tags {
		if err := c.addTag(t); err != nil {
			return nil, nil, err
		}
		if !slices.Contains(d.tags, t) {
			d.tags = append(d.tags, t)
		}
	}
	if d.private4, err = c.nextPrivate(v); err != nil {
		return nil, nil, err
	}
	if d.public4, err = c.backend.NextPublic(); err != nil {
		return nil, nil, fmt.Errorf("take a public address: %w", err)
	}
	d.id = c.id()
	if d.ipv6 {
		d.public6 = c.v6(d.id)
	}
	return d, vols, nil
}

// checkDroplet judges what needs no state, in the API's own order and words.
func checkDroplet(in dropletCreate, image *godo.Image) (plan, error) {
	size, known := sizeOf(in.Size)
	region := regionView(in.Region)
	switch {
	case !nameRE.MatchString(in.Name):
		return plan{}, unprocessable("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")
	case region == nil:
		return plan{}, unprocessable("You specified an invalid region for Droplet creation.")
	case !known:
		return plan{}, unprocessable("You specified an invalid size for Droplet creation.")
	case image == nil:
		return plan{}, unprocessable("You specified an invalid image for Droplet creation.")
	case !region.Available:
		return plan{}, unprocessable("The region %s is not accepting new Droplets.", strconv.Quote(in.Region))
	case !slices.Contains(region.Sizes, in.Size):
		return plan{}, unprocessable("Size is not available in this region.")
	case len(in.UserData) > maxUserData:
		return plan{}, unprocessable("User data is too long (maximum is 64 KiB)")
	case in.PublicNetworking != nil && !*in.PublicNetworking:
		return plan{}, unprocessable("public_networking: false is not modelled by the simulator")
	}
	return size, nil
}
