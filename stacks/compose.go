package stacks

import (
	"bytes"
	"fmt"
	"slices"
)

// stanzaView is what service.yaml.tmpl sees of one service.
type stanzaView struct {
	ServiceSpec

	Published   []int // ports on the private address
	ImageRef    string
	EnvFile     string // "": none
	Config      string // directory on the host; "": none
	LimitMB     int
	Drain       string
	StartedWith string   // digest of what a start alone reads; "": nothing
	Digest      string   // by which the host knows a container of it; "": not told
	Tmpfs       []string // every directory that is kept nowhere
}

// scratch is what every service may write to without asking. It counts against
// the container's memory.
const scratch = "/tmp:mode=1777,size=16m"

// stanza renders a service's part of compose.yaml. ref is its image.
func (r *renderer) stanza(s rendered, ref string) ([]byte, error) {
	view := stanzaView{
		ServiceSpec: s.spec, ImageRef: ref, Published: r.published(s.spec),
		LimitMB: r.limits[r.role][s.spec.Name],
		Drain:   fmt.Sprintf("%ds", s.spec.GraceSec),
		Tmpfs:   append([]string{scratch}, s.spec.Tmpfs...),
	}
	if s.env != nil {
		view.EnvFile = envPath(s.spec.Name)
	}
	if s.dir != "" {
		view.Config = configSource(s)
	}
	view.StartedWith = s.started
	switch {
	case s.spec.Rolling:
		view.Digest = s.digest
	case s.spec.StandIn:
		view.Digest = s.restart
	}
	if s.spec.args != nil {
		view.Command = append(slices.Clone(s.spec.Command), s.spec.args(r)...)
	}
	if s.spec.health != nil {
		view.Health = s.spec.health(r)
	}
	return execute("service.yaml.tmpl", view)
}

// compose puts the stanzas into one file.
func (r *renderer) compose(services []rendered) ([]byte, error) {
	var body bytes.Buffer
	bridged := false
	for _, s := range services {
		body.Write(s.stanza)
		bridged = bridged || !s.spec.HostNetwork
	}
	return execute("compose.yaml.tmpl", map[string]any{
		"Role": r.role, "Services": body.String(), "Bridged": bridged,
	})
}
