package registry

import (
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"net/http"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Images is what the registry serves; *images.Set is one.
type Images interface {
	// Manifest finds an image by repository and tag or digest.
	Manifest(repository, tagOrDigest string) (v1.Descriptor, bool)
	// Tags lists a repository's tags, sorted; nothing if there is none.
	Tags(repository string) []string
	// BlobPath is the file of a blob; it need not exist.
	BlobPath(v1.Hash) string
}

// Fault decides about a request before it is served: a status other than 0,
// such as 429 or 500, is answered instead. Safe for concurrent use.
type Fault func(r *http.Request) (status int)

// Registry serves the pulling half of the distribution protocol.
type Registry struct {
	images Images

	mu    sync.Mutex
	pulls map[string]int
	fault Fault
}

// New serves the given images.
func New(images Images) *Registry {
	return &Registry{images: images, pulls: map[string]int{}}
}

// SetFault installs f in place of the one before; nil ends all faults.
func (g *Registry) SetFault(f Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fault = f
}

// Pulls counts the manifests handed out so far, by repository:tag or
// repository@digest. HEAD requests are not pulls.
func (g *Registry) Pulls() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.pulls)
}

// ServeHTTP implements http.Handler.
func (g *Registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	g.mu.Lock()
	fault := g.fault
	g.mu.Unlock()
	if fault != nil {
		if status := fault(r); status != 0 {
			refuse(w, status, "INJECTED", "the simulator was told to fail this request")
			return
		}
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "this registry is read-only")
		return
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/v2/") // a digest with an escape in it is none
	if !ok {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "want a path below /v2/")
		return
	}
	switch repository, kind, name := split(path); kind {
	case "":
		w.WriteHeader(http.StatusOK)
	case "manifests":
		g.manifest(w, r, repository, name)
	case "blobs":
		g.blob(w, r, name)
	case "tags":
		g.tags(w, repository)
	default:
		log.Printf("registry: no such route: %s %s", r.Method, r.URL.Path)
		refuse(w, http.StatusNotImplemented, "UNSUPPORTED", "no such route")
	}
}

// split parses <repository>/{manifests,blobs}/<name> and <repository>/tags/list,
// whose repository may hold slashes. The empty path is the version check.
func split(path string) (repository, kind, name string) {
	if path == "" {
		return "", "", ""
	}
	parts := strings.Split(path, "/")
	if len(parts) < 3 {
		return "", "unknown", ""
	}
	n := len(parts)
	return strings.Join(parts[:n-2], "/"), parts[n-2], parts[n-1]
}

func (g *Registry) manifest(w http.ResponseWriter, r *http.Request, repository, name string) {
	d, ok := g.images.Manifest(repository, name)
	if !ok {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", fmt.Sprintf("no image %s with %s", repository, name))
		return
	}
	if r.Method == http.MethodGet {
		g.count(repository, name)
	}
	w.Header().Set("Content-Type", string(d.MediaType))
	w.Header().Set("Docker-Content-Digest", d.Digest.String())
	http.ServeFile(w, r, g.images.BlobPath(d.Digest))
}

func (g *Registry) count(repository, name string) {
	sep := ":"
	if strings.Contains(name, ":") {
		sep = "@"
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pulls[repository+sep+name]++
}

func (g *Registry) blob(w http.ResponseWriter, r *http.Request, digest string) {
	h, err := v1.NewHash(digest)
	if err != nil {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "want sha256:<64 hexadecimal digits>")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", h.String())
	http.ServeFile(w, r, g.images.BlobPath(h))
}

func (g *Registry) tags(w http.ResponseWriter, repository string) {
	tags := g.images.Tags(repository)
	if len(tags) == 0 {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "no such repository")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"name": repository, "tags": tags})
}

// refuse answers in the protocol's error shape.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}
