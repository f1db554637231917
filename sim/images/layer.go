package images

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// layer is a set of packages, cut down, plus files.
type layer struct {
	name     string
	packages []string
	drop     []string          // path prefixes left out, besides dropAlways
	move     map[string]string // path in a package → path in the image
	caBundle bool              // build the CA bundle from the packages' certificates
	files    []file
}

// file is added to a layer: a directory (dir), a link, a program or content.
type file struct {
	path     string // absolute
	mode     int64
	uid, gid int
	dir      bool
	link     string
	program  program
	content  string
}

// dropAlways is what no container needs: documentation, translations, init
// scripts, character set converters, package tools' own data.
var dropAlways = []string{
	"/var/run/", "/var/lock/", // links in the image, directories in some packages
	"/etc/default/", "/etc/init.d/", "/etc/logrotate.d/", "/etc/cron.d/",
	"/usr/lib/systemd/", "/usr/lib/tmpfiles.d/", "/usr/lib/x86_64-linux-gnu/gconv/",
	"/usr/lib/x86_64-linux-gnu/perl", "/usr/lib/x86_64-linux-gnu/audit/",
	"/usr/share/bash-completion/", "/usr/share/bug/", "/usr/share/doc/", "/usr/share/doc-base/", "/usr/share/info/",
	"/usr/share/lintian/", "/usr/share/locale/", "/usr/share/man/", "/usr/share/menu/", "/usr/share/perl5/",
}

// layerFormat changes when layers must be built anew though no recipe changed.
const layerFormat = "2"

// key names everything that a layer is made of.
func (l layer) key() string {
	h := sha256.New()
	fmt.Fprintln(h, layerFormat, l.packages, l.drop, l.caBundle, dropAlways)
	b, _ := json.Marshal(l.move) // a string map always encodes, sorted
	h.Write(b)
	for _, f := range l.files {
		fmt.Fprintln(h, f.path, f.mode, f.uid, f.gid, f.dir, f.link, f.program.sum, len(f.content))
		io.WriteString(h, f.content) //nolint:errcheck // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// buildLayer unpacks, filters and writes a layer.
func (b *builder) buildLayer(ctx context.Context, l layer) (layerRecord, error) {
	return b.store.writeLayer(l.key(), func(w io.Writer) ([]string, []string, error) {
		lw := &layerWriter{layer: l, tar: tar.NewWriter(w), seen: map[string]bool{}}
		if err := lw.addFiles(); err != nil { // first, so that they win over a package's
			return nil, nil, err
		}
		for _, name := range l.packages {
			deb, err := b.apt.deb(name)
			if err != nil {
				return nil, nil, err
			}
			if err := lw.addDeb(ctx, deb); err != nil {
				return nil, nil, fmt.Errorf("package %q: %w", name, err)
			}
		}
		if err := lw.addBundle(); err != nil {
			return nil, nil, err
		}
		slices.Sort(lw.provides)
		slices.Sort(lw.needs)
		return slices.Compact(lw.provides), slices.Compact(lw.needs), lw.tar.Close()
	})
}

// layerWriter writes a layer's tar: each path once, no times, no names.
type layerWriter struct {
	layer
	tar      *tar.Writer
	seen     map[string]bool
	certs    bytes.Buffer
	provides []string
	needs    []string
}

// addDeb copies a package's files.
func (w *layerWriter) addDeb(ctx context.Context, deb string) error {
	c := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return fmt.Errorf("open pipe: %w", err)
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("run dpkg-deb: %w", err)
	}
	copyErr := w.copyTar(tar.NewReader(out))
	_, drainErr := io.Copy(io.Discard, out)
	if err := c.Wait(); err != nil {
		return fmt.Errorf("unpack %q: %w: %s", deb, err, stderr.String())
	}
	return errors.Join(copyErr, drainErr)
}

func (w *layerWriter) copyTar(r *tar.Reader) error {
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read package: %w", err)
		}
		p := merged(h.Name)
		if strings.HasPrefix(p, "/usr/share/ca-certificates/") && h.Typeflag == tar.TypeReg && w.caBundle {
			if _, err := io.Copy(&w.certs, r); err != nil {
				return fmt.Errorf("read certificate %q: %w", p, err)
			}
			continue
		}
		if w.dropped(p) {
			continue
		}
		if to, ok := w.move[p]; ok {
			p = to
		}
		if h.Typeflag == tar.TypeLink {
			h.Linkname = strings.TrimPrefix(merged(h.Linkname), "/")
		}
		if err := w.entry(p, *h, r); err != nil {
			return err
		}
	}
}

// merged maps a package's path into the merged /usr of bookworm.
func merged(name string) string {
	p := path.Clean("/" + strings.TrimPrefix(name, "."))
	for _, top := range []string{"/bin", "/sbin", "/lib", "/lib64"} {
		if p == top || strings.HasPrefix(p, top+"/") {
			return "/usr" + p
		}
	}
	return p
}

func (w *layerWriter) dropped(p string) bool {
	for _, d := range slices.Concat(dropAlways, w.drop) {
		if strings.HasPrefix(p+"/", strings.TrimSuffix(d, "/")+"/") || (!strings.HasSuffix(d, "/") && strings.HasPrefix(p, d)) {
			return true
		}
	}
	return false
}

// entry writes one path with its content, once, and notes its libraries.
func (w *layerWriter) entry(p string, h tar.Header, content io.Reader) error {
	if p == "/" || w.seen[p] {
		return nil
	}
	w.seen[p] = true
	out := &tar.Header{
		Typeflag: h.Typeflag, Name: strings.TrimPrefix(p, "/"), Linkname: h.Linkname,
		Size: h.Size, Mode: h.Mode, Uid: h.Uid, Gid: h.Gid, Format: tar.FormatPAX,
	}
	if h.Typeflag == tar.TypeDir {
		out.Name += "/"
	}
	if err := w.tar.WriteHeader(out); err != nil {
		return fmt.Errorf("write %q: %w", p, err)
	}
	if isLibrary(p) {
		w.provides = append(w.provides, path.Base(p))
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	b, err := io.ReadAll(content)
	if err != nil {
		return fmt.Errorf("read %q: %w", p, err)
	}
	w.needs = append(w.needs, linkedTo(b)...)
	if _, err := w.tar.Write(b); err != nil {
		return fmt.Errorf("write %q: %w", p, err)
	}
	return nil
}

// addBundle writes the packages' certificates as the one file that programs read.
func (w *layerWriter) addBundle() error {
	if !w.caBundle {
		return nil
	}
	h := tar.Header{Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(w.certs.Len())}
	return w.entry("/etc/ssl/certs/ca-certificates.crt", h, &w.certs)
}

func (w *layerWriter) addFiles() error {
	for _, f := range w.files {
		h := tar.Header{Typeflag: tar.TypeReg, Mode: f.mode, Uid: f.uid, Gid: f.gid}
		content := []byte(f.content)
		switch {
		case f.dir:
			h.Typeflag, content = tar.TypeDir, nil
		case f.link != "":
			h.Typeflag, h.Linkname, h.Mode, content = tar.TypeSymlink, f.link, 0o777, nil
		case f.program.path != "":
			var err error
			if content, err = os.ReadFile(f.program.path); err != nil {
				return fmt.Errorf("read program: %w", err)
			}
		}
		h.Size = int64(len(content))
		if err := w.entry(f.path, h, bytes.NewReader(content)); err != nil {
			return err
		}
	}
	return nil
}
