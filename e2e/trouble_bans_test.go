package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
)

// tolerated is how many failures end in a ban: maxretry in fail2ban.conf.
const tolerated = 5

// banned has a stranger, whose network may dial, fail to log in on the gateway as
// often as is tolerated. From then on the stranger is refused, as fail2ban's own
// list says, and nobody else; the program's ruleset is as it was.
func (h *troubled) banned(t *testing.T) {
	gateway, at := h.containers["gateway"], h.servers["gateway"].PublicIP
	stranger, address := h.stranger(t)
	dial := "timeout 5 bash -c '</dev/tcp/" + at + "/22'"
	login := "ssh -F none -i /key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=5 construct@" + at + " true"
	ruleset := func() string {
		return run(t, nil, "docker", "exec", gateway, "nft", "--stateless", "list", "table", "inet", "construct")
	}
	before := ruleset()
	require.Contains(t, before, "chain")
	_, err := onContainer(t, stranger, dial)
	require.NoError(t, err, "the stranger is kept out by something else")
	h.mistyped(t)

	for n := range tolerated {
		said, err := onContainer(t, stranger, login)
		require.Error(t, err, "a key that nobody knows was let in")
		require.Contains(t, said, "Permission denied", "failure %d", n+1)
	}
	began := time.Now()
	onGateway := func() string { return gateway }
	awaitOn(t, onGateway, "fail2ban-client status sshd | grep -F 'Banned IP list:' | grep -wF "+address, 30*time.Second)
	measured(t, "%d failed log-ins were a ban after %.1f s", tolerated, time.Since(began).Seconds())
	said, err := onContainer(t, stranger, dial)
	require.Error(t, err, "the stranger still gets a connection")
	t.Logf("the stranger's next connection: %s", said)

	assert.Equal(t, before, ruleset(), "a ban has changed the program's ruleset")
	assert.Contains(t, h.on(t, "gateway", "sudo fail2ban-client status sshd"), address)
	assert.NotContains(t, h.on(t, "gateway", "sudo fail2ban-client banned"), troublePrefix.Addr().Next().String(), "the deploying machine is banned")
	assert.Contains(t, h.on(t, "db", "hostname"), h.servers["db"].Name, "the gateway lets nobody through any more")
	assert.Contains(t, h.on(t, "gateway", "sudo construct-firewall status"), "table inet construct")
	assert.Equal(t, []string{"same"}, kinds(hostsUp(t, h.Lab)))

	// As docs/security.md says.
	h.on(t, "gateway", "sudo fail2ban-client set sshd unbanip "+address)
	_, err = onContainer(t, stranger, dial)
	require.NoError(t, err, "a ban was lifted, and still holds")
}

// mistyped fails as often from the deploying machine, which must not be banned.
func (h *troubled) mistyped(t *testing.T) {
	t.Helper()
	target := h.target("gateway")
	target.KeyPath = filepath.Join(t.TempDir(), "key")
	run(t, nil, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", target.KeyPath)
	for range tolerated + 1 {
		_, err := lab.Dial(t.Context(), target)
		require.ErrorContains(t, err, "unable to authenticate")
	}
	time.Sleep(2 * time.Second) // a ban takes a second
	assert.NotEmpty(t, h.on(t, "gateway", "hostname"))
}

// stranger is a machine outside the fleet, with a key that nobody knows.
func (h *troubled) stranger(t *testing.T) (name, address string) {
	t.Helper()
	name = "csim-" + troubleInstance + "-stranger"
	free := troublePrefix.Masked().Addr()
	for range 200 { // far above what the cloud hands out
		free = free.Next()
	}
	image := strings.TrimSpace(run(t, nil, "docker", "inspect", "--format", "{{.Config.Image}}", h.containers["gateway"]))
	run(t, nil, "docker", "run", "--detach", "--init", "--name", name, "--label", "construct.sim=1", "--label", "construct.sim.instance="+troubleInstance,
		"--network", "csim-"+troubleInstance+"-internet", "--ip", free.String(), "--entrypoint", "sleep", image, "infinity")
	run(t, nil, "docker", "exec", name, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/key")
	return name, free.String()
}
