package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/construct-server/infra/sim"
	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/host/container"
	"github.com/construct-server/infra/sim/host/dry"
	hostimage "github.com/construct-server/infra/sim/images/host"

	"github.com/construct-server/infra/sim/images"
	"github.com/construct-server/infra/sim/pki"
	"github.com/construct-server/infra/sim/registry"
)

// Kinds of host.
const (
	Auto      = "auto" // Container where a Docker engine answers, else Dry
	Container = "container"
	Dry       = "dry"
)

// A dry host's first boot, as on a cloud: SSH is refused for a while after the
// host was created; then sshd answers, and cloud-init restarts it once, late
// enough for whoever dials as soon as the host is "active" to see it happen.
const (
	dryBoot         = 2 * time.Second
	dryRestartAfter = 7 * time.Second
	dryRestartFor   = time.Second
)

// Instance is the default of Options.Instance.
const Instance = "sim"

// registryPort is where container hosts find the image mirror.
const registryPort = 5000

// Options say what to assemble.
type Options struct {
	Hosts    string       // Auto, Container or Dry; default Auto
	Root     string       // the checkout, with its tools in .tools/bin; required for Container
	Instance string       // tells this simulator's containers from another's; default Instance
	Listen   string       // address of the APIs; default a free port of the loopback
	Prefix   netip.Prefix // public range of container hosts; default TEST-NET-3
	Speed    *api.Speed   // default api.RealSpeed
	Log      io.Writer    // what is built and what goes wrong; default: discarded
}

// Start assembles and starts a simulator.
func Start(ctx context.Context, o Options) (*sim.Simulator, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	kind, err := resolve(ctx, o)
	if err != nil {
		return nil, err
	}
	so := sim.Options{Listen: o.Listen, Speed: o.Speed, Log: o.Log}
	if kind == Dry {
		so.Backend = dry.New(dry.Options{BootDelay: dryBoot, RestartAfter: dryRestartAfter, RestartFor: dryRestartFor})
	} else if err := o.container(ctx, &so); err != nil {
		return nil, err
	}
	return sim.Start(ctx, so)
}

// resolve says which kind of host runs, and why if that was not asked for.
func resolve(ctx context.Context, o Options) (string, error) {
	switch o.Hosts {
	case Dry, Container:
		return o.Hosts, nil
	case Auto, "":
		if err := Engine(ctx); err != nil {
			_, _ = fmt.Fprintf(o.Log, "no Docker engine (%v): hosts are dry, they only record what they are told\n", err)
			return Dry, nil
		}
		return Container, nil
	}
	return "", fmt.Errorf("hosts: %q is unknown (want auto, container or dry)", o.Hosts)
}

// Engine reports why no Docker engine can be used, or nil.
func Engine(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "docker", "info", "--format", "{{.ServerVersion}}").CombinedOutput()
	if err != nil {
		return errors.Join(err, errors.New(strings.TrimSpace(string(out))))
	}
	return nil
}

// container prepares the images side by side, then the backend.
func (o Options) container(ctx context.Context, so *sim.Options) error {
	ca, err := pki.New()
	if err != nil {
		return err
	}
	var image string
	var set *images.Set
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		var err error
		image, err = hostimage.Ensure(gctx, hostimage.Options{ComposePlugin: o.tool("docker-compose"), Output: o.Log})
		return err
	})
	group.Go(func() error {
		var err error
		set, err = o.images(gctx)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if so.Backend, err = o.backend(ctx, image, ca); err != nil {
		return err
	}
	so.CA, so.Registry = ca, registry.New(set)
	return nil
}

func (o Options) tool(name string) string { return filepath.Join(o.Root, ".tools", "bin", name) }

func (o Options) images(ctx context.Context) (*images.Set, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the cache directory: %w", err)
	}
	// Built for deployments that collect logs: tools/build.sh otelcol-contrib.
	collector := o.tool("otelcol-contrib")
	if _, err := os.Stat(collector); err != nil {
		collector = ""
	}
	return images.Build(ctx, images.Options{
		CacheDir: filepath.Join(cache, "construct-sim", "images"), ModuleDir: o.Root, Caddy: o.tool("caddy"), Collector: collector,
		Mirror: os.Getenv(images.MirrorVariable),
		Log:    func(format string, args ...any) { _, _ = fmt.Fprintf(o.Log, format+"\n", args...) },
	})
}

func (o Options) backend(ctx context.Context, image string, ca *pki.CA) (host.Backend, error) {
	instance := o.Instance
	if instance == "" {
		instance = Instance
	}
	if err := container.Sweep(ctx, instance); err != nil {
		return nil, fmt.Errorf("remove what an earlier simulator left: %w", err)
	}
	prefix := o.Prefix
	if !prefix.IsValid() {
		prefix = netip.MustParsePrefix(container.DefaultPrefix)
	}
	return container.New(ctx, container.Options{
		Image: image, Instance: instance, Prefix: prefix,
		RegistryAddr: fmt.Sprintf("%s:%d", prefix.Masked().Addr().Next(), registryPort), RegistryCA: ca.PEM(),
		Log: slog.New(slog.NewTextHandler(o.Log, nil)),
	})
}
