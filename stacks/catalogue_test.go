package stacks

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func everyFeature() []Features {
	return []Features{{Media: true}, {}, {Media: true, ExternalKafka: true}, {ExternalKafka: true}, {Media: true, PreviousJWT: true}, {Media: true, Logs: true}}
}

// The catalogue agrees with itself: unique names, ports published only once
// per host, every need met, and every dependency on the same host.
func TestCatalogueIsConsistent(t *testing.T) {
	t.Parallel()
	for _, f := range everyFeature() {
		all, err := Catalogue(LineS, f)
		if err != nil {
			t.Fatal(err)
		}
		names, ports := map[string]bool{}, map[string]string{}
		for _, s := range all {
			id := string(s.Role) + "/" + s.Name
			if names[id] {
				t.Errorf("%+v: two services %s", f, id)
			}
			names[id] = true
			for _, port := range s.Private {
				key := fmt.Sprintf("%s:%d", s.Role, port)
				if ports[key] != "" {
					t.Errorf("%+v: %s and %s both publish %s", f, ports[key], s.Name, key)
				}
				ports[key] = s.Name
			}
			if (len(s.Health) > 0 || s.health != nil) == s.NoHealth {
				t.Errorf("%s has no health check, or one and says otherwise", id)
			}
			for _, need := range s.Needs {
				target, ok := find(all, need)
				if !ok {
					t.Errorf("%+v: %s needs %s, which does not exist", f, id, need)
				} else if target.Role != s.Role && !slices.Contains(target.Private, target.Port) {
					t.Errorf("%s needs %s, which publishes no port", id, need)
				}
			}
			for _, after := range s.After {
				if !slices.ContainsFunc(all, func(o ServiceSpec) bool { return o.Name == after && o.Role == s.Role }) {
					t.Errorf("%+v: %s waits for %s, which is not beside it", f, id, after)
				}
			}
		}
	}
	if _, err := Catalogue("Z", Features{}); err == nil {
		t.Error("an unknown release line has a catalogue")
	}
}

func TestWithoutMediaNothingRefersToIt(t *testing.T) {
	t.Parallel()
	d := variants()["no-media"]
	if n := len(Scrapes(d.Features())) + len(Probes(d.Features())); n != 0 {
		t.Errorf("%d scrapes and probes without Prometheus", n)
	}
	for _, f := range Flows(d.Features()) {
		if f.From == Media || f.To == Media {
			t.Errorf("flow %+v", f)
		}
	}
	for _, role := range Roles(false) {
		for _, f := range mustRender(t, d, role).Files {
			for _, word := range []string{"media.internal", "/media", "exporter:", "9100"} {
				if strings.Contains(string(f.Content), word) {
					t.Errorf("%s: %s mentions %q", role, f.Path, word)
				}
			}
		}
	}
	if _, err := Render(d, Media); err == nil {
		t.Error("rendered a media server that does not exist")
	}
}

func TestExternalKafkaDeploysNoBroker(t *testing.T) {
	t.Parallel()
	for _, role := range Roles(true) {
		for _, f := range mustRender(t, variants()["full"], role).Files {
			if strings.Contains(string(f.Content), "redpanda") {
				t.Errorf("%s: %s mentions redpanda", role, f.Path)
			}
		}
	}
}

// The rows that the firewall is made of, for review.
func TestFlowsGolden(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, f := range everyFeature() {
		fmt.Fprintf(&out, "media=%v externalKafka=%v previousJWT=%v logs=%v\n", f.Media, f.ExternalKafka, f.PreviousJWT, f.Logs)
		for _, flow := range Flows(f) {
			fmt.Fprintf(&out, "  %-8s → %-8s %s/%-5d %s\n", flow.From, flow.To, flow.Protocol, flow.Port, flow.Why)
		}
	}
	const file = "testdata/golden/flows.txt"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		image  Image
		mirror string
		want   string
	}{
		{Image{Repository: "ghcr.io/a/b", Tag: "1"}, "", "ghcr.io/a/b:1"},
		{Image{Repository: "a/b", Tag: "1"}, "m:5000", "m:5000/docker.io/a/b:1"},
		{Image{Repository: "ghcr.io/a/b", Tag: "1", Digest: "sha256:" + strings.Repeat("a", 64)}, "", "ghcr.io/a/b:1@sha256:" + strings.Repeat("a", 64)},
		{Image{Repository: "ghcr.io/a/b"}, "", ""},
		{Image{Repository: "ghcr.io/A/b", Tag: "1"}, "", ""},
	} {
		d := testDeployment()
		d.Release, d.ImageMirror = c.image, c.mirror
		b, err := Render(d, App)
		got := ""
		if err == nil {
			got = b.Services[0].Image
		}
		if got != c.want {
			t.Errorf("%+v by way of %q: %q, want %q (%v)", c.image, c.mirror, got, c.want, err)
		}
	}
	if want := len(ImageNames()); want != 14 {
		t.Errorf("%d third-party images", want)
	}
}

// Who asks the host's resolver alone would not find a neighbour by Docker's names.
func TestWhoAsksForHostsHasNoNeighbours(t *testing.T) {
	t.Parallel()
	asks := 0
	for _, f := range everyFeature() {
		all, err := Catalogue(LineS, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			if !s.HostNames {
				continue
			}
			asks++
			for _, name := range s.Needs {
				if other, ok := find(all, name); !ok || other.Role == s.Role {
					t.Errorf("%s needs %s, beside it on %s", s.Name, name, s.Role)
				}
			}
		}
	}
	if asks == 0 {
		t.Error("nobody asks the host's resolver: this test sees nothing")
	}
}
