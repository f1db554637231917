package plugins

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/construct-server/infra/sim/plugins/command"
	"github.com/construct-server/infra/sim/plugins/digitalocean"
	"github.com/construct-server/infra/sim/plugins/hcloud"
)

const (
	module       = "github.com/construct-server/infra"
	languageHost = "pulumi-language-go"
	// lock is the file in the home that serializes installations.
	lock = ".install.lock"
)

// Options say where to look and to build. All are optional.
type Options struct {
	// Root is a directory inside this repository; default: the working
	// directory.
	Root string
	// UserHome is a Pulumi home that may hold official plugins; default:
	// ~/.pulumi.
	UserHome string
	// Bin is where the language host goes; default: bin in the home. Where it
	// is the Pulumi CLI's own directory, the engine finds the host without a
	// warning; elsewhere it has to be on PATH, see Env.
	Bin string
	// Log gets one line per plugin; default: nothing is logged.
	Log io.Writer
}

// Plugin is one plugin in the home.
type Plugin struct {
	Name    string // "digitalocean", or "go" for the language host
	Version string // "" for the language host
	Path    string // of the executable
	StandIn bool
}

// Install puts a plugin for every provider, and the Go language host, into the
// Pulumi home: official ones where they are installed there, in the user's
// home or (the language host) on PATH, stand-ins built from source elsewhere.
// It is safe to run again.
func Install(ctx context.Context, home string, o Options) ([]Plugin, error) {
	home, err := filepath.Abs(home)
	if err != nil {
		return nil, fmt.Errorf("resolve home %q: %w", home, err)
	}
	o = o.withDefaults(home)
	unlock, err := lockHome(home)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var installed []Plugin
	for _, p := range []Plugin{
		{Name: "command", Version: command.Version},
		{Name: "digitalocean", Version: digitalocean.Version},
		{Name: "hcloud", Version: hcloud.Version},
	} {
		p, err := installProvider(ctx, home, p, o)
		if err != nil {
			return nil, fmt.Errorf("install plugin %q: %w", p.Name, err)
		}
		installed = append(installed, p)
	}
	host, err := installHost(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("install %s: %w", languageHost, err)
	}
	installed = append(installed, host)
	for _, p := range installed {
		fmt.Fprintln(o.Log, p)
	}
	return installed, nil
}

// String describes the plugin in one line.
func (p Plugin) String() string {
	kind := "official"
	if p.StandIn {
		kind = "stand-in"
	}
	return strings.Join(strings.Fields(fmt.Sprintf("%s plugin %s %s: %s", kind, p.Name, p.Version, p.Path)), " ")
}

// lockHome keeps other processes from installing into the same home.
func lockHome(home string) (unlock func(), err error) {
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, fmt.Errorf("make home: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(home, lock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock home %q: %w", home, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

func (o Options) withDefaults(home string) Options {
	if o.Bin == "" {
		o.Bin = filepath.Join(home, "bin")
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.UserHome == "" {
		if dir, err := os.UserHomeDir(); err == nil {
			o.UserHome = filepath.Join(dir, ".pulumi")
		}
	}
	return o
}

func installProvider(ctx context.Context, home string, p Plugin, o Options) (Plugin, error) {
	dir := fmt.Sprintf("resource-%s-v%s", p.Name, p.Version)
	bin := "pulumi-resource-" + p.Name
	here := filepath.Join(home, "plugins", dir)
	p.Path = filepath.Join(here, bin)
	if official(here, bin) {
		return p, nil
	}
	if users := filepath.Join(o.UserHome, "plugins", dir); o.UserHome != "" && official(users, bin) {
		if err := os.RemoveAll(here); err != nil {
			return p, fmt.Errorf("remove stand-in: %w", err)
		}
		if err := os.MkdirAll(filepath.Dir(here), 0o755); err != nil {
			return p, fmt.Errorf("make plugin directory: %w", err)
		}
		if err := os.Symlink(users, here); err != nil {
			return p, fmt.Errorf("link official plugin: %w", err)
		}
		return p, nil
	}
	p.StandIn = true
	return p, build(ctx, o.Root, bin, here)
}

// installHost puts the language host into o.Bin, unless an official one is
// there or on PATH.
func installHost(ctx context.Context, o Options) (Plugin, error) {
	bin, err := filepath.Abs(o.Bin)
	if err != nil {
		return Plugin{}, fmt.Errorf("resolve %q: %w", o.Bin, err)
	}
	p := Plugin{Name: "go", Path: filepath.Join(bin, languageHost)}
	if official(bin, languageHost) {
		return p, nil
	}
	if found, err := exec.LookPath(languageHost); err == nil {
		found, err := filepath.Abs(found)
		if err != nil {
			return p, fmt.Errorf("resolve %q: %w", found, err)
		}
		if official(filepath.Dir(found), languageHost) {
			p.Path = found
			return p, nil
		}
	}
	p.StandIn = true
	return p, build(ctx, o.Root, languageHost, filepath.Dir(p.Path))
}

// official reports whether dir holds a plugin that is no stand-in: one that
// was not built from this module.
func official(dir, bin string) bool {
	path := filepath.Join(dir, bin)
	if _, err := os.Stat(path); err != nil {
		return false
	}
	info, err := buildinfo.ReadFile(path)
	return err != nil || !strings.HasPrefix(info.Path, module+"/")
}

// build compiles a stand-in into dir.
func build(ctx context.Context, root, bin, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make plugin directory: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", //nolint:gosec // names are constants
		"-o", filepath.Join(dir, bin), module+"/sim/plugins/cmd/"+bin)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", bin, err, out)
	}
	return nil
}

// Env is what the Pulumi CLI needs to use the plugins in home, to be added to
// its environment.
func Env(home string) []string {
	return []string{
		"PULUMI_HOME=" + home,
		"PATH=" + filepath.Join(home, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
		"PULUMI_SKIP_UPDATE_CHECK=true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
	}
}
