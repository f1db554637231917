package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/pkg/sftp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func copyToRemote() *provider.Resource {
	put := func(ctx context.Context, in provider.Values) error {
		source, err := newSource(in.Raw["source"])
		if err != nil {
			return err
		}
		return send(ctx, in, source)
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"connection": connectionProperty(),
			"remotePath": {Type: provider.String, Required: true},
			"source":     {Type: provider.Any, Required: true},
			"triggers":   triggersProperty(),
		},
		DiffInputs: true,
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			if err := put(ctx, in); err != nil {
				return "", nil, err
			}
			id, err := resource.NewUniqueHex("", 16, 0)
			return id, provider.Output{}, err
		},
		Update: func(ctx context.Context, _ string, _, in provider.Values) (provider.Output, error) {
			return provider.Output{}, put(ctx, in)
		},
		// What was copied stays, as with the official provider.
		Delete: func(context.Context, string, provider.Values) error { return nil },
	}
}

// source is what to copy: files by relative path. A single file has the one
// key "", and name is what it is called when copied into a directory.
type source struct {
	name  string
	files map[string][]byte
}

func newSource(v resource.PropertyValue) (source, error) {
	for v.IsSecret() {
		v = v.SecretValue().Element
	}
	switch {
	case v.IsAsset():
		a := v.AssetValue()
		data, err := a.Bytes()
		if err != nil {
			return source{}, fmt.Errorf("read asset: %w", err)
		}
		return source{name: path.Base(a.Path), files: map[string][]byte{"": data}}, nil
	case v.IsArchive():
		r, err := v.ArchiveValue().Open()
		if err != nil {
			return source{}, fmt.Errorf("open archive: %w", err)
		}
		defer func() { _ = r.Close() }()
		s := source{name: path.Base(strings.TrimSuffix(v.ArchiveValue().Path, "/")), files: map[string][]byte{}}
		for {
			name, blob, err := r.Next()
			if errors.Is(err, io.EOF) {
				return s, nil
			}
			if err != nil {
				return source{}, fmt.Errorf("read archive: %w", err)
			}
			data, err := io.ReadAll(blob)
			if err != nil {
				return source{}, fmt.Errorf("read %q of archive: %w", name, err)
			}
			s.files[name] = data
		}
	}
	return source{}, fmt.Errorf("source is a %s (want an asset or an archive)", v.TypeString())
}

// send writes the source below remotePath: into it where it is a directory.
func send(ctx context.Context, in provider.Values, s source) error {
	conn, err := dial(ctx, in.Object("connection"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	files, err := sftp.NewClient(conn.Client)
	if err != nil {
		return fmt.Errorf("open sftp: %w", err)
	}
	defer func() { _ = files.Close() }()
	dest := in.String("remotePath")
	info, err := files.Stat(dest)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("failed to stat remote path %s: %w", dest, err)
	}
	_, single := s.files[""]
	switch {
	case err == nil && info.IsDir() && s.name != "" && s.name != ".":
		dest = path.Join(dest, s.name)
	case err == nil && !info.IsDir() && !single:
		return fmt.Errorf("remote path %s exists but is not a directory", dest)
	}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		if err := writeRemote(files, path.Join(dest, name), s.files[name]); err != nil {
			return err
		}
	}
	return nil
}

func writeRemote(files *sftp.Client, to string, data []byte) error {
	if err := files.MkdirAll(path.Dir(to)); err != nil {
		return fmt.Errorf("failed to create parent directories for %s: %w", to, err)
	}
	f, err := files.Create(to)
	if err != nil {
		return fmt.Errorf("failed to create remote file %s: %w", to, err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.ReadFrom(bytes.NewReader(data)); err != nil {
		return fmt.Errorf("failed to write to remote path %s: %w", to, err)
	}
	return nil
}
