package stacks

import (
	"errors"
	"fmt"
	"path"
	"sort"
	"strconv"
)

const (
	envDir    = "env"    // environment files, in the release directory
	configDir = "config" // configuration directories, in the release directory

	// hostConfigDir is where the host keeps configuration directories. Their
	// names carry a hash of their content, so a running container's never changes.
	hostConfigDir = "/var/lib/construct/config"
)

// renderer is one rendering. Its methods collect errors, so that the catalogue
// stays free of error handling.
type renderer struct {
	d    Deployment
	role Role
	all  []ServiceSpec // every role's services
	mine []ServiceSpec // this role's services
	// limits are the memory limits in MB by role and service.
	limits      map[Role]map[string]int
	connections connectionBudget
	authority   *authority
	// redisOperator is the password of the account that people and the release
	// use on a Redis' own host.
	redisOperator string
	errs          []error
}

func (r *renderer) fail(err error) { r.errs = append(r.errs, err) }

// rendered is one service with everything that it is configured by.
type rendered struct {
	spec   ServiceSpec
	image  string
	env    []byte // nil: none
	config []File // paths relative to the bundle
	dir    string // name of the configuration directory; "": none
	// started is a digest of the files that a start alone reads; "": none.
	started string
	stanza  []byte // its part of compose.yaml
	digest  string // of all but the image
	// restart is the digest of what Compose compares a container by, the image
	// left out; "" for what is rolled.
	restart string
}

// Render returns the bundle of one role. It reads nothing but its arguments,
// and equal arguments give equal bytes.
func Render(d Deployment, role Role) (Bundle, error) {
	r, err := newRenderer(d, role)
	if err != nil {
		return Bundle{}, fmt.Errorf("render %q: %w", role, err)
	}
	var services []rendered
	for _, s := range r.mine {
		out, err := r.service(s)
		if err != nil {
			r.fail(fmt.Errorf("service %q: %w", s.Name, err))
			continue
		}
		services = append(services, out)
	}
	if err := errors.Join(r.errs...); err != nil {
		return Bundle{}, fmt.Errorf("render %q: %w", role, err)
	}
	b, err := r.bundle(services)
	if err != nil {
		return Bundle{}, fmt.Errorf("render %q: %w", role, err)
	}
	return b, nil
}

func newRenderer(d Deployment, role Role) (*renderer, error) {
	if len(d.DigestKey) < 16 {
		return nil, errors.New("digest key: too short (want at least 16 bytes)")
	}
	if len(d.Seed) < 16 {
		return nil, errors.New("seed: too short (want at least 16 bytes)")
	}
	if !d.NetworkCIDR.IsValid() {
		return nil, errors.New("network: no CIDR")
	}
	all, err := Catalogue(LineS, d.Features())
	if err != nil {
		return nil, err
	}
	signer, err := newAuthority(d.Seed)
	if err != nil {
		return nil, err
	}
	r := &renderer{d: d.withDefaults(), role: role, all: all, limits: map[Role]map[string]int{}, authority: signer}
	if r.redisOperator, err = derivePassword(d.Seed, "redis operator"); err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.Role == role {
			r.mine = append(r.mine, s)
		}
	}
	if len(r.mine) == 0 {
		return nil, errors.New("no such role in this deployment")
	}
	planned, err := Catalogue(LineS, d.Features().planned())
	if err != nil {
		return nil, err
	}
	r.connections = connectionsOf(planned)
	for _, other := range Roles(d.Media) {
		limits, err := memoryLimits(Services(other, d.Features().planned()), d.Memory[other])
		if err != nil {
			return nil, fmt.Errorf("role %q: %w (want at least %d MB)", other, err, MinimumMemoryMB(other, r.d.Features()))
		}
		r.limits[other] = limits
	}
	return r, nil
}

// service renders one service. The stanza is rendered twice: the digest says
// what changed beside the image, so it is taken with the image left out.
func (r *renderer) service(s ServiceSpec) (rendered, error) {
	out := rendered{spec: s}
	var err error
	if out.image, err = r.image(s); err != nil {
		return out, err
	}
	if s.env != nil {
		if out.env, err = envFile(s.env(r)); err != nil {
			return out, err
		}
	}
	if err := r.config(&out); err != nil {
		return out, err
	}
	plain, err := r.stanza(out, "")
	if err != nil {
		return out, err
	}
	out.digest = r.digest("service", string(plain), string(out.env), out.dir)[:12]
	if !s.Rolling {
		out.restart = r.digest("restart", string(plain), string(out.env))[:12]
	}
	out.stanza, err = r.stanza(out, out.image)
	return out, err
}

// config renders the service's configuration directory and names it after its
// content.
func (r *renderer) config(out *rendered) error {
	if out.spec.ConfigDir == "" {
		return nil
	}
	files, err := r.templates(path.Join(string(out.spec.Role), out.spec.Name))
	if err != nil {
		return err
	}
	if out.spec.files != nil {
		files = append(files, out.spec.files(r)...)
	}
	if len(files) == 0 {
		return nil
	}
	sortFiles(files)
	parts := []string{"config"}
	for _, f := range files {
		parts = append(parts, f.Path, f.Mode.String(), strconv.Itoa(f.UID), string(f.Content))
	}
	out.dir = out.spec.Name + "-" + r.digest(parts...)[:12]
	if out.started, err = r.started(out.spec, files); err != nil {
		return err
	}
	for _, f := range files {
		f.Path = path.Join(configDir, out.dir, f.Path)
		f.UID, f.GID = out.spec.UID, out.spec.GID
		out.config = append(out.config, f)
	}
	return nil
}

// bundle puts the services together and names the whole.
func (r *renderer) bundle(services []rendered) (Bundle, error) {
	b := Bundle{Role: r.role}
	compose, err := r.compose(services)
	if err != nil {
		return b, err
	}
	b.Files = append(b.Files, File{Path: "compose.yaml", Mode: 0o644, Content: compose})
	for _, s := range services {
		b.Files = append(b.Files, s.config...)
		if s.env != nil {
			b.Files = append(b.Files, File{Path: envPath(s.spec.Name), Mode: 0o600, Content: s.env, Secret: true})
		}
		b.Services = append(b.Services, Service{
			Name: s.spec.Name, Image: s.image, ConfigDigest: s.digest, Stateful: s.spec.Stateful(), Migrates: s.spec.Migrates,
			RestartDigest: s.restart, StandIn: s.spec.StandIn, Port: privatePort(s.spec), HealthPath: s.spec.HealthPath,
		})
	}
	sortFiles(b.Files)
	parts := []string{"bundle", string(r.role)}
	for _, f := range b.Files {
		parts = append(parts, f.Path, f.Mode.String(), strconv.Itoa(f.UID), strconv.Itoa(f.GID), string(f.Content))
	}
	for _, lines := range []string{reloads(services), rolls(services), r.standIns(services)} {
		if lines != "" {
			parts = append(parts, lines)
		}
	}
	b.Digest = r.digest(parts...)[:24]
	b.Files = append(b.Files, File{Path: "manifest", Mode: 0o644, Content: r.manifest(b, services)})
	sortFiles(b.Files)
	return b, nil
}

func envPath(service string) string { return path.Join(envDir, service+".env") }

func sortFiles(files []File) {
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
}

// privatePort is the port by which the service is known on the private address.
func privatePort(s ServiceSpec) int {
	switch {
	case s.HostNetwork:
		return s.Port
	case len(s.Private) > 0:
		return s.Private[0]
	}
	return 0
}
