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

// pageSize is the API's largest page.
const pageSize = 200

func (c *cloud) project() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":        {Type: provider.String, Required: true, AutoName: 255},
			"description": {Type: provider.String},
			"purpose":     {Type: provider.String, Default: "Web Application"},
			"environment": {Type: provider.String, Same: foldCase},
			"isDefault":   {Type: provider.Bool, Default: false},
			"resources":   {Type: provider.ListOf(provider.String), Computed: true, Set: true},
		},
		Outputs: map[string]provider.Type{
			"ownerUuid": provider.String, "ownerId": provider.Int,
			"createdAt": provider.String, "updatedAt": provider.String,
		},
		Create: c.createProject, Read: c.readProject,
		Update: func(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
			_, _, err := c.Projects.Update(ctx, id, &godo.UpdateProjectRequest{
				Name: in.String("name"), Description: in.String("description"), Purpose: in.String("purpose"),
				Environment: in.String("environment"), IsDefault: in.Bool("isDefault"),
			})
			if err != nil {
				return nil, fmt.Errorf("update project: %w", err)
			}
			if in.Has("resources") {
				if err := c.moveResources(ctx, id, old.Strings("resources"), in.Strings("resources")); err != nil {
					return nil, err
				}
			}
			return c.readProject(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, state provider.Values) error {
			if err := c.moveResources(ctx, id, state.Strings("resources"), nil); err != nil {
				return err
			}
			// Moving is asynchronous; a project is deleted only when empty.
			full := func(err error) bool { return status(err) == http.StatusPreconditionFailed }
			return provider.Retry(ctx, c.poll, projectLimit, full, func() error {
				_, err := c.Projects.Delete(ctx, id)
				return gone(err)
			})
		},
	}
}

func (c *cloud) createProject(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	p, _, err := c.Projects.Create(ctx, &godo.CreateProjectRequest{
		Name: in.String("name"), Description: in.String("description"),
		Purpose: in.String("purpose"), Environment: in.String("environment"),
	})
	if err != nil {
		return "", nil, fmt.Errorf("create project: %w", err)
	}
	if urns := in.Strings("resources"); len(urns) > 0 {
		if err := c.assignResources(ctx, p.ID, urns); err != nil {
			_, derr := c.Projects.Delete(ctx, p.ID)
			return "", nil, errors.Join(err, derr)
		}
	}
	if in.Bool("isDefault") {
		_, _, err := c.Projects.Update(ctx, p.ID, &godo.UpdateProjectRequest{
			Name: p.Name, Description: p.Description, Purpose: p.Purpose, Environment: p.Environment, IsDefault: true,
		})
		if err != nil {
			return p.ID, nil, fmt.Errorf("make project the default: %w", err)
		}
	}
	out, err := c.readProject(ctx, p.ID, in)
	return p.ID, out, err
}

func (c *cloud) readProject(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	p, _, err := c.Projects.Get(ctx, id)
	if err != nil {
		return nil, found(err)
	}
	urns, err := c.projectURNs(ctx, id)
	if err != nil {
		return nil, err
	}
	return provider.Output{
		"name": p.Name, "purpose": strings.TrimPrefix(p.Purpose, "Other: "), "description": p.Description,
		"environment": p.Environment, "isDefault": p.IsDefault, "ownerUuid": p.OwnerUUID, "ownerId": int(p.OwnerID),
		"createdAt": p.CreatedAt, "updatedAt": p.UpdatedAt, "resources": urns,
	}, nil
}

func (c *cloud) projectURNs(ctx context.Context, id string) ([]string, error) {
	urns := []string{}
	for opt := (&godo.ListOptions{Page: 1, PerPage: pageSize}); ; opt.Page++ {
		page, resp, err := c.Projects.ListResources(ctx, id, opt)
		if err != nil {
			return nil, fmt.Errorf("list resources of project: %w", err)
		}
		for _, r := range page {
			urns = append(urns, r.URN)
		}
		if resp.Links == nil || resp.Links.IsLastPage() {
			return urns, nil
		}
	}
}

func (c *cloud) assignResources(ctx context.Context, id string, urns []string) error {
	list := make([]any, 0, len(urns))
	for _, u := range urns {
		list = append(list, u)
	}
	if _, _, err := c.Projects.AssignResources(ctx, id, list...); err != nil {
		return fmt.Errorf("assign resources to project %q: %w", id, err)
	}
	return nil
}

// moveResources brings a project's resources from had to want. What leaves
// goes to the default project, as the API cannot leave it without one.
func (c *cloud) moveResources(ctx context.Context, id string, had, want []string) error {
	leave := slices.DeleteFunc(slices.Clone(had), func(u string) bool { return slices.Contains(want, u) })
	enter := slices.DeleteFunc(slices.Clone(want), func(u string) bool { return slices.Contains(had, u) })
	if len(leave) > 0 {
		d, _, err := c.Projects.GetDefault(ctx)
		if err != nil {
			return fmt.Errorf("find default project: %w", err)
		}
		if err := c.assignResources(ctx, d.ID, leave); err != nil {
			return err
		}
	}
	if len(enter) > 0 {
		return c.assignResources(ctx, id, enter)
	}
	return nil
}

func (c *cloud) projectResources() *provider.Resource {
	read := func(ctx context.Context, id string, state provider.Values) (provider.Output, error) {
		if _, _, err := c.Projects.Get(ctx, id); err != nil {
			return nil, found(err)
		}
		have, err := c.projectURNs(ctx, id)
		if err != nil {
			return nil, err
		}
		ours := []string{}
		for _, u := range state.Strings("resources") {
			if slices.Contains(have, u) {
				ours = append(ours, u)
			}
		}
		return provider.Output{"project": id, "resources": ours}, nil
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"project":   {Type: provider.String, Required: true, ForceNew: true},
			"resources": {Type: provider.ListOf(provider.String), Required: true, Set: true},
		},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			id := in.String("project")
			if err := c.moveResources(ctx, id, nil, in.Strings("resources")); err != nil {
				return "", nil, err
			}
			out, err := read(ctx, id, in)
			return id, out, err
		},
		Read: read,
		Update: func(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
			if err := c.moveResources(ctx, id, old.Strings("resources"), in.Strings("resources")); err != nil {
				return nil, err
			}
			return read(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, state provider.Values) error {
			if _, _, err := c.Projects.Get(ctx, id); err != nil {
				return gone(err)
			}
			return c.moveResources(ctx, id, state.Strings("resources"), nil)
		},
	}
}
