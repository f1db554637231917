package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// prefix parses a network; the zero Prefix stands for one that is none.
func (l *loader) prefix(path, text, example string) netip.Prefix {
	p, err := netip.ParsePrefix(text)
	if err == nil {
		return p
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		l.problems.add(path, "is an address without a prefix length", fmt.Sprintf("%s/%d", addr, addr.BitLen()))
	} else {
		l.problems.add(path, "is not a network in CIDR notation", "for example "+example)
	}
	return netip.Prefix{}
}

// textOrFile returns the text of a key, or of the file that its twin, <key>Path,
// names. Relative paths start at the project, "~/" at the home directory.
func (l *loader) textOrFile(key, text, file string) string {
	if file == "" {
		return text
	}
	twin := key + "Path"
	if text != "" {
		l.problems.add(twin, "is set beside "+key, "one of the two")
		return text
	}
	content, err := readSmall(l.place(file))
	if err != nil {
		l.problems = append(l.problems, Problem{
			Path: namespace + twin, Detail: fmt.Sprintf("cannot read %s: %v", file, cause(err)),
			Want: "a readable file, relative to the project", explains: []string{namespace + key},
		})
		return ""
	}
	if len(bytes.TrimSpace(content)) == 0 {
		l.problems = append(l.problems, Problem{
			Path: namespace + twin, Detail: file + " is empty",
			Want: "a file with content", explains: []string{namespace + key},
		})
	}
	return string(content)
}

// keyOrFile returns a public key that is given as its line, or as the file that
// has it. Every key begins, in base64, with four letters A.
func (l *loader) keyOrFile(path, text string) string {
	if text == "" || strings.Contains(text, " AAAA") {
		return strings.TrimSpace(text)
	}
	content, err := readSmall(l.place(text))
	if err != nil {
		l.problems.add(path, fmt.Sprintf("cannot read %s: %v", text, cause(err)), "a line such as: ssh-ed25519 AAAA… you@example.com, or a readable file with one")
		return ""
	}
	return strings.TrimSpace(string(content))
}

// place is where a file of the configuration is.
func (l *loader) place(file string) string {
	if rest, ok := strings.CutPrefix(file, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
		return file
	}
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(l.dir, file)
}

// maxFile is more than any key or any system's bundle of certificates has, in
// bytes.
const maxFile = 1 << 20

// readSmall reads an ordinary file. A device or a pipe may never end.
func readSmall(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("is a directory")
	case !info.Mode().IsRegular():
		return nil, errors.New("is not an ordinary file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("has %d bytes, no key or certificate is that long", info.Size())
	}
	return os.ReadFile(name)
}

// cause strips the operation and the path from a file error.
func cause(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
