package container

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/construct-server/infra/sim/host"
)

// file is put into a host from outside.
type file struct {
	path    string // without the leading slash
	mode    int64
	content string
}

// put writes files into a container, whether it runs or not.
func put(ctx context.Context, container string, files []file) error {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range files {
		err := w.WriteHeader(&tar.Header{Name: f.path, Mode: f.mode, Size: int64(len(f.content)), Typeflag: tar.TypeReg})
		if err != nil {
			return fmt.Errorf("pack %q: %w", f.path, err)
		}
		if _, err := w.Write([]byte(f.content)); err != nil {
			return fmt.Errorf("pack %q: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("pack files: %w", err)
	}
	_, err := docker(ctx, &archive, "cp", "-", container+":/")
	return err
}

// vendorData is what the cloud adds to the user's data. As on their images,
// sshd is restarted once more when a first boot is as good as over and whoever
// waited has begun to work: sessions go on, a dial at that moment is refused.
const vendorData = `#!/bin/sh
exec systemd-run --quiet --on-active=2 --unit=vendor-ssh-restart --property=Type=oneshot systemctl restart ssh.service
`

// seed is what the cloud's metadata service would tell cloud-init, as a NoCloud
// seed, and the certificates that the host trusts.
// https://docs.cloud-init.io/en/22.4.2/topics/datasources/nocloud.html
func (b *Backend) seed(s host.Spec) []file {
	// Strings and lists of strings: yaml.Marshal cannot fail on these.
	meta, _ := yaml.Marshal(map[string]any{
		"instance-id": s.ID, "local-hostname": s.Hostname, "public-keys": s.AuthorizedKeys,
	})
	const dir = "var/lib/cloud/seed/nocloud/"
	files := []file{
		{dir + "meta-data", 0o644, string(meta)},
		{dir + "user-data", 0o600, s.UserData},
		{dir + "vendor-data", 0o600, vendorData},
	}
	if b.opts.RegistryAddr != "" {
		path := "etc/docker/certs.d/" + b.opts.RegistryAddr + "/ca.crt"
		files = append(files, file{path, 0o644, string(b.opts.RegistryCA)})
	}
	if len(b.opts.ExtraCACerts) > 0 {
		files = append(files, file{"etc/csim/extra-ca.pem", 0o644, string(b.opts.ExtraCACerts)})
	}
	return files
}

// settings are what csim-init reads at every boot.
func (m *machine) settings(o *Options) []file {
	network := "- - " + o.Resolver.String()
	if m.spec.PublicIPv4.IsValid() {
		network = "eth0 " + o.Prefix.Addr().Next().String() + " " + o.Resolver.String()
	}
	var addresses, private, disks strings.Builder
	if m.spec.PublicIPv6.IsValid() {
		fmt.Fprintf(&addresses, "%s/64\n", m.spec.PublicIPv6)
	}
	for _, addr := range m.extra {
		fmt.Fprintf(&addresses, "%s/32\n", addr)
	}
	for _, id := range m.networkIDs() {
		fmt.Fprintln(&private, m.private[id])
	}
	for _, id := range slices.Sorted(maps.Keys(m.disks)) {
		d := m.disks[id]
		fmt.Fprintf(&disks, "%s %s %d %d\n", d.byID, d.device, d.major, d.minor)
	}
	return []file{
		{"etc/csim/network", 0o644, network + "\n"},
		{"etc/csim/addresses", 0o644, addresses.String()},
		{"etc/csim/private", 0o644, private.String()},
		{"etc/csim/disks", 0o644, disks.String()},
	}
}
