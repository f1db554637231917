package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is a static executable and the digest of its content.
type program struct{ path, sum string }

// programs are the executables that go into images.
type programs struct{ construct, broker, grafana, caddy, loki, collector program }

// programs compiles what is not in the cache.
func (b *builder) programs(ctx context.Context) (programs, error) {
	var p programs
	for _, x := range []struct {
		to  *program
		dir string
	}{
		{&p.construct, "sim/construct"}, {&p.broker, "sim/images/broker"}, {&p.grafana, "sim/images/grafana"},
	} {
		var err error
		if *x.to, err = b.compile(ctx, x.dir); err != nil {
			return p, fmt.Errorf("build program %q: %w", x.dir, err)
		}
	}
	sum, err := fileSum(b.Caddy)
	if err != nil {
		return p, fmt.Errorf("read Caddy: %w", err)
	}
	p.caddy = program{b.Caddy, sum}
	return p, b.logPrograms(ctx, &p)
}

// logPrograms are those of images that are made only where logs are collected.
func (b *builder) logPrograms(ctx context.Context, p *programs) error {
	if b.Collector == "" {
		return nil
	}
	sum, err := fileSum(b.Collector)
	if err != nil {
		return fmt.Errorf("read the collector: %w", err)
	}
	p.collector = program{b.Collector, sum}
	p.loki, err = b.compile(ctx, "sim/images/loki")
	return err
}

// compile builds the command in dir for a container: static, no cgo. The
// cache is keyed by the sources below dir and the module's versions.
func (b *builder) compile(ctx context.Context, dir string) (program, error) {
	key, err := sourceKey(b.ModuleDir, dir)
	if err != nil {
		return program{}, err
	}
	bin := filepath.Join(b.CacheDir, "bin", filepath.Base(dir)+"-"+key)
	if sum, err := os.ReadFile(bin + ".sha256"); err == nil {
		if _, err := os.Stat(bin); err == nil {
			return program{bin, string(sum)}, nil
		}
	}
	b.Log("compiling %s", dir)
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", bin, "./"+dir)
	c.Dir = b.ModuleDir
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := c.CombinedOutput(); err != nil {
		return program{}, fmt.Errorf("run go build: %w: %s", err, lastLines(string(out)))
	}
	sum, err := fileSum(bin)
	if err != nil {
		return program{}, err
	}
	return program{bin, sum}, replaceFile(bin+".sha256", []byte(sum))
}

// sourceKey hashes the Go and SQL files below dir, and go.mod and go.sum.
func sourceKey(module, dir string) (string, error) {
	h := sha256.New()
	paths := []string{filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum")}
	err := filepath.WalkDir(filepath.Join(module, dir), func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasSuffix(p, "_test.go") {
			paths = append(paths, p)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("list sources: %w", err)
	}
	for _, p := range paths { // WalkDir goes in lexical order
		sum, err := fileSum(p)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, strings.TrimPrefix(p, module), sum)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open %q: %w", path, err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("read %q: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
