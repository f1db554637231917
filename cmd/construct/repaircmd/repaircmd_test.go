package repaircmd

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingIsDoneWithoutAYes(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, confirm(&options{}, strings.NewReader("yes\n"), io.Discard), "no terminal to ask on (want --yes)")
	require.NoError(t, confirm(&options{yes: true}, strings.NewReader(""), io.Discard))
}

func TestWhatIsShown(t *testing.T) {
	t.Parallel()
	volume := step{URN: "urn:pulumi:prod::construct::a$hcloud:index/volume:Volume::db-1-data", Type: "hcloud:index/volume:Volume", Inputs: inputs{"name": "construct-prod-db-1-data"}}
	server := step{URN: "urn:pulumi:prod::construct::a$hcloud:index/server:Server::db-1", Type: "hcloud:index/server:Server"}
	nothing := func(context.Context) error { return nil }
	for want, f := range map[string]*found{
		"take up Volume construct-prod-db-1-data (7)":                          {step: volume, id: "7"},
		"delete  Server db-1 (8): it holds no volume, and is made again":       {step: server, id: "8", loses: noVolume, remove: nothing},
		"leave   Server db-1 (8): " + holdsVolume:                              {step: server, id: "8", leave: holdsVolume},
		"start   Server db-1 (8): it is off, as one is that was being resized": {step: server, id: "8", start: nothing},
	} {
		assert.Equal(t, want, f.String())
	}
}

// The engine's JSON, of which only some is needed.
func TestInputs(t *testing.T) {
	t.Parallel()
	var in inputs
	require.NoError(t, json.Unmarshal([]byte(`{"name": "construct-prod-db-1", "serverId": 50000071, "volumeId": "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
		"labels": {"project": "construct", "stack": "prod", "role": "db"}, "tags": ["construct-prod", "construct-prod-db"],
		"records": [{"value": "203.0.113.7"}]}`), &in))
	assert.Equal(t, "construct-prod-db-1", in.text("name"))
	assert.EqualValues(t, 50000071, in.number("serverId"))
	assert.Zero(t, in.number("volumeId"), "what is not known yet has no number")
	assert.Equal(t, "project=construct,stack=prod", in.labels())
	assert.Equal(t, "construct-prod", in.tag())
	assert.Equal(t, "203.0.113.7", in.record())
	assert.Empty(t, inputs{}.record())
	assert.Empty(t, inputs{}.tag())
}
