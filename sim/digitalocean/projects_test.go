package digitalocean_test

import (
	"testing"

	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A request names several resources; each is told its own outcome.
func TestAssigningToAProjectAnswersForEachResource(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	p, _, err := a.Projects.Create(a.ctx(), &godo.CreateProjectRequest{Name: "prod", Purpose: "Service or API"})
	require.NoError(t, err)
	v, _, err := a.Storage.CreateVolume(a.ctx(), &godo.VolumeCreateRequest{Name: "data", Region: "fra1", SizeGigaBytes: 1})
	require.NoError(t, err)

	const gone = "do:droplet:12345"
	for _, want := range []string{"assigned", "already_assigned"} {
		list, _, err := a.Projects.AssignResources(a.ctx(), p.ID, gone, v.URN())
		require.NoError(t, err, "a resource that is gone must not keep the others from being assigned")
		require.Len(t, list, 2)
		assert.Equal(t, gone, list[0].URN)
		assert.Equal(t, "not_found", list[0].Status)
		assert.Equal(t, v.URN(), list[1].URN)
		assert.Equal(t, want, list[1].Status)
	}
	have, _, err := a.Projects.ListResources(a.ctx(), p.ID, nil)
	require.NoError(t, err)
	require.Len(t, have, 1)
	assert.Equal(t, v.URN(), have[0].URN)
	assert.Equal(t, "ok", have[0].Status)

	_, resp, err := a.Projects.AssignResources(a.ctx(), p.ID, "droplet 12345")
	require.ErrorContains(t, err, "droplet 12345")
	assert.Equal(t, 422, resp.StatusCode)
	_, resp, err = a.Projects.AssignResources(a.ctx(), "4de7ac8b-495b-4884-9a69-1050c6793cd6", v.URN())
	require.Error(t, err)
	assert.Equal(t, 404, resp.StatusCode, "an unknown project is the request's failure")
}
