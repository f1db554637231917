package stacks

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// slow answers after the time that the path ends with, sending its head at
// once if asked to.
func slow() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wait, err := time.ParseDuration(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
		if err != nil {
			echo("gateway").ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		if r.URL.Query().Has("stream") {
			_, _ = io.WriteString(w, "first,")
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-time.After(wait):
			_, _ = io.WriteString(w, "done")
		case <-r.Context().Done():
		}
	})
}

// A changed configuration applies while requests are under way and new ones
// come, over every protocol, from clients old and new, and none of them fails.
func TestEdgeReloadsWithoutDroppingConnections(t *testing.T) {
	t.Parallel()
	if !inOwnNetwork(t) {
		return
	}
	setSysctls(t, "caddy")
	e := startEdgeBefore(t, wideOpen(), upstreams{gateway: serve(t, slow())})
	var wg sync.WaitGroup
	for _, protocol := range protocols {
		for path, want := range map[string]string{"/api/v1/messages/6s": "done", "/api/v1/messages/6s?stream": "first,done"} {
			c := e.client(t, protocol)
			wg.Go(func() {
				resp, err := c.Do(e.request(t, http.MethodGet, path, nil, nil))
				if err != nil {
					t.Errorf("%s %s: %v", protocol, path, err)
					return
				}
				defer func() { _ = resp.Body.Close() }()
				if got, err := io.ReadAll(resp.Body); err != nil || string(got) != want {
					t.Errorf("%s %s: %q, %v", protocol, path, got, err)
				}
			})
		}
	}
	stop := make(chan struct{})
	var asked atomic.Int64
	for i, protocol := range slices.Repeat(protocols, 4) {
		c := e.client(t, protocol)
		if tr, ok := c.Transport.(*http.Transport); ok && i >= len(protocols) {
			tr.DisableKeepAlives = true // these come as new clients do
		}
		wg.Go(func() { e.keepAsking(t, c, protocol, stop, &asked) })
	}
	time.Sleep(500 * time.Millisecond)
	process := e.process.Process.Pid
	for i := range 4 {
		d := wideOpen()
		d.Maintenance.Enabled = i%2 == 0
		e.configure(t, d)
		if err := e.reload(); err != nil {
			t.Fatal(err)
		}
		want := map[bool]int{true: 503, false: 200}[d.Maintenance.Enabled]
		for _, protocol := range protocols {
			if a := e.ask(t, e.client(t, protocol), http.MethodGet, "/api/v1/users/me", nil, nil); a.StatusCode != want {
				t.Errorf("%s after reload %d: status %d, want %d", protocol, i, a.StatusCode, want)
			}
		}
		time.Sleep(500 * time.Millisecond)
	}
	close(stop)
	wg.Wait()
	if n := asked.Load(); n < 500 {
		t.Errorf("only %d requests during the reloads", n)
	}
	if err := e.process.Process.Signal(syscall.Signal(0)); err != nil || e.process.Process.Pid != process {
		t.Errorf("another process: %v", err)
	}
}

// keepAsking asks until stop is closed; every request must be answered.
func (e *edge) keepAsking(t *testing.T, c *http.Client, protocol string, stop chan struct{}, asked *atomic.Int64) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(5 * time.Millisecond):
		}
		resp, err := c.Do(e.request(t, http.MethodGet, "/health", nil, nil))
		if protocol == "HTTP/1.1" && errors.Is(err, io.EOF) {
			// net/http hangs up, instead of serving it, on a connection whose
			// first request comes in the instant of the change. Nobody has
			// acted upon it; clients ask again.
			resp, err = c.Do(e.request(t, http.MethodGet, "/health", nil, nil))
		}
		if err != nil {
			t.Errorf("%s: %v", protocol, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", protocol, resp.StatusCode)
		}
		asked.Add(1)
	}
}

