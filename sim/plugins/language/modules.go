package language

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// module is one module that the program requires.
type module struct{ path, version, dir string }

// requiredPackages finds the provider SDKs among the program's modules.
func requiredPackages(ctx context.Context, dir string) ([]*pulumirpc.PackageDependency, error) {
	modules, err := listModules(ctx, dir, true)
	if err != nil {
		return nil, err
	}
	var packages []*pulumirpc.PackageDependency
	for _, m := range modules {
		p, err := m.plugin()
		if err != nil {
			return nil, err
		}
		if p != nil {
			packages = append(packages, p)
		}
	}
	return packages, nil
}

// listModules lists what go.mod requires, in its order.
func listModules(ctx context.Context, dir string, indirect bool) ([]module, error) {
	mod, err := goCommand(ctx, dir, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var file struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(mod, &file); err != nil {
		return nil, fmt.Errorf("read go.mod of %q: %w", dir, err)
	}
	args := []string{"list", "-m", "-f", "{{.Path}}\t{{.Version}}\t{{.Dir}}"}
	none := len(args)
	for _, r := range file.Require {
		if indirect || !r.Indirect {
			args = append(args, r.Path)
		}
	}
	if len(args) == none {
		return nil, nil
	}
	out, err := goCommand(ctx, dir, args...)
	if err != nil {
		return nil, err
	}
	var modules []module
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if f := strings.Split(lines.Text(), "\t"); len(f) == 3 {
			modules = append(modules, module{path: f[0], version: f[1], dir: f[2]})
		}
	}
	return modules, nil
}

// goCommand runs the go tool outside any workspace.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // arguments are module paths of go.mod
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run go %s %s in %q: %w: %s", args[0], args[1], dir, err, stderr.String())
	}
	return out, nil
}

// pluginFile is what an SDK says of its plugin, in pulumi-plugin.json.
type pluginFile struct {
	Resource bool   `json:"resource"`
	Name     string `json:"name"`
	Version  string `json:"version"`
	Server   string `json:"server"`
}

// plugin returns the plugin that an SDK asks for; nil if the module is none.
// The file is at the module's root or in go/<name>.
func (m module) plugin() (*pulumirpc.PackageDependency, error) {
	if m.dir == "" {
		return nil, nil //nolint:nilnil // not downloaded: not used by this program
	}
	root := os.DirFS(m.dir)
	found, err := fs.Glob(root, "go/*/pulumi-plugin.json")
	if err != nil {
		return nil, fmt.Errorf("search %q: %w", m.dir, err)
	}
	for _, name := range append([]string{"pulumi-plugin.json"}, found...) {
		b, err := fs.ReadFile(root, path.Clean(name))
		if err != nil {
			continue
		}
		var f pluginFile
		if err := json.Unmarshal(b, &f); err != nil {
			return nil, fmt.Errorf("read %q: %w", filepath.Join(m.dir, name), err)
		}
		if !f.Resource {
			continue
		}
		v := f.Version
		if v == "" {
			v = m.version
		}
		return &pulumirpc.PackageDependency{
			Name: f.Name, Kind: "resource", Version: "v" + strings.TrimPrefix(v, "v"), Server: f.Server,
		}, nil
	}
	return nil, nil //nolint:nilnil // an ordinary module
}
