package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/e2e/lab"
)

// powerCut cuts the power of every server at once and gives it back: all comes
// up healthy without a hand, and what was acknowledged is there. The servers'
// processes and file systems are cut in the middle; the machine's page cache is
// not, so that only processes can have lost what they had not yet written.
func (d *deployment) powerCut(t *testing.T) {
	api, err := godo.New(godo.NewFromToken("anything").HTTPClient, godo.SetBaseURL(d.Sim.Info().DigitalOcean))
	require.NoError(t, err)
	droplets, _, err := api.Droplets.List(t.Context(), &godo.ListOptions{PerPage: 100})
	require.NoError(t, err)
	require.Len(t, droplets, len(d.servers))
	all := func(verb string, do func(id int) (*godo.Action, error)) {
		var actions []*godo.Action
		for _, droplet := range droplets {
			action, err := do(droplet.ID)
			require.NoError(t, err)
			actions = append(actions, action)
		}
		for _, action := range actions {
			require.Eventually(t, func() bool {
				now, _, err := api.Actions.Get(t.Context(), action.ID)
				return err == nil && now.Status == godo.ActionCompleted
			}, 2*time.Minute, 200*time.Millisecond, verb)
		}
	}

	d.redis(t, "db", "primary", "SET", "e2e:power", "kept")
	time.Sleep(redisHoldsBack)
	user := d.accept(t, "heidi")
	all("power off", func(id int) (*godo.Action, error) {
		action, _, err := api.DropletActions.PowerOff(t.Context(), id)
		return action, err
	})
	start := time.Now()
	all("power on", func(id int) (*godo.Action, error) {
		action, _, err := api.DropletActions.PowerOn(t.Context(), id)
		return action, err
	})
	for role := range d.servers {
		d.healthy(t, role)
	}
	measured(t, "%s: the power of all five was cut: healthy again %.0f s after it came back", d.cloud, time.Since(start).Seconds())

	assert.Equal(t, "kept", d.redis(t, "db", "primary", "GET", "e2e:power"))
	row := d.on(t, "db", "sudo docker exec construct-postgres-1 psql -U postgres -d construct -Atc \"SELECT id FROM users WHERE username = 'heidi'\"")
	assert.Equal(t, user.ID, strings.TrimSpace(row))
	d.delivers(t, user)
	d.delivers(t, d.accept(t, "ivan"))
	d.replica(t)
	d.noop(t)
}

// healthy waits until a host logs in and each of its containers is healthy, or
// running if it has no health check.
func (d *deployment) healthy(t *testing.T, role string) {
	t.Helper()
	said := ""
	for deadline := time.Now().Add(4 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) {
		client, err := lab.Dial(t.Context(), d.target(role))
		if err != nil {
			said = err.Error()
			continue
		}
		said, err = client.Run(t.Context(), "sudo docker ps --all --format '{{.Names}} {{.Status}}'")
		_ = client.Close()
		up, all := strings.Count(said, " Up "), strings.Count(said, "\n")
		if err == nil && all > 0 && up == all && !strings.Contains(said, "starting") && !strings.Contains(said, "unhealthy") {
			return
		}
	}
	require.Fail(t, role+" is not well: "+said)
}
