package digitalocean_test

import (
	"fmt"
	"testing"

	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/require"
)

func TestDomains(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	_, _, err := a.Domains.Create(a.ctx(), &godo.DomainCreateRequest{Name: "chat.example.com"})
	require.NoError(t, err)
	_, _, err = a.Domains.Create(a.ctx(), &godo.DomainCreateRequest{Name: "chat.example.com"})
	refused(t, err, 422, "already exists")
	rec, _, err := a.Domains.CreateRecord(a.ctx(), "chat.example.com", &godo.DomainRecordEditRequest{Type: "A", Name: "@", Data: "203.0.113.9"})
	require.NoError(t, err)
	require.Equal(t, 1800, rec.TTL)
	for message, edit := range map[string]godo.DomainRecordEditRequest{
		"Record already exists": {Type: "A", Name: "@", Data: "203.0.113.9"},
		"valid IPv4":            {Type: "A", Name: "@", Data: "x"},
		"CNAME records cannot":  {Type: "CNAME", Name: "@", Data: "x.example."},
		"TTL must":              {Type: "A", Name: "www", Data: "203.0.113.9", TTL: 5},
		"Type is not":           {Type: "HINFO", Name: "www", Data: "x"},
	} {
		_, _, err := a.Domains.CreateRecord(a.ctx(), "chat.example.com", &edit)
		refused(t, err, 422, message)
	}
	rec, _, err = a.Domains.EditRecord(a.ctx(), "chat.example.com", rec.ID, &godo.DomainRecordEditRequest{Type: "A", Data: "203.0.113.10", TTL: 60})
	require.NoError(t, err)
	require.Equal(t, "203.0.113.10", rec.Data)
	got, _, err := a.Domains.RecordsByTypeAndName(a.ctx(), "chat.example.com", "A", "chat.example.com", nil)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Contains(t, fmt.Sprint(a.cloud.Records()), "{chat.example.com @ A 60 [203.0.113.10]}")
	alias, _, err := a.Domains.CreateRecord(a.ctx(), "chat.example.com", &godo.DomainRecordEditRequest{Type: "CNAME", Name: "www", Data: "chat.example.com."})
	require.NoError(t, err)
	require.Equal(t, "chat.example.com", alias.Data, "shown without its final dot")
	_, err = a.Domains.DeleteRecord(a.ctx(), "chat.example.com", rec.ID)
	require.NoError(t, err)
	_, _, err = a.Domains.Record(a.ctx(), "chat.example.com", rec.ID)
	refused(t, err, 404, "")
	_, err = a.Domains.Delete(a.ctx(), "chat.example.com")
	require.NoError(t, err)
	_, _, err = a.Domains.Get(a.ctx(), "chat.example.com")
	refused(t, err, 404, "")
}
