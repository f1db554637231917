package digitalocean_test

import (
	"testing"

	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/require"
)

// TestReadBack reads one by one what a refresh reads.
func TestReadBack(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	vpc := a.vpc("net", "10.30.0.0/24")
	read, _, err := a.VPCs.Get(a.ctx(), vpc.ID)
	require.NoError(t, err)
	require.Equal(t, vpc, read)

	key, _, err := a.Keys.Create(a.ctx(), &godo.KeyCreateRequest{Name: "key", PublicKey: newKey(t)})
	require.NoError(t, err)
	readKey, _, err := a.Keys.GetByID(a.ctx(), key.ID)
	require.NoError(t, err)
	require.Equal(t, key, readKey)

	_, _, err = a.Tags.Create(a.ctx(), &godo.TagCreateRequest{Name: "db"})
	require.NoError(t, err)
	volume, _, err := a.Storage.CreateVolume(a.ctx(), &godo.VolumeCreateRequest{Name: "data", Region: "fra1", SizeGigaBytes: 10, Tags: []string{"db"}})
	require.NoError(t, err)
	readVolume, _, err := a.Storage.GetVolume(a.ctx(), volume.ID)
	require.NoError(t, err)
	require.Equal(t, volume, readVolume)
	tag, _, err := a.Tags.Get(a.ctx(), "db")
	require.NoError(t, err)
	require.Equal(t, 1, tag.Resources.Volumes.Count)

	domain, _, err := a.Domains.Create(a.ctx(), &godo.DomainCreateRequest{Name: "x.example"})
	require.NoError(t, err)
	readDomain, _, err := a.Domains.Get(a.ctx(), "x.example")
	require.NoError(t, err)
	require.Equal(t, domain.Name, readDomain.Name)
	record, _, err := a.Domains.CreateRecord(a.ctx(), "x.example", &godo.DomainRecordEditRequest{Type: "A", Name: "@", Data: "192.0.2.1", TTL: 300})
	require.NoError(t, err)
	readRecord, _, err := a.Domains.Record(a.ctx(), "x.example", record.ID)
	require.NoError(t, err)
	require.Equal(t, record, readRecord)
}
