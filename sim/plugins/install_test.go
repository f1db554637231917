package plugins_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/plugins"
)

// TestInstallPrefersOfficialPlugins must not build anything.
func TestInstallPrefersOfficialPlugins(t *testing.T) {
	users, home, path := t.TempDir(), t.TempDir(), t.TempDir()
	place := func(name ...string) string {
		file := filepath.Join(name...)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"), 0o700)) //nolint:gosec // a program
		return file
	}
	place(users, "plugins", "resource-command-v1.2.1", "pulumi-resource-command")
	place(users, "plugins", "resource-digitalocean-v4.76.0", "pulumi-resource-digitalocean")
	inHome := place(home, "plugins", "resource-hcloud-v1.39.1", "pulumi-resource-hcloud")
	host := place(path, "pulumi-language-go")
	t.Setenv("PATH", path)

	var log bytes.Buffer
	installed, err := plugins.Install(t.Context(), home, plugins.Options{UserHome: users, Log: &log})
	require.NoError(t, err)
	require.Equal(t, []plugins.Plugin{
		{Name: "command", Version: "1.2.1", Path: filepath.Join(home, "plugins", "resource-command-v1.2.1", "pulumi-resource-command")},
		{
			Name: "digitalocean", Version: "4.76.0",
			Path: filepath.Join(home, "plugins", "resource-digitalocean-v4.76.0", "pulumi-resource-digitalocean"),
		},
		{Name: "hcloud", Version: "1.39.1", Path: inHome},
		{Name: "go", Path: host},
	}, installed)
	for _, p := range installed {
		require.FileExists(t, p.Path)
	}
	require.Contains(t, log.String(), "official plugin hcloud 1.39.1: "+inHome)

	again, err := plugins.Install(t.Context(), home, plugins.Options{UserHome: users})
	require.NoError(t, err)
	require.Equal(t, installed, again)
}

// TestInstallKnowsItsOwn makes sure that a stand-in is rebuilt, never taken
// for an official plugin.
func TestInstallKnowsItsOwn(t *testing.T) {
	home := t.TempDir()
	o := plugins.Options{UserHome: t.TempDir()}
	for range 2 {
		installed, err := plugins.Install(t.Context(), home, o)
		require.NoError(t, err)
		for _, p := range installed {
			require.FileExists(t, p.Path)
			require.True(t, p.StandIn, "%s", p)
		}
		for _, pair := range plugins.Env(home) {
			if path, ok := strings.CutPrefix(pair, "PATH="); ok {
				t.Setenv("PATH", path)
			}
		}
	}
}
