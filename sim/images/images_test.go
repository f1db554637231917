package images

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
)

func TestCatalogue(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, img := range catalogue(programs{collector: program{path: "collector"}}) {
		require.NotEmpty(t, img.refs)
		for _, r := range img.refs {
			require.False(t, seen[r], r)
			seen[r] = true
			require.GreaterOrEqual(t, strings.Count(r, "/"), 2, "%s: want the registry spelled out", r)
		}
		require.Positive(t, len(img.config.Entrypoint)+len(img.config.Cmd), img.refs)
	}
	for _, want := range []string{
		"docker.io/library/haproxy:2.8.14-bookworm", "docker.io/library/postgres:16.4-bookworm", "docker.io/library/redis:7.2.5-bookworm",
		"docker.io/redpandadata/redpanda:v24.3.3", "docker.io/prom/prometheus:v2.53.2", "docker.io/prom/alertmanager:v0.27.0",
		"docker.io/grafana/grafana:11.1.4", "docker.io/prom/node-exporter:v1.8.2",
		"quay.io/prometheuscommunity/postgres-exporter:v0.15.0", "docker.io/oliver006/redis_exporter:v1.62.0-alpine",
		"docker.io/grafana/loki:3.7.8", "docker.io/otel/opentelemetry-collector-contrib:0.165.1",
		"docker.io/prom/blackbox-exporter:v0.25.0", "ghcr.io/construct-server/caddy:2.11.9",
		"docker.io/library/haproxy:2.8.15-bookworm", "ghcr.io/construct-server/caddy:2.11.10",
		"ghcr.io/construct-server/construct-server:0.7.0", "ghcr.io/construct-server/construct-server:0.7.1",
		"ghcr.io/construct-server/construct-server:0.7.2-broken-exit", "ghcr.io/construct-server/construct-server:0.7.2-broken-health",
	} {
		require.True(t, seen[want], want)
	}
}

func TestLayerKeyCoversEverything(t *testing.T) {
	t.Parallel()
	base := func() layer {
		return layer{
			packages: []string{"p"}, drop: []string{"/d"}, move: map[string]string{"/a": "/b"},
			files: []file{{path: "/f", mode: 0o644, content: "c"}},
		}
	}
	keys := map[string]string{base().key(): "unchanged"}
	first, again := base().key(), base().key()
	require.Equal(t, first, again)
	for name, edit := range map[string]func(*layer){
		"package": func(l *layer) { l.packages[0] = "q" },
		"drop":    func(l *layer) { l.drop = nil },
		"move":    func(l *layer) { l.move = maps.Clone(l.move); l.move["/a"] = "/c" },
		"bundle":  func(l *layer) { l.caBundle = true },
		"mode":    func(l *layer) { l.files[0].mode = 0o600 },
		"owner":   func(l *layer) { l.files[0].uid = 1 },
		"content": func(l *layer) { l.files[0].content = "d" },
		"program": func(l *layer) { l.files[0].program.sum = "s" },
		"link":    func(l *layer) { l.files[0].link = "s" },
	} {
		l := base()
		edit(&l)
		other, taken := keys[l.key()]
		require.False(t, taken, "%s has the key of %s", name, other)
		keys[l.key()] = name
	}
}

func TestMerged(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"./bin/bash": "/usr/bin/bash", "./lib64/ld.so": "/usr/lib64/ld.so", "./usr/bin/x": "/usr/bin/x",
		"./lib": "/usr/lib", "./library/x": "/library/x", "./": "/", "./etc/passwd": "/etc/passwd",
	} {
		require.Equal(t, want, merged(in), in)
	}
}

func TestDropped(t *testing.T) {
	t.Parallel()
	w := &layerWriter{layer: layer{drop: []string{"/usr/lib/llvmjit", "/var/log/"}}}
	for p, want := range map[string]bool{
		"/usr/share/doc": true, "/usr/share/doc/bash/x": true, "/usr/share/docs": false,
		"/usr/lib/llvmjit.so": true, "/usr/lib/llvm": false, "/var/log": true, "/var/run": true,
	} {
		require.Equal(t, want, w.dropped(p), p)
	}
}

func TestMissingLibraries(t *testing.T) {
	t.Parallel()
	l := newLibraries()
	l.add(layerRecord{Provides: []string{"libc.so.6"}})
	l.add(layerRecord{Needs: []string{"libz.so.1", "libc.so.6", "libssl.so.3"}})
	require.Equal(t, []string{"libssl.so.3", "libz.so.1"}, l.missing())
}

// TestImageIsValid builds images without packages and has the reference
// library check config, manifest and layers against each other.
func TestImageIsValid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	prog := filepath.Join(dir, "prog")
	require.NoError(t, os.WriteFile(prog, []byte("#!"), 0o600))
	b := &builder{Options: Options{Log: func(string, ...any) {}}}
	var err error
	b.store, err = openStore(filepath.Join(dir, "images"))
	require.NoError(t, err)
	img := image{layers: []layer{
		{name: "base", files: skeleton()},
		{name: "top", files: []file{{path: "/usr/bin/prog", mode: 0o755, program: program{path: prog, sum: "1"}}}},
	}, config: v1.Config{Cmd: []string{"prog"}}}
	d, err := b.image(t.Context(), img)
	require.NoError(t, err)
	require.NoError(t, b.store.writeIndex(map[string]v1.Descriptor{"docker.io/library/x:1": d}))

	again, err := b.image(t.Context(), img)
	require.NoError(t, err)
	require.Equal(t, d, again)

	path, err := layout.FromPath(b.store.dir)
	require.NoError(t, err)
	got, err := path.Image(d.Digest)
	require.NoError(t, err)
	require.NoError(t, validate.Image(got, validate.Fast))
}

func TestOptionsReportEverythingMissing(t *testing.T) {
	t.Parallel()
	_, err := Build(t.Context(), Options{})
	for _, name := range []string{"CacheDir", "ModuleDir", "Caddy"} {
		require.ErrorContains(t, err, name)
	}
}

func TestOwnSources(t *testing.T) {
	t.Parallel()
	const a, b = "deb [signed-by=" + keyring + "] http://a.test/debian ", "deb [signed-by=" + keyring + "] http://b.test/debian-security "
	for name, c := range map[string]struct{ indexes, want string }{
		"release and its updates": {
			"http://a.test/debian/ bookworm main Debian\nhttp://a.test/debian/ bookworm-updates main Debian\nhttp://b.test/debian-security/ bookworm-security main Debian\n",
			a + "bookworm main\n" + a + "bookworm-updates main\n" + b + "bookworm-security main\n",
		},
		"no lists yet":      {"http://a.test/debian/ bookworm main $(ORIGIN)\n", a + "bookworm main\n"},
		"two architectures": {"http://a.test/debian bookworm main Debian\nhttp://a.test/debian/ bookworm main Debian\n", a + "bookworm main\n"},
		"others' packages":  {"http://c.test/x/ bookworm stable X\nhttp://c.test/y/ bookworm main Y\n", ""},
		"another release":   {"http://a.test/debian/ trixie main Debian\n", ""},
		"nothing":           {"", ""},
	} {
		require.Equal(t, c.want, ownSources(c.indexes), name)
	}
}

func TestMirrorReplacesTheMachinesSources(t *testing.T) {
	t.Parallel()
	list, err := newAPT(t.TempDir(), "http://mirror.test/").sources(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(list, " http://mirror.test/debian"), list)
	require.Contains(t, list, "http://mirror.test/debian-security bookworm-security main\n")
}
