package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

const testPublicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOsLJ3xX6Qt+ZDSy0iDOYkaN4eXmWFiOCa/mz9oM5eua alice@laptop"

const otherPublicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFLQZJLsq+J9wcfnDLr4V3AFkcuw8qBbzrNHQ9458UNn bob@example.com"

func testUserData() UserDataArgs {
	return UserDataArgs{
		Hostname:       "construct-prod-db-1",
		AdminUser:      "construct",
		AuthorizedKeys: []string{testPublicKey + "\n"},
		HostKeys: HostKeys{
			Main:  KeyPair{"the private\nhost key\n", "ssh-ed25519 the-public-host-key"},
			Spare: KeyPair{"the spare\nhost key\n", "ecdsa-sha2-nistp256 the-spare-host-key"},
		},
	}
}

// The golden file guards what replaces a server: a change of the user data is
// one that no running deployment may get by itself.
func TestUserDataGolden(t *testing.T) {
	t.Parallel()
	got, err := UserData(testUserData())
	require.NoError(t, err)
	golden := filepath.Join("testdata", "userdata.yaml")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestUserDataCarriesKeysUnchanged(t *testing.T) {
	t.Parallel()
	args := testUserData()
	var err error
	args.HostKeys, err = NewHostKeys(testSeed, "", args.Hostname)
	require.NoError(t, err)
	args.SSHPort = 2222
	args.AuthorizedKeys = []string{testPublicKey, otherPublicKey}
	text, err := UserData(args)
	require.NoError(t, err)
	assert.Equal(t, "#cloud-config\n", text[:len("#cloud-config\n")])
	var back cloudConfig
	require.NoError(t, yaml.Unmarshal([]byte(text), &back))
	assert.Equal(t, args.HostKeys.Main.PrivatePEM, back.Keys.Private)
	assert.Equal(t, args.HostKeys.Spare.PrivatePEM, back.Keys.SparePrivate)
	assert.Equal(t, args.AuthorizedKeys, back.Users[0].AuthorizedKeys)
	assert.Contains(t, back.WriteFiles[0].Content, "Port 2222\n")
	assert.Contains(t, back.WriteFiles[0].Content, "AllowUsers construct\n")
}

func TestUserDataRefuses(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*UserDataArgs){
		"AdminUser: \"root\"":             func(a *UserDataArgs) { a.AdminUser = "root" },
		"AdminUser: \"x\\nPort 1\"":       func(a *UserDataArgs) { a.AdminUser = "x\nPort 1" },
		"Hostname: \"a b\"":               func(a *UserDataArgs) { a.Hostname = "a b" },
		"AuthorizedKeys[0]: not one line": func(a *UserDataArgs) { a.AuthorizedKeys = []string{testPublicKey + "\n" + testPublicKey} },
		"AuthorizedKeys: none":            func(a *UserDataArgs) { a.AuthorizedKeys = nil },
		"HostKeys: required":              func(a *UserDataArgs) { a.HostKeys.Spare = KeyPair{} },
		"SSHPort: 70000":                  func(a *UserDataArgs) { a.SSHPort = 70000 },
	} {
		args := testUserData()
		change(&args)
		_, err := UserData(args)
		require.ErrorContains(t, err, want)
	}
}