// What does not load is refused, and what runs stays.
func TestEdgeRefusesABadConfiguration(t *testing.T) {
	t.Parallel()
	e := startEdge(t, wideOpen())
	good, err := filepath.EvalSymlinks(e.config)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"syntax":    {"encode zstd gzip", "encode zstd gzip {"},
		"directive": {"encode zstd gzip", "no_such_directive"},
		"module":    {"storage file_system", "storage no_such_storage"},
		"limit":     {"events 10000", "events none"},
	} {
		bad := t.TempDir()
		text, err := os.ReadFile(filepath.Join(good, "Caddyfile"))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), change[0], change[1], 1)
		if name == "limit" {
			changed = strings.ReplaceAll(string(text), "events {args[3]}", "events none")
		}
		if changed == string(text) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if err := os.WriteFile(filepath.Join(bad, "Caddyfile"), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(e.config); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(bad, e.config); err != nil {
			t.Fatal(err)
		}
		if err := e.reload(); err == nil {
			t.Errorf("%s: was loaded", name)
		}
		if a := e.get(t, "/api/v1/users/me"); a.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d afterwards", name, a.StatusCode)
		}
	}
}

// The configuration that runs is not loaded again, so that every release may
// ask for it; another root certificate of the authority is another configuration.
func TestEdgeReloadsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	d := wideOpen()
	e := startEdge(t, d)
	loads := func() int { return strings.Count(e.printed(t), `"enabling HTTP/3 listener"`) }
	before := loads()
	for range 3 {
		if err := e.reload(); err != nil {
			t.Fatal(err)
		}
	}
	if n := loads(); n != before || before == 0 {
		t.Errorf("%d loads of one configuration, %d at first", n, before)
	}
	text := func(root string) string {
		d := d
		d.ACMECARoot = root
		file, err := os.ReadFile(filepath.Join(configOf(t, d, Gateway, "caddy"), "Caddyfile"))
		if err != nil {
			t.Fatal(err)
		}
		return string(file)
	}
	if one, two := text(testCertificate), text(testCertificate+testCertificate); one == two {
		t.Error("another root certificate leaves the text as it is, so Caddy would not read it")
	}
}

// Only Caddy reloads; the container and all that is in the Compose file stays,
// and the release is another one.
func TestChangedCaddyfileKeepsTheContainer(t *testing.T) {
	t.Parallel()
	before, after := testDeployment(), testDeployment()
	after.Maintenance.Enabled = true
	files := func(d Deployment) (compose, manifest string, digest string) {
		b := mustRender(t, d, Gateway)
		for _, f := range b.Files {
			switch f.Path {
			case "compose.yaml":
				compose = string(f.Content)
			case "manifest":
				manifest = string(f.Content)
			}
		}
		return compose, manifest, b.Digest
	}
	compose1, manifest1, digest1 := files(before)
	compose2, manifest2, digest2 := files(after)
	if compose1 != compose2 {
		t.Error("the Compose file changed: the container would be made anew")
	}
	if digest1 == digest2 || manifest1 == manifest2 {
		t.Error("the release is the same: nothing would be done")
	}
	line := func(manifest string) []string {
		i := slices.IndexFunc(strings.Split(manifest, "\n"), func(l string) bool { return strings.HasPrefix(l, "reload ") })
		if i < 0 {
			t.Fatalf("no reload in the manifest:\n%s", manifest)
		}
		return strings.Split(strings.Split(manifest, "\n")[i], " ")
	}
	one, two := line(manifest1), line(manifest2)
	if one[2] == two[2] || !slices.Equal(one[3:], two[3:]) || !slices.Equal(one[3:], []string{"caddy", "reload", "--config", "/etc/caddy/current/Caddyfile", "--adapter", "caddyfile"}) {
		t.Errorf("reload lines %q and %q", one, two)
	}
	s, err := mustParse(t, mustRender(t, after, Gateway)).GetService("caddy")
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(s.Command[:4]) != "[caddy run --config /etc/caddy/current/Caddyfile]" {
		t.Errorf("a container that is made anew starts with %v", s.Command)
	}
}
