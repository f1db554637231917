package deploy

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// scripts holds the shell that runs on the hosts. lib/ is installed by setup
// as /usr/local/lib/construct, the rest is fed to bash directly.
//
//go:embed scripts
var scripts embed.FS

// digestLength is enough hex characters of a SHA-256 to tell versions apart
// in a command's text.
const digestLength = 12

// script returns one embedded file, name relative to scripts/.
func script(name string) (string, error) {
	content, err := scripts.ReadFile("scripts/" + name)
	if err != nil {
		return "", fmt.Errorf("read script %q: %w", name, err)
	}
	return string(content), nil
}

// scriptTree packs every embedded file into an uncompressed tar whose bytes
// depend on nothing but names and content.
func scriptTree() ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	// WalkDir visits in lexical order.
	err := fs.WalkDir(scripts, "scripts", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := scripts.ReadFile(path)
		if err != nil {
			return err
		}
		header := &tar.Header{
			Typeflag: tar.TypeReg,
			Name:     strings.TrimPrefix(path, "scripts/"),
			Mode:     0o755,
			Size:     int64(len(content)),
			Format:   tar.FormatUSTAR,
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pack scripts: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack scripts: %w", err)
	}
	return buf.Bytes(), nil
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])[:digestLength]
}

func encode(content []byte) string {
	return base64.StdEncoding.EncodeToString(content)
}

// pack is an archive as a command's stdin, compressed: the state holds it twice,
// and the engine writes the whole state after every step of a run. The library's
// version, not Go's, decides about the bytes: another makes every command that
// has a packed stdin run again.
func pack(archive []byte) string {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(archive)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil { // a buffer takes everything, and the level is one of gzip's
		panic(fmt.Sprintf("pack: %v", err))
	}
	return encode(buf.Bytes())
}
