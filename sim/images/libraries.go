package images

import (
	"bytes"
	"debug/elf"
	"path"
	"slices"
	"strings"
)

// libraries finds out whether an image's programs can be loaded: packages are
// listed by hand, without what they need only to be installed, so a library
// that was forgotten must show at build time.
type libraries struct{ have, need map[string]bool }

func newLibraries() *libraries { return &libraries{have: map[string]bool{}, need: map[string]bool{}} }

func (l *libraries) add(rec layerRecord) {
	for _, n := range rec.Provides {
		l.have[n] = true
	}
	for _, n := range rec.Needs {
		l.need[n] = true
	}
}

// missing lists what is needed and not there, sorted.
func (l *libraries) missing() []string {
	var out []string
	for n := range l.need {
		if !l.have[n] {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

func isLibrary(p string) bool {
	return strings.HasPrefix(p, "/usr/lib") && strings.Contains(path.Base(p), ".so")
}

// linkedTo lists the libraries an ELF file names; nothing for other files.
func linkedTo(content []byte) []string {
	if !bytes.HasPrefix(content, []byte(elf.ELFMAG)) {
		return nil
	}
	f, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	names, err := f.ImportedLibraries()
	if err != nil {
		return nil
	}
	return names
}
