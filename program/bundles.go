package program

import (
	"errors"
	"fmt"
	"slices"

	"github.com/construct-server/infra/deploy"
	"github.com/construct-server/infra/stacks"
)

// rendered is a role's bundle and what is in it.
type rendered struct {
	deploy.Bundle
	services []stacks.Service
}

// bundles renders every role. All failures are reported.
func bundles(d stacks.Deployment) (map[stacks.Role]rendered, error) {
	all := map[stacks.Role]rendered{}
	var problems []error
	for _, role := range stacks.Roles(d.Media) {
		b, err := bundle(d, role)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		all[role] = b
	}
	return all, errors.Join(problems...)
}

func bundle(d stacks.Deployment, role stacks.Role) (rendered, error) {
	whole, err := stacks.Render(d, role)
	if err != nil {
		return rendered{}, err
	}
	archive, err := whole.Archive()
	if err != nil {
		return rendered{}, err
	}
	b := deploy.Bundle{Role: string(role), Digest: whole.Digest, Archive: archive}
	for _, s := range whole.Services {
		b.Summary = append(b.Summary, summary(s))
		b.Images = append(b.Images, s.Image)
		b.Migrates = b.Migrates || s.Migrates
	}
	slices.Sort(b.Images)
	b.Images = slices.Compact(b.Images)
	return rendered{Bundle: b, services: whole.Services}, nil
}

// summary is a service in a preview's diff, which shows it when it changes. It
// restarts if its image or what stands behind "restart" does, and is made anew
// behind a stand-in for what stands behind "standin".
func summary(s stacks.Service) string {
	line := fmt.Sprintf("%s %s config %s", s.Name, s.Image, s.ConfigDigest)
	switch {
	case s.StandIn:
		line += " standin " + s.RestartDigest
	case s.RestartDigest != "":
		line += " restart " + s.RestartDigest
	}
	return line
}
