package e2e

import (
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim"
	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/host/dry"
)

// accessLab is a stack whose dry hosts do what construct-access would: they take
// the host keys and the operators' that it brings.
type accessLab struct {
	*lab.Lab
	mu     sync.Mutex
	hosts  *dry.Backend
	cutOff int // how many runs of construct-access fail once they have done their work
	failed []error
}

const accessCommand = "exec sudo /usr/local/sbin/construct-access "

var keyWord = regexp.MustCompile(`--key '([^']*)'`)

func startAccess(t *testing.T, cloud config.Cloud) *accessLab {
	t.Helper()
	a := &accessLab{}
	a.hosts = dry.New(dry.Options{Execute: a.execute})
	l, err := lab.Start(t.Context(), lab.Options{
		Root: root(t), Dir: t.TempDir(), Cloud: cloud, Log: logWriter{t}, Backend: a.hosts, Env: quick,
		Sim: sim.Options{Speed: &api.Speed{Boot: 300 * time.Millisecond, Action: 50 * time.Millisecond, Linger: 300 * time.Millisecond}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	a.Lab = l
	return a
}

func (a *accessLab) execute(hostID, command string, stdin []byte) (stdout, stderr string, exit int) {
	_, args, found := strings.Cut(command, accessCommand)
	if !found {
		return "", "", 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var lines []string
	for _, word := range keyWord.FindAllStringSubmatch(args, -1) {
		lines = append(lines, word[1])
	}
	var pems []string
	for _, text := range strings.SplitAfter(string(stdin[strings.IndexByte(string(stdin), '\n')+1:]), "-----END OPENSSH PRIVATE KEY-----\n") {
		if text != "" {
			pems = append(pems, text)
		}
	}
	if err := a.hosts.SetAccess(hostID, pems, lab.AdminUser, lines); err != nil {
		a.failed = append(a.failed, err)
	}
	if a.cutOff > 0 {
		a.cutOff--
		return "", "cut off", 1
	}
	return "", "", 0
}

// reconfigure changes one of the settings' objects.
func (a *accessLab) reconfigure(t *testing.T, key string, changes map[string]any) {
	t.Helper()
	settings := maps.Clone(a.Settings[key].(map[string]any))
	for name, value := range changes {
		settings[name] = value
		if value == nil {
			delete(settings, name)
		}
	}
	require.NoError(t, a.Configure(t.Context(), a.Settings.With(key, settings)))
}

// logsIn tells whether every host, or none, lets a key in that expects the host
// keys of a seed.
func (a *accessLab) logsIn(t *testing.T, keyPath string, seed lab.Secret) bool {
	t.Helper()
	outputs, err := a.Stack.Outputs(t.Context())
	require.NoError(t, err)
	servers, err := lab.Servers(outputs)
	require.NoError(t, err)
	in := 0
	for _, server := range servers {
		ssh, err := lab.Dial(t.Context(), lab.SSHTarget{
			KeyPath: keyPath, HostKeySeed: string(seed), Port: a.Sim.Info().SSHPort, Gateway: servers[0], Server: server,
		})
		if err == nil {
			in++
			require.NoError(t, ssh.Close())
		}
	}
	if in != 0 {
		require.Len(t, servers, in)
	}
	return in != 0
}

// unchangedUp is an up that finds nothing to do.
func (a *accessLab) unchangedUp(t *testing.T) {
	t.Helper()
	ran := commands(t, a.Lab).Total
	assert.Equal(t, []string{"same"}, kinds(up(t, a.Lab)))
	assert.Equal(t, ran, commands(t, a.Lab).Total)
}

// TestOperatorsAndHostKeys replaces the operator's key, or every host's, while
// the stack runs. The cloud has no part in either.
func TestOperatorsAndHostKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine ten times")
	}
	for cloud, replace := range map[config.Cloud]func(*accessLab, *testing.T){
		config.DigitalOcean: (*accessLab).replaceOperator,
		config.Hetzner:      (*accessLab).replaceHostKeys,
	} {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			a := startAccess(t, cloud)
			up(t, a.Lab)
			before := idsOf(t, resources(t, a.Lab))
			replace(a, t)
			assert.Empty(t, a.failed)
			assert.Equal(t, before, idsOf(t, resources(t, a.Lab)), "a resource was replaced")
			destroy(t, a.Lab)
		})
	}
}

