package images

import (
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Set is a built catalogue: images by full reference, blobs on disk.
type Set struct {
	dir       string
	manifests map[string]v1.Descriptor
}

// References lists the full references of all images, sorted, such as
// docker.io/library/postgres:16.4-bookworm.
func (s *Set) References() []string {
	out := make([]string, 0, len(s.manifests))
	for r := range s.manifests {
		out = append(out, r)
	}
	slices.Sort(out)
	return out
}

// Manifest finds an image by repository (docker.io/library/postgres) and tag
// or digest (sha256:…).
func (s *Set) Manifest(repository, tagOrDigest string) (v1.Descriptor, bool) {
	if d, ok := s.manifests[repository+":"+tagOrDigest]; ok {
		return d, true
	}
	for ref, d := range s.manifests {
		if d.Digest.String() == tagOrDigest && strings.HasPrefix(ref, repository+":") {
			return d, true
		}
	}
	return v1.Descriptor{}, false
}

// Tags lists the tags of a repository, sorted.
func (s *Set) Tags(repository string) []string {
	var out []string
	for ref := range s.manifests {
		if tag, ok := strings.CutPrefix(ref, repository+":"); ok {
			out = append(out, tag)
		}
	}
	slices.Sort(out)
	return out
}

// BlobPath is the file that holds a blob: a manifest, a config or a layer.
func (s *Set) BlobPath(digest v1.Hash) string {
	return filepath.Join(s.dir, "blobs", digest.Algorithm, digest.Hex)
}
