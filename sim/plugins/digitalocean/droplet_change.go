package digitalocean

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
)

// updateDroplet makes every change in place, each by its own action.
func (c *cloud) updateDroplet(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	for _, change := range []func(context.Context, int, provider.Values, provider.Values) error{
		c.resize, c.rename, c.switchBackups, c.enableIPv6,
	} {
		if err := change(ctx, n, old, in); err != nil {
			return nil, err
		}
	}
	if err := c.retag(ctx, id, godo.DropletResourceType, old, in); err != nil {
		return nil, err
	}
	if err := c.moveVolumes(ctx, n, old, in); err != nil {
		return nil, err
	}
	out, err := c.readDroplet(ctx, id, in)
	if out != nil && in.Has("userData") {
		out["userData"] = old.String("userData")
	}
	return out, err
}

// resize powers the droplet off, resizes it and powers it on again; it is
// powered on again also where the resize fails.
func (c *cloud) resize(ctx context.Context, id int, old, in provider.Values) error {
	if foldCase(old.String("size"), in.String("size")) {
		return nil
	}
	_, _, err := c.DropletActions.PowerOff(ctx, id)
	if err != nil && !strings.Contains(err.Error(), "Droplet is already powered off") {
		return fmt.Errorf("power off droplet %d: %w", id, err)
	}
	if err := c.waitDroplet(ctx, id, actionLimit, "to be off", never, isStatus("off")); err != nil {
		return err
	}
	a, _, err := c.DropletActions.Resize(ctx, id, in.String("size"), in.Bool("resizeDisk"))
	if err != nil {
		err = fmt.Errorf("resize droplet %d to %q: %w", id, in.String("size"), err)
	} else {
		err = c.finish(ctx, fmt.Sprintf("droplet %d to be resized", id), a)
	}
	return errors.Join(err, c.powerOn(ctx, id))
}

func (c *cloud) powerOn(ctx context.Context, id int) error {
	if _, _, err := c.DropletActions.PowerOn(ctx, id); err != nil {
		return fmt.Errorf("power on droplet %d: %w", id, err)
	}
	return c.waitDroplet(ctx, id, actionLimit, "to become active", never, isStatus("active"))
}

func (c *cloud) rename(ctx context.Context, id int, old, in provider.Values) error {
	name := in.String("name")
	if old.String("name") == name {
		return nil
	}
	if _, _, err := c.DropletActions.Rename(ctx, id, name); err != nil {
		return fmt.Errorf("rename droplet %d: %w", id, err)
	}
	return c.waitDroplet(ctx, id, actionLimit, "to be renamed", never,
		func(d *godo.Droplet) bool { return d.Name == name })
}

func (c *cloud) switchBackups(ctx context.Context, id int, old, in provider.Values) error {
	if old.Bool("backups") == in.Bool("backups") {
		return nil
	}
	set := c.DropletActions.DisableBackups
	if in.Bool("backups") {
		set = c.DropletActions.EnableBackups
	}
	a, _, err := set(ctx, id)
	if err != nil {
		return fmt.Errorf("switch backups of droplet %d: %w", id, err)
	}
	return c.finish(ctx, fmt.Sprintf("backups of droplet %d", id), a)
}

func (c *cloud) enableIPv6(ctx context.Context, id int, old, in provider.Values) error {
	if old.Bool("ipv6") || !in.Bool("ipv6") {
		return nil
	}
	if _, _, err := c.DropletActions.EnableIPv6(ctx, id); err != nil {
		return fmt.Errorf("enable IPv6 of droplet %d: %w", id, err)
	}
	return c.waitDroplet(ctx, id, actionLimit, "to have IPv6", never,
		func(d *godo.Droplet) bool { return slices.Contains(d.Features, "ipv6") })
}

// moveVolumes attaches and detaches what volumeIds gained and lost. Where the
// program does not set it, volumes are none of the droplet's business.
func (c *cloud) moveVolumes(ctx context.Context, id int, old, in provider.Values) error {
	if !in.Has("volumeIds") {
		return nil
	}
	had, want := old.Strings("volumeIds"), in.Strings("volumeIds")
	for _, v := range want {
		if !slices.Contains(had, v) {
			if err := c.attach(ctx, v, id); err != nil {
				return err
			}
		}
	}
	for _, v := range had {
		if !slices.Contains(want, v) {
			if err := c.detach(ctx, v, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteDroplet detaches the volumes first, as the official provider does, and
// waits until the API knows the droplet no more.
func (c *cloud) deleteDroplet(ctx context.Context, id string, state provider.Values) error {
	n, err := number(id)
	if err != nil {
		return err
	}
	d, _, err := c.Droplets.Get(ctx, n)
	if err != nil {
		return gone(err)
	}
	if d.Locked {
		always := func(*godo.Droplet) bool { return true }
		if err := c.waitDroplet(ctx, n, destroyLimit, "to be unlocked", never, always); err != nil {
			return err
		}
	}
	if state.Bool("gracefulShutdown") {
		if _, _, err := c.DropletActions.Shutdown(ctx, n); err != nil {
			return fmt.Errorf("shut down droplet %d: %w", n, err)
		}
		if err := c.waitDroplet(ctx, n, destroyLimit, "to be off", never, isStatus("off")); err != nil {
			return err
		}
	}
	for _, v := range d.VolumeIDs {
		if !slices.Contains(state.Strings("volumeIds"), v) {
			continue
		}
		if err := c.detach(ctx, v, n); err != nil {
			return err
		}
	}
	if _, err := c.Droplets.Delete(ctx, n); err != nil {
		return gone(err)
	}
	return provider.Wait(ctx, c.poll, destroyLimit, fmt.Sprintf("droplet %d to be destroyed", n), func() (bool, error) {
		_, _, err := c.Droplets.Get(ctx, n)
		if status(err) == http.StatusNotFound {
			return true, nil
		}
		return false, err
	})
}
