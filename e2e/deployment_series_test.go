package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/stacks"
	"github.com/construct-server/infra/stacks/series"
)

// series expects a series for everything that a rule or a panel refers to. The
// hosts' own are written every minute and scraped every quarter of one.
func (d *deployment) series(t *testing.T) {
	dashboards, err := stacks.Dashboards(stacks.Features{Media: true})
	require.NoError(t, err)
	get := func(path string) (string, error) {
		return d.on(t, "media", "sudo docker exec construct-prometheus-1 wget -q -O - 'http://127.0.0.1:9090"+path+"'"), nil
	}
	var problems []string
	for deadline := time.Now().Add(4 * time.Minute); ; time.Sleep(10 * time.Second) {
		problems, err = series.Check(get, dashboards)
		require.NoError(t, err)
		if len(problems) == 0 || time.Now().After(deadline) {
			break
		}
	}
	require.Empty(t, problems)
}
