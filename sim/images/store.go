package images

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// store is an OCI layout plus a record per layer key.
type store struct{ dir string }

// layerRecord is what is known of a built layer.
type layerRecord struct {
	Descriptor v1.Descriptor
	DiffID     v1.Hash
	Provides   []string // file names of shared libraries in it
	Needs      []string // library names that its programs are linked to
}

func openStore(dir string) (*store, error) {
	for _, d := range []string{"blobs/sha256", "layers"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, fmt.Errorf("make image store: %w", err)
		}
	}
	s := &store{dir: dir}
	if err := replaceFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return nil, err
	}
	return s, nil
}

// layer finds a layer whose blob is there.
func (s *store) layer(key string) (layerRecord, bool) {
	var rec layerRecord
	b, err := os.ReadFile(filepath.Join(s.dir, "layers", key))
	if err != nil || json.Unmarshal(b, &rec) != nil {
		return rec, false
	}
	info, err := os.Stat(s.blob(rec.Descriptor.Digest))
	return rec, err == nil && info.Size() == rec.Descriptor.Size
}

func (s *store) blob(h v1.Hash) string { return filepath.Join(s.dir, "blobs", h.Algorithm, h.Hex) }

// writeLayer stores what fill writes as an uncompressed layer under key.
// Uncompressed, because the hosts that pull it are on the same machine and
// share its processors.
func (s *store) writeLayer(key string, fill func(io.Writer) (provides, needs []string, err error)) (layerRecord, error) {
	tmp, err := os.CreateTemp(filepath.Join(s.dir, "blobs"), "layer-*")
	if err != nil {
		return layerRecord{}, fmt.Errorf("create layer file: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	sum := sha256.New()
	provides, needs, err := fill(io.MultiWriter(tmp, sum))
	size, seekErr := tmp.Seek(0, io.SeekCurrent)
	if err := errors.Join(err, seekErr, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return layerRecord{}, err
	}
	h := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum.Sum(nil))}
	if err := os.Rename(tmp.Name(), s.blob(h)); err != nil {
		return layerRecord{}, fmt.Errorf("keep layer: %w", err)
	}
	rec := layerRecord{
		Descriptor: v1.Descriptor{MediaType: types.OCIUncompressedLayer, Size: size, Digest: h},
		DiffID:     h, Provides: provides, Needs: needs,
	}
	b, err := json.Marshal(rec)
	if err != nil {
		return layerRecord{}, fmt.Errorf("encode layer record: %w", err)
	}
	return rec, replaceFile(filepath.Join(s.dir, "layers", key), b)
}

// writeImage stores config and manifest and returns the manifest's descriptor.
func (s *store) writeImage(c v1.Config, layers []layerRecord) (v1.Descriptor, error) {
	conf := v1.ConfigFile{Architecture: "amd64", OS: "linux", Config: c, RootFS: v1.RootFS{Type: "layers"}}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	for _, l := range layers {
		conf.RootFS.DiffIDs = append(conf.RootFS.DiffIDs, l.DiffID)
		m.Layers = append(m.Layers, l.Descriptor)
	}
	var err error
	if m.Config, err = s.writeJSON(conf, types.OCIConfigJSON); err != nil {
		return v1.Descriptor{}, err
	}
	return s.writeJSON(m, types.OCIManifestSchema1)
}

func (s *store) writeJSON(v any, mt types.MediaType) (v1.Descriptor, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return v1.Descriptor{}, fmt.Errorf("encode %s: %w", mt, err)
	}
	sum := sha256.Sum256(b)
	h := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
	d := v1.Descriptor{MediaType: mt, Size: int64(len(b)), Digest: h}
	if _, err := os.Stat(s.blob(h)); !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	return d, replaceFile(s.blob(h), b)
}

// writeIndex lists the images, sorted by reference, as layout tools expect.
func (s *store) writeIndex(images map[string]v1.Descriptor) error {
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	refs := make([]string, 0, len(images))
	for r := range images {
		refs = append(refs, r)
	}
	slices.Sort(refs)
	for _, r := range refs {
		d := images[r]
		d.Annotations = map[string]string{"org.opencontainers.image.ref.name": r}
		index.Manifests = append(index.Manifests, d)
	}
	b, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("encode index: %w", err)
	}
	return replaceFile(filepath.Join(s.dir, "index.json"), b)
}

// replaceFile writes path so that a reader sees the old content or the new.
func replaceFile(path string, content []byte) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, content, 0o644); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return nil
}
