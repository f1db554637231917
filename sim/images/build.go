package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// MirrorVariable is the environment variable from which callers fill
// Options.Mirror, for machines whose apt does not know the Debian release.
const MirrorVariable = "CONSTRUCT_DEBIAN_MIRROR"

// Options say where to build and from what.
type Options struct {
	CacheDir  string // required; kept between builds
	ModuleDir string // required; root of this module, whose programs are compiled
	Caddy     string // required; path of a static Caddy with the rate_limit module
	// Collector is a static OpenTelemetry Collector, the agent of deployments
	// that collect logs. Default: none, and no image of it and of Loki.
	Collector string
	// Mirror is the URL below which debian and debian-security are. Default:
	// the Debian sources of the machine's own apt.
	Mirror string
	// Log is told what is being built. Default: nothing is told.
	Log func(format string, args ...any)
}

func (o *Options) complete() error {
	var problems []error
	for _, f := range []struct{ name, value string }{
		{"CacheDir", o.CacheDir}, {"ModuleDir", o.ModuleDir}, {"Caddy", o.Caddy},
	} {
		if f.value == "" {
			problems = append(problems, fmt.Errorf("options: %s is missing", f.name))
		}
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	return errors.Join(problems...)
}

// builder is one Build under way.
type builder struct {
	Options
	store *store
	apt   *apt
}

// Build makes every image of the catalogue, or finds it in the cache. Builds
// that share a cache wait for each other.
func Build(ctx context.Context, o Options) (*Set, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(o.CacheDir, "bin"), 0o755); err != nil {
		return nil, fmt.Errorf("make cache directory: %w", err)
	}
	st, err := openStore(filepath.Join(o.CacheDir, "images"))
	if err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Join(o.CacheDir, "lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	b := &builder{Options: o, store: st, apt: newAPT(filepath.Join(o.CacheDir, "apt"), o.Mirror)}
	programs, err := b.programs(ctx)
	if err != nil {
		return nil, err
	}
	all := catalogue(programs)
	if err := b.fetchPackages(ctx, all); err != nil {
		return nil, err
	}
	set := &Set{dir: st.dir, manifests: map[string]v1.Descriptor{}}
	for _, img := range all {
		d, err := b.image(ctx, img)
		if err != nil {
			return nil, fmt.Errorf("build image %q: %w", img.refs[0], err)
		}
		for _, ref := range img.refs {
			set.manifests[ref] = d
		}
	}
	if err := st.writeIndex(set.manifests); err != nil {
		return nil, err
	}
	return set, nil
}

// fetchPackages downloads at once what the layers that are not cached need.
func (b *builder) fetchPackages(ctx context.Context, all []image) error {
	wanted := map[string]bool{}
	for _, img := range all {
		for _, l := range img.layers {
			if _, ok := b.store.layer(l.key()); ok {
				continue
			}
			for _, p := range l.packages {
				wanted[p] = true
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	names := make([]string, 0, len(wanted))
	for n := range wanted {
		names = append(names, n)
	}
	slices.Sort(names)
	b.Log("fetching %d Debian packages", len(names))
	return b.apt.fetch(ctx, names)
}

// image builds the layers that are missing, then writes config and manifest.
func (b *builder) image(ctx context.Context, img image) (v1.Descriptor, error) {
	var layers []layerRecord
	libraries := newLibraries()
	for _, l := range img.layers {
		rec, ok := b.store.layer(l.key())
		if !ok {
			b.Log("building layer %s", l.name)
			var err error
			if rec, err = b.buildLayer(ctx, l); err != nil {
				return v1.Descriptor{}, fmt.Errorf("layer %q: %w", l.name, err)
			}
		}
		libraries.add(rec)
		layers = append(layers, rec)
	}
	if missing := libraries.missing(); len(missing) > 0 {
		return v1.Descriptor{}, fmt.Errorf("shared libraries are missing: %s", strings.Join(missing, ", "))
	}
	return b.store.writeImage(img.config, layers)
}

// lock takes an exclusive lock on path, waiting for whoever holds it.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock %q: %w", path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %q: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}
