package digitalocean

import (
	"context"
	"net/http"
)

// dropletAction is the body of every droplet action. Which fields a type reads
// is the API's business; a field of another type is ignored there as here.
type dropletAction struct {
	Type string `json:"type"`
	Size string `json:"size"`
	Disk bool   `json:"disk"`
	Name string `json:"name"`
}

func (c *Cloud) actOnDroplet(r *http.Request) (reply, error) {
	var in dropletAction
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.dropletRef(r.PathValue("id"))
	if d == nil {
		return reply{}, notFound()
	}
	if c.busy(d.id) {
		return reply{}, unprocessable("Droplet already has a pending event.")
	}
	do, then, err := c.dropletChange(d, in)
	if err != nil {
		return reply{}, err
	}
	a := c.start(action{kind: in.Type, resourceType: "droplet", resourceID: d.id, droplet: d.id, region: d.region},
		c.speed.Action, onHost(d, do), then)
	return created(actionBody{c.view(a)})
}

// onHost runs do alone on a droplet's host. A nil do does nothing.
func onHost(d *droplet, do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if do == nil {
			return nil
		}
		d.host.Lock()
		defer d.host.Unlock()
		return do(ctx)
	}
}

// dropletChange is what an action does to the host, and then to the droplet.
// c.mu is held.
func (c *Cloud) dropletChange(d *droplet, in dropletAction) (func(context.Context) error, func(), error) {
	id := d.hostID()
	become := func(status string) func() { return func() { d.status = status } }
	switch in.Type {
	case "shutdown":
		if d.status == "off" {
			return nil, func() {}, nil // already so: the API says success
		}
		return func(ctx context.Context) error { return c.backend.ShutDown(ctx, id) }, become("off"), nil
	case "power_off":
		if d.status == "off" {
			return nil, nil, unprocessable("Droplet is already powered off.")
		}
		return func(ctx context.Context) error { return c.backend.PowerOff(ctx, id) }, become("off"), nil
	case "power_on":
		if d.status == "active" {
			return nil, nil, unprocessable("Droplet is already powered on.")
		}
		return func(ctx context.Context) error { return c.backend.PowerOn(ctx, id) }, become("active"), nil
	case "reboot", "power_cycle":
		if d.status == "off" {
			return nil, nil, unprocessable("Droplet is currently off. Please power it on to run this event.")
		}
		return func(ctx context.Context) error { return c.backend.Reboot(ctx, id) }, become("active"), nil
	case "resize":
		return c.resize(d, in)
	case "rename":
		if !nameRE.MatchString(in.Name) {
			return nil, nil, unprocessable("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")
		}
		return nil, func() { d.name = in.Name }, nil
	case "enable_ipv6":
		return nil, func() { d.ipv6, d.public6 = true, c.v6(d.id) }, nil
	case "enable_backups":
		return nil, func() { d.backups = true }, nil
	case "disable_backups":
		return nil, func() { d.backups = false }, nil
	}
	return nil, nil, &apiError{http.StatusNotImplemented, "not_implemented",
		"the simulator does not model droplet action " + in.Type}
}

// resize changes the plan of a droplet that is off. A disk only ever grows.
func (c *Cloud) resize(d *droplet, in dropletAction) (func(context.Context) error, func(), error) {
	size, known := sizeOf(in.Size)
	switch {
	case !known:
		return nil, nil, unprocessable("You specified an invalid size for Droplet resize.")
	case d.status != "off":
		return nil, nil, unprocessable("Droplet must be powered off before resizing.")
	case size.slug == d.size.slug:
		return nil, nil, unprocessable("This size is not available for this Droplet: it is the current one.")
	case size.disk < d.size.disk:
		return nil, nil, unprocessable("This size is not available because it has a smaller disk.")
	}
	return nil, func() {
		disk := d.size.disk
		d.size = size
		if !in.Disk {
			d.size.disk = disk
		}
	}, nil
}
