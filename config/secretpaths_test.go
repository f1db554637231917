package config

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The reference marks the same settings as secret.
func TestSecretPathsAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	var want []string
	for _, s := range flatten(t) {
		if s.Secret {
			want = append(want, s.Path)
		}
	}
	got := SecretPaths()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{"ssh.privateKey", "registries[].password", "vault.token", "secrets.hostKeySeed"} {
		if !slices.Contains(got, path) {
			t.Errorf("%s is missing", path)
		}
	}
}
