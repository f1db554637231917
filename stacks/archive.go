package stacks

import (
	"archive/tar"
	"bytes"
	"fmt"
	"path"
	"sort"
	"time"
)

// Archive is the bundle as an uncompressed tar that depends on nothing but
// the bundle: sorted names, numeric owners, no times. Directories come before
// what they hold, so that an unpacking umask cannot decide their mode.
func (b Bundle) Archive() ([]byte, error) {
	headers := map[string]*tar.Header{}
	contents := map[string][]byte{}
	for _, f := range b.Files {
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			headers[dir+"/"] = &tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: dirMode(dir)}
		}
		headers[f.Path] = &tar.Header{
			Typeflag: tar.TypeReg, Name: f.Path, Mode: int64(f.Mode.Perm()),
			Uid: f.UID, Gid: f.GID, Size: int64(len(f.Content)),
		}
		contents[f.Path] = f.Content
	}
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, name)
	}
	sort.Strings(names)

	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range names {
		h := headers[name]
		h.ModTime, h.Format = time.Unix(0, 0).UTC(), tar.FormatUSTAR
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("archive %q: %w", name, err)
		}
		if _, err := w.Write(contents[name]); err != nil {
			return nil, fmt.Errorf("archive %q: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("archive bundle %q: %w", b.Role, err)
	}
	return out.Bytes(), nil
}

// dirMode keeps the environment files' directory to root. Configuration
// directories are entered by the containers' own users.
func dirMode(dir string) int64 {
	if dir == envDir {
		return 0o700
	}
	return 0o755
}
