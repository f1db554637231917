package repaircmd

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/digitalocean/godo"
	"golang.org/x/oauth2"
)

const (
	pageSize = 200
	// waitLimit bounds the wait for a droplet, and waitStep is how often it is
	// looked for.
	waitLimit, waitStep = 5 * time.Minute, time.Second
)

type digitalOcean struct {
	client  *godo.Client
	address string // the operator's word for which reserved IP is ours
}

func newDigitalOcean(ctx context.Context, token, endpoint, address string) (*digitalOcean, error) {
	var options []godo.ClientOpt
	if endpoint != "" {
		options = append(options, godo.SetBaseURL(endpoint))
	}
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
	client, err := godo.New(oauth2.NewClient(ctx, source), options...)
	if err != nil {
		return nil, fmt.Errorf("speak to DigitalOcean: %w", err)
	}
	return &digitalOcean{client, address}, nil
}

func (d *digitalOcean) find(ctx context.Context, s step) (*found, error) {
	switch s.kind() {
	case "Vpc":
		return first(ctx, d.client.VPCs.List, func(v *godo.VPC) bool { return v.Name == s.Inputs.text("name") }, func(v *godo.VPC) string { return v.ID })
	case "SshKey":
		same := func(k godo.Key) bool {
			return k.Name == s.Inputs.text("name") && strings.TrimSpace(k.PublicKey) == strings.TrimSpace(s.Inputs.text("publicKey"))
		}
		return first(ctx, d.client.Keys.List, same, func(k godo.Key) string { return strconv.Itoa(k.ID) })
	case "Firewall":
		return first(ctx, d.client.Firewalls.List, func(f godo.Firewall) bool { return f.Name == s.Inputs.text("name") }, func(f godo.Firewall) string { return f.ID })
	case "Project":
		return first(ctx, d.client.Projects.List, func(p godo.Project) bool { return p.Name == s.Inputs.text("name") }, func(p godo.Project) string { return p.ID })
	case "Volume":
		return d.volume(ctx, s)
	case "Droplet":
		return d.droplet(ctx, s)
	case "ReservedIp":
		return d.reservedIP(ctx, s)
	case "Domain":
		return d.domain(ctx, s)
	case "DnsRecord":
		return d.record(ctx, s)
	}
	return nil, nil //nolint:nilnil // tags, assignments and attachments may be made twice
}

// first returns the first that matches in all pages of a list.
func first[T any](ctx context.Context, list func(context.Context, *godo.ListOptions) ([]T, *godo.Response, error), match func(T) bool, id func(T) string) (*found, error) {
	for options := (&godo.ListOptions{Page: 1, PerPage: pageSize}); ; options.Page++ {
		page, answer, err := list(ctx, options)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(page, match); i >= 0 {
			return &found{id: id(page[i])}, nil
		}
		if answer.Links == nil || answer.Links.IsLastPage() {
			return nil, nil //nolint:nilnil // documented on cloud.find
		}
	}
}

func (d *digitalOcean) volume(ctx context.Context, s step) (*found, error) {
	list := func(ctx context.Context, o *godo.ListOptions) ([]godo.Volume, *godo.Response, error) {
		return d.client.Storage.ListVolumes(ctx, &godo.ListVolumeParams{Name: s.Inputs.text("name"), Region: s.Inputs.text("region"), ListOptions: o})
	}
	return first(ctx, list, func(v godo.Volume) bool { return v.Name == s.Inputs.text("name") }, func(v godo.Volume) string { return v.ID })
}

// droplet also asks for the deployment's tag: names are not unique.
func (d *digitalOcean) droplet(ctx context.Context, s step) (*found, error) {
	var server godo.Droplet
	same := func(o godo.Droplet) bool {
		server = o
		return o.Name == s.Inputs.text("name") && slices.Contains(o.Tags, s.Inputs.tag())
	}
	f, err := first(ctx, d.client.Droplets.List, same, func(o godo.Droplet) string { return strconv.Itoa(o.ID) })
	if f == nil || err != nil {
		return nil, err
	}
	return d.disposed(f, server), nil
}

// disposed says what is done about a droplet that the state does not know.
func (d *digitalOcean) disposed(f *found, droplet godo.Droplet) *found {
	if len(droplet.VolumeIDs) > 0 {
		f.leave = holdsVolume
		return f
	}
	f.loses, f.remove = noVolume, func(ctx context.Context) error {
		if _, err := d.client.Droplets.Delete(ctx, droplet.ID); err != nil {
			return err
		}
		return d.await(ctx, droplet.ID, "")
	}
	return f
}

// holdsVolume is why a server is left alone.
const holdsVolume = "it holds a volume; if nothing on it is wanted, detach that and delete the server in the console"

// await waits until a droplet has a status, or is gone.
func (d *digitalOcean) await(ctx context.Context, id int, status string) error {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	for {
		droplet, answer, err := d.client.Droplets.Get(ctx, id)
		switch {
		case answer != nil && answer.StatusCode == http.StatusNotFound && status == "":
			return nil
		case err != nil:
			return err
		case droplet.Status == status:
			return nil
		}
		select {
		case <-time.After(waitStep):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *digitalOcean) stopped(ctx context.Context, id string) (func(context.Context) error, error) {
	number, err := strconv.Atoi(id)
	if err != nil {
		return nil, fmt.Errorf("read the id: %w", err)
	}
	droplet, answer, err := d.client.Droplets.Get(ctx, number)
	if answer != nil && answer.StatusCode == http.StatusNotFound {
		return nil, nil //nolint:nilnil // it is gone: a refresh notices
	}
	if err != nil || droplet.Status != "off" {
		return nil, err
	}
	return func(ctx context.Context) error {
		if _, _, err := d.client.DropletActions.PowerOn(ctx, number); err != nil {
			return err
		}
		return d.await(ctx, number, "active")
	}, nil
}
