package images

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// apt downloads Debian packages through apt, which checks their signatures,
// with its own lists and cache. The machine's own apt is left as it is, but
// for its Debian sources and its proxy settings, which are used.
type apt struct{ dir, mirror string }

func newAPT(dir, mirror string) *apt { return &apt{dir: dir, mirror: mirror} }

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// suites are the parts of the Debian release that the images are made of, with
// the folder of each on a mirror.
var suites = []struct{ name, folder string }{
	{"bookworm", "debian"}, {"bookworm-updates", "debian"}, {"bookworm-security", "debian-security"},
}

func (a *apt) setUp(ctx context.Context) error {
	for _, d := range []string{"lists/partial", "archives/partial", "debs"} {
		if err := os.MkdirAll(filepath.Join(a.dir, d), 0o755); err != nil {
			return fmt.Errorf("make package cache: %w", err)
		}
	}
	sources, err := a.sources(ctx)
	if err != nil {
		return err
	}
	return errors.Join(
		replaceFile(filepath.Join(a.dir, "sources.list"), []byte(sources)),
		replaceFile(filepath.Join(a.dir, "status"), nil))
}

// sources is a sources.list: of the mirror if one was given, else of where the
// machine's own apt gets the release from.
func (a *apt) sources(ctx context.Context) (string, error) {
	if a.mirror != "" {
		var list strings.Builder
		for _, s := range suites {
			list.WriteString(sourceLine(strings.TrimSuffix(a.mirror, "/")+"/"+s.folder, s.name))
		}
		return list.String(), nil
	}
	c := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)", "Created-By: Packages")
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("list the machine's apt sources: %w", err)
	}
	list := ownSources(string(out))
	if list == "" {
		return "", fmt.Errorf("look for Debian %s in the machine's apt sources: none names it (set %s to a Debian mirror)", suites[0].name, MirrorVariable)
	}
	return list, nil
}

// ownSources keeps the release's part of apt's list of indexes: lines of URI,
// release, component and origin. A machine without downloaded lists does not
// know the origin; apt prints the placeholder as it is then.
func ownSources(indexes string) string {
	var list strings.Builder
	seen := map[string]bool{}
	for line := range strings.Lines(indexes) {
		f := strings.Fields(line)
		if len(f) != 4 || f[2] != "main" || (f[3] != "Debian" && f[3] != "$(ORIGIN)") {
			continue
		}
		source := sourceLine(strings.TrimSuffix(f[0], "/"), f[1])
		for _, s := range suites {
			if s.name == f[1] && !seen[source] {
				seen[source] = true
				list.WriteString(source)
			}
		}
	}
	return list.String()
}

func sourceLine(uri, suite string) string {
	return fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keyring, uri, suite)
}

func (a *apt) run(ctx context.Context, dir string, args ...string) error {
	opts := []string{
		"-qq",
		"-o", "Dir::State::Lists=" + filepath.Join(a.dir, "lists"),
		"-o", "Dir::State::status=" + filepath.Join(a.dir, "status"),
		"-o", "Dir::Cache=" + a.dir,
		"-o", "Dir::Etc::SourceList=" + filepath.Join(a.dir, "sources.list"),
		"-o", "Dir::Etc::SourceParts=/dev/null",
		"-o", "Dir::Etc::PreferencesParts=/dev/null",
		"-o", "APT::Sandbox::User=",
		"-o", "APT::Architecture=amd64",
		"-o", "Acquire::Languages=none",
		"-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		"-o", "Acquire::Retries=3",
	}
	c := exec.CommandContext(ctx, "apt-get", append(opts, args...)...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("run apt-get %s: %w: %s", args[0], err, lastLines(string(out)))
	}
	return nil
}

func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}

// fetch downloads the named packages that are not in the cache yet.
func (a *apt) fetch(ctx context.Context, names []string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("find apt-get (the stand-in images are made of Debian packages): %w", err)
	}
	if err := a.setUp(ctx); err != nil {
		return err
	}
	var missing []string
	for _, n := range names {
		if _, err := a.deb(n); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := a.run(ctx, "", "update"); err != nil {
		return err
	}
	return a.run(ctx, filepath.Join(a.dir, "debs"), append([]string{"download"}, missing...)...)
}

// deb is the downloaded file of a package.
func (a *apt) deb(name string) (string, error) {
	found, err := filepath.Glob(filepath.Join(a.dir, "debs", name+"_*.deb"))
	if err != nil {
		return "", fmt.Errorf("look for package %q: %w", name, err)
	}
	if len(found) == 0 {
		return "", fmt.Errorf("look for package %q: %w", name, fs.ErrNotExist)
	}
	return found[len(found)-1], nil
}
