package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

const testSeed = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

func TestHostKeyIsStable(t *testing.T) {
	t.Parallel()
	private, public, err := HostKey(testSeed, "construct-prod-db-1")
	require.NoError(t, err)
	again, _, err := HostKey(testSeed, "construct-prod-db-1")
	require.NoError(t, err)
	assert.Equal(t, private, again, "the private key's bytes are part of the user data")
	// A changed derivation would lock every existing deployment out.
	assert.Equal(t, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOsLJ3xX6Qt+ZDSy0iDOYkaN4eXmWFiOCa/mz9oM5eua", public)

	_, other, err := HostKey(testSeed, "construct-prod-db-2")
	require.NoError(t, err)
	assert.NotEqual(t, public, other)
	_, reseeded, err := HostKey(strings.Replace(testSeed, "00", "ff", 1), "construct-prod-db-1")
	require.NoError(t, err)
	assert.NotEqual(t, public, reseeded)
}

func TestHostKeyReadsBack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "db-1", "construct-prod-gateway-1", "construct-prod-message-1"} {
		keys, err := NewHostKeys(testSeed, "", name)
		require.NoError(t, err)
		for _, pair := range []KeyPair{keys.Main, keys.Spare} {
			signer, err := ssh.ParsePrivateKey([]byte(pair.PrivatePEM))
			require.NoError(t, err)
			assert.Equal(t, pair.Public, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))))
		}
	}
}

func TestHostKeyReadByOpenSSH(t *testing.T) {
	t.Parallel()
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed")
	}
	keys := testHostKeys(t, testSeed, "")
	for _, pair := range []KeyPair{keys.Main, keys.Spare} {
		file := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(file, []byte(pair.PrivatePEM), 0o600))
		out, err := exec.CommandContext(t.Context(), keygen, "-y", "-f", file).CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Equal(t, pair.Public, strings.TrimSpace(string(out)))
	}
}

// While one key is replaced the other is pinned, and that one stays.
func TestPinnedHostKeysStayDuringARotation(t *testing.T) {
	t.Parallel()
	before, between, after := testHostKeys(t, testSeed, ""), testHostKeys(t, otherSeed, testSeed), testHostKeys(t, otherSeed, "")
	assert.Equal(t, before.Main.Public, before.Pinned)
	assert.Equal(t, "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBAThhrFC2mFBnhZq3rMrcgN/OLa9kOfN8ZozmFOBUT5hUGPY+mYcBRelQzFWz3QuFYoo/io2fO7OXantluSAI7s=", before.Spare.Public)
	assert.Equal(t, before.Spare, between.Spare)
	assert.Equal(t, before.Spare.Public, between.Pinned)
	assert.Equal(t, between.Main, after.Main)
	assert.Equal(t, after.Main.Public, after.Pinned)
	assert.NotEqual(t, before.Main, after.Main)
	assert.NotEqual(t, before.Spare, after.Spare)
	_, err := NewHostKeys(testSeed, "short", "db-1")
	require.ErrorContains(t, err, "seed has 5 characters")
}

func TestHostKeyRefuses(t *testing.T) {
	t.Parallel()
	_, _, err := HostKey("short", "db-1")
	require.ErrorContains(t, err, "seed has 5 characters (want at least 32)")
	_, _, err = HostKey(testSeed, "")
	require.ErrorContains(t, err, "empty server name")
}
