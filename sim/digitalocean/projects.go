package digitalocean

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/digitalocean/godo"
	"github.com/google/uuid"
)

// project holds what was assigned to it, with the time. What is assigned to no
// project belongs to the default one.
type project struct {
	godo.Project
	assigned []godo.ProjectResource
}

type projectEdit struct {
	Name        *string `json:"name"`
	Description *string `json:"description"`
	Purpose     *string `json:"purpose"`
	Environment *string `json:"environment"`
	IsDefault   *bool   `json:"is_default"`
}

type projectBody struct {
	Project godo.Project `json:"project"`
}

type projectsBody struct {
	Projects []godo.Project `json:"projects"`
	listMeta
}

func newProject(name string) *project {
	now := stamp(time.Now())
	return &project{Project: godo.Project{
		ID: uuid.NewString(), OwnerUUID: "99525febec065ca37b2ffe4f852fd2b2581895e7", OwnerID: 2,
		Name: name, CreatedAt: now, UpdatedAt: now,
	}}
}

func newDefaultProject() *project {
	p := newProject("first-project")
	p.IsDefault, p.Purpose = true, "Just trying out DigitalOcean"
	return p
}

// project finds a project; "default" is the default one. c.mu is held.
func (c *Cloud) project(id string) *project {
	i := slices.IndexFunc(c.projects, func(p *project) bool { return p.ID == id || id == "default" && p.IsDefault })
	if i < 0 {
		return nil
	}
	return c.projects[i]
}

func (c *Cloud) createProject(r *http.Request) (reply, error) {
	var in projectEdit
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	if in.Name == nil || *in.Name == "" || in.Purpose == nil || *in.Purpose == "" {
		return reply{}, unprocessable("name and purpose are required")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := newProject("")
	if err := c.editProject(p, in); err != nil {
		return reply{}, err
	}
	c.projects = append(c.projects, p)
	return created(projectBody{p.Project})
}

// editProject applies what a request names. c.mu is held.
func (c *Cloud) editProject(p *project, in projectEdit) error {
	if in.Name != nil {
		if slices.ContainsFunc(c.projects, func(o *project) bool { return o != p && o.Name == *in.Name }) {
			return conflict("name is already in use")
		}
	}
	if in.Environment != nil && *in.Environment != "" {
		if !slices.Contains([]string{"development", "staging", "production"}, strings.ToLower(*in.Environment)) {
			return unprocessable("environment %q is invalid", *in.Environment)
		}
	}
	if in.IsDefault != nil && *in.IsDefault != p.IsDefault {
		if !*in.IsDefault {
			return &apiError{http.StatusForbidden, "forbidden", "a default project cannot be unset: make another one the default"}
		}
		c.project("default").IsDefault = false
		p.IsDefault = true
	}
	for _, f := range []struct {
		to   *string
		from *string
	}{{&p.Name, in.Name}, {&p.Description, in.Description}, {&p.Purpose, in.Purpose}, {&p.Environment, in.Environment}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	p.UpdatedAt = stamp(time.Now())
	return nil
}

func (c *Cloud) listProjects(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []godo.Project
	for _, p := range c.projects {
		all = append(all, p.Project)
	}
	page, meta := paginate(r, all)
	return ok(projectsBody{page, meta})
}

func (c *Cloud) getProject(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.project(r.PathValue("id"))
	if p == nil {
		return reply{}, notFound()
	}
	return ok(projectBody{p.Project})
}

func (c *Cloud) updateProject(r *http.Request) (reply, error) {
	var in projectEdit
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.project(r.PathValue("id"))
	if p == nil {
		return reply{}, notFound()
	}
	if err := c.editProject(p, in); err != nil {
		return reply{}, err
	}
	return ok(projectBody{p.Project})
}

func (c *Cloud) deleteProject(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.project(r.PathValue("id"))
	switch {
	case p == nil:
		return reply{}, notFound()
	case p.IsDefault:
		return reply{}, &apiError{http.StatusForbidden, "forbidden", "cannot delete the default project"}
	case len(c.resourcesOf(p)) > 0:
		return reply{}, &apiError{http.StatusPreconditionFailed, "precondition_failed", "cannot delete a project with resources. move or remove the resources first"}
	}
	c.projects = slices.DeleteFunc(c.projects, func(o *project) bool { return o == p })
	return gone()
}