// idsOf lists what a cloud has, by kind.
func idsOf(t *testing.T, all map[string]any) map[string][]string {
	t.Helper()
	ids := map[string][]string{}
	for kind, list := range all {
		ids[kind] = regexp.MustCompile(`"(?:id|ID)":("?[0-9a-zA-Z-]+"?)`).FindAllString(toJSON(t, list), -1)
	}
	require.NotEmpty(t, ids)
	return ids
}

func (a *accessLab) replaceOperator(t *testing.T) {
	seed := a.Settings["construct:secrets"].(map[string]any)["hostKeySeed"].(lab.Secret)
	other, err := lab.NewKey(filepath.Join(t.TempDir(), "other"))
	require.NoError(t, err)
	require.True(t, a.logsIn(t, a.KeyPath, seed))
	require.False(t, a.logsIn(t, other.Path, seed))

	before := commands(t, a.Lab).Total
	a.reconfigure(t, "construct:ssh", map[string]any{"authorizedKeys": []any{other.Public + " bob@example.com"}})
	assert.Contains(t, preview(t, a.Lab), "bob@example.com", "the preview tells who is added")
	up(t, a.Lab)
	assert.Equal(t, before+len(servers), commands(t, a.Lab).Total, "one command a host")
	require.True(t, a.logsIn(t, other.Path, seed))

	a.reconfigure(t, "construct:ssh", map[string]any{
		"publicKey": other.Public + " bob@example.com", "privateKeyPath": other.Path, "authorizedKeys": nil,
	})
	up(t, a.Lab)
	assert.False(t, a.logsIn(t, a.KeyPath, seed), "the old key is refused")
	assert.True(t, a.logsIn(t, other.Path, seed))
	a.unchangedUp(t)
	a.KeyPath = other.Path
}

// replaceHostKeys has the first up fail half-way: a host has its new keys, the
// engine does not know, and the others have not been asked. The next up goes on.
func (a *accessLab) replaceHostKeys(t *testing.T) {
	old := a.Settings["construct:secrets"].(map[string]any)["hostKeySeed"].(lab.Secret)
	fresh, err := config.GenerateSecrets()
	require.NoError(t, err)
	seed := lab.Secret(fresh.HostKeySeed)
	releases := a.releases(t)

	a.cutOff = 1
	a.reconfigure(t, "construct:secrets", map[string]any{"hostKeySeed": seed, "previousHostKeySeed": old, "internalSeed": old})
	said := upFails(t.Context(), t, a.Stack)
	assert.Contains(t, said, "cut off")
	up(t, a.Lab)
	assert.False(t, a.logsIn(t, a.KeyPath, old), "the old key is pinned, and shown by nobody")
	assert.True(t, a.logsIn(t, a.KeyPath, seed))
	a.unchangedUp(t)

	a.reconfigure(t, "construct:secrets", map[string]any{"previousHostKeySeed": nil})
	up(t, a.Lab)
	assert.True(t, a.logsIn(t, a.KeyPath, seed))
	a.unchangedUp(t)
	assert.Equal(t, releases, a.releases(t), "another bundle was released, so services were made anew")
}

// releases are the digests that every host was given, each once.
func (a *accessLab) releases(t *testing.T) map[string][]string {
	t.Helper()
	digests := map[string][]string{}
	for name, list := range commands(t, a.Lab).Hosts {
		seen := map[string]bool{}
		for _, c := range list {
			if _, rest, found := strings.Cut(c.Text, "construct-release apply "); found {
				digest, _, _ := strings.Cut(rest, " ")
				if !seen[digest] {
					digests[name] = append(digests[name], digest)
				}
				seen[digest] = true
			}
		}
	}
	require.Len(t, digests, len(servers))
	return digests
}
