package registry_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/pki"
	"github.com/construct-server/infra/sim/registry"
)

const repository, tag = "docker.io/library/postgres", "16.4"

// one is a set of a single image in a layout on disk.
type one struct {
	dir  string
	desc v1.Descriptor
}

func (o one) Manifest(r, ref string) (v1.Descriptor, bool) {
	return o.desc, r == repository && (ref == tag || ref == o.desc.Digest.String())
}

func (o one) Tags(r string) []string {
	if r == repository {
		return []string{tag}
	}
	return nil
}

func (o one) BlobPath(h v1.Hash) string { return filepath.Join(o.dir, "blobs", h.Algorithm, h.Hex) }

func serve(t *testing.T) (*registry.Registry, one, string, http.RoundTripper) {
	t.Helper()
	img, err := random.Image(2048, 3)
	require.NoError(t, err)
	o := one{dir: t.TempDir()}
	path, err := layout.Write(o.dir, emptyIndex(t))
	require.NoError(t, err)
	require.NoError(t, path.AppendImage(img))
	digest, err := img.Digest()
	require.NoError(t, err)
	mt, err := img.MediaType()
	require.NoError(t, err)
	size, err := img.Size()
	require.NoError(t, err)
	o.desc = v1.Descriptor{MediaType: mt, Digest: digest, Size: size}

	ca, err := pki.New()
	require.NoError(t, err)
	cert, err := ca.Server("127.0.0.1")
	require.NoError(t, err)
	g := registry.New(o)
	s := httptest.NewUnstartedServer(g)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(ca.PEM()))
	return g, o, strings.TrimPrefix(s.URL, "https://"), &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
}

func emptyIndex(t *testing.T) v1.ImageIndex {
	t.Helper()
	i, err := random.Index(0, 0, 0)
	require.NoError(t, err)
	return i
}

// fetch gets a path and checks the answer against its digest.
func fetch(t *testing.T, c *http.Client, url, digest string) []byte {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusOK, resp.StatusCode, url)
	require.Equal(t, digest, resp.Header.Get("Docker-Content-Digest"))
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	sum := sha256.Sum256(body)
	require.Equal(t, digest, "sha256:"+hex.EncodeToString(sum[:]))
	return body
}

func TestPullOverTLS(t *testing.T) {
	t.Parallel()
	g, o, host, transport := serve(t)
	c := &http.Client{Transport: transport}
	base, digest := "https://"+host+"/v2/"+repository, o.desc.Digest.String()
	for _, ref := range []string{tag, digest} {
		m, err := v1.ParseManifest(bytes.NewReader(fetch(t, c, base+"/manifests/"+ref, digest)))
		require.NoError(t, err)
		fetch(t, c, base+"/blobs/"+m.Config.Digest.String(), m.Config.Digest.String())
		require.Len(t, m.Layers, 3)
		for _, l := range m.Layers {
			fetch(t, c, base+"/blobs/"+l.Digest.String(), l.Digest.String())
		}
	}
	require.Equal(t, map[string]int{repository + ":" + tag: 1, repository + "@" + digest: 1}, g.Pulls())
	resp, err := c.Get(base + "/tags/list")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.JSONEq(t, `{"name":"`+repository+`","tags":["`+tag+`"]}`, string(body))
	resp, err = c.Get(base + "/manifests/other")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func TestFaultsAndRefusals(t *testing.T) {
	t.Parallel()
	g, _, _, _ := serve(t)
	status := func(method, path string) int {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w.Code
	}
	require.Equal(t, 200, status("GET", "/v2/"))
	g.SetFault(func(r *http.Request) int {
		if strings.Contains(r.URL.Path, "/manifests/") {
			return http.StatusTooManyRequests
		}
		return 0
	})
	require.Equal(t, 200, status("GET", "/v2/"))
	require.Equal(t, 429, status("GET", "/v2/"+repository+"/manifests/"+tag))
	require.Empty(t, g.Pulls(), "a failed pull is none")
	g.SetFault(nil)
	require.Equal(t, 200, status("GET", "/v2/"+repository+"/manifests/"+tag))
	require.Equal(t, 200, status("HEAD", "/v2/"+repository+"/manifests/"+tag))
	require.Equal(t, map[string]int{repository + ":" + tag: 1}, g.Pulls())
	require.Equal(t, 405, status("POST", "/v2/"+repository+"/blobs/uploads/"))
	require.Equal(t, 400, status("GET", "/v2/"+repository+"/blobs/sha256:..%2f..%2fx"))
	require.Equal(t, 404, status("GET", "/v2/"+repository+"/blobs/sha256:"+strings.Repeat("0", 64)))
	require.Equal(t, 501, status("GET", "/v2/_catalog/x/y"))
	require.Equal(t, 404, status("GET", "/nothing"))
}
