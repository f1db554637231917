package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/config/configtest"
	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/host/dry"
)

// TestVolumeGrows asks for a larger volume: the cloud resizes it, then its host
// is told to grow the file system, and nothing else is done.
func TestVolumeGrows(t *testing.T) {
	if testing.Short() {
		t.Skip("short: runs the engine four times a cloud")
	}
	const growth = "grow the file system of construct-test-db-1 to "
	for _, cloud := range clouds {
		t.Run(string(cloud), func(t *testing.T) {
			t.Parallel()
			var l *lab.Lab
			var seen atomic.Int64
			l = startDryWith(t, cloud, dry.Options{Respond: func(_, command string) (string, int) {
				if !strings.Contains(command, growth) {
					return "", 0
				}
				size, err := volumeSize(t.Context(), l, cloud)
				if err != nil {
					return err.Error(), 1
				}
				seen.Store(size)
				return "", 0
			}})
			up(t, l)
			assert.EqualValues(t, 10, seen.Load())
			before := commands(t, l)

			require.NoError(t, l.Configure(t.Context(), configtest.Merge(l.Settings, map[string]any{
				"construct:roles": map[string]any{"db": map[string]any{"volumeGb": 30}},
			})))
			assert.Contains(t, preview(t, l), growth+"30 GB")
			up(t, l)
			assert.EqualValues(t, 30, seen.Load(), "the file system was to grow before the volume had")
			after := commands(t, l)
			for name, list := range after.Hosts {
				ran := list[len(before.Hosts[name]):]
				if name != "construct-test-db-1" {
					assert.Empty(t, ran, "%s was touched", name)
				} else if assert.Len(t, ran, 1) {
					assert.Contains(t, ran[0].Text, growth+"30 GB")
				}
			}
			assert.Equal(t, []string{"same"}, kinds(up(t, l)))
			destroy(t, l)
		})
	}
}

// volumeSize is the size of the database's volume as its cloud says it, in GB.
func volumeSize(ctx context.Context, l *lab.Lab, cloud config.Cloud) (int64, error) {
	url := l.Sim.Info().Hetzner + "/volumes?name=construct-test-db-1-data"
	if cloud == config.DigitalOcean {
		url = l.Sim.Info().DigitalOcean + "/v2/volumes?name=construct-test-db-1-data"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.Repeat("0", 64))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	var list struct {
		Volumes []struct {
			Hetzner      int64 `json:"size"`
			DigitalOcean int64 `json:"size_gigabytes"`
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return 0, err
	}
	if len(list.Volumes) != 1 {
		return 0, fmt.Errorf("%s: %d volumes", url, len(list.Volumes))
	}
	return list.Volumes[0].Hetzner + list.Volumes[0].DigitalOcean, nil
}
