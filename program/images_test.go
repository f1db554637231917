package program

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/stacks"
)

// The configuration asks for digests of exactly the images that will run.
func TestUsedImagesAreTheCataloguesOwn(t *testing.T) {
	t.Parallel()
	for _, f := range []struct{ media, logs bool }{{true, false}, {true, true}, {false, false}} {
		for _, brokers := range [][]string{nil, {"b1.example.com:9092"}} {
			cfg := &config.Config{
				Roles: config.Roles{MediaEnabled: f.media}, Kafka: config.Kafka{Brokers: brokers}, Logs: config.Logs{Enabled: f.logs},
			}
			all, err := stacks.Catalogue(stacks.LineS, stacks.Features{Media: f.media, ExternalKafka: brokers != nil, Logs: f.logs})
			require.NoError(t, err)
			var run []string
			for _, s := range all {
				if s.Image != stacks.ConstructImage && !slices.Contains(run, s.Image) {
					run = append(run, s.Image)
				}
			}
			slices.Sort(run)
			assert.Equal(t, run, cfg.UsedImages(), "%+v, brokers %v", f, brokers)
		}
	}
}
