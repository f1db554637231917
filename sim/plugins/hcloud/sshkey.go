package hcloud

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) sshKey() *provider.Resource {
	read := func(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
		n, err := number(id)
		if err != nil {
			return nil, err
		}
		k, _, err := c.SSHKey.GetByID(ctx, n)
		if k, err = present(k, err); err != nil {
			return nil, err
		}
		return provider.Output{
			"name": k.Name, "publicKey": k.PublicKey, "fingerprint": k.Fingerprint, "labels": k.Labels,
		}, nil
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":      {Type: provider.String, Required: true, AutoName: 255},
			"publicKey": {Type: provider.String, Required: true, ForceNew: true},
			"labels":    labels(),
		},
		Outputs: map[string]provider.Type{"fingerprint": provider.String},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			k, _, err := c.SSHKey.Create(ctx, hcloud.SSHKeyCreateOpts{
				Name: in.String("name"), PublicKey: in.String("publicKey"), Labels: in.StringMap("labels"),
			})
			if err != nil {
				return "", nil, fmt.Errorf("create SSH key: %w", err)
			}
			out, err := read(ctx, text(k.ID), in)
			return text(k.ID), out, err
		},
		Read: read,
		Update: func(ctx context.Context, id string, _, in provider.Values) (provider.Output, error) {
			n, err := number(id)
			if err != nil {
				return nil, err
			}
			_, _, err = c.SSHKey.Update(ctx, &hcloud.SSHKey{ID: n}, hcloud.SSHKeyUpdateOpts{
				Name: in.String("name"), Labels: in.StringMap("labels"),
			})
			if err != nil {
				return nil, fmt.Errorf("update SSH key: %w", err)
			}
			return read(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			n, err := number(id)
			if err != nil {
				return err
			}
			_, err = c.SSHKey.Delete(ctx, &hcloud.SSHKey{ID: n})
			return gone(err)
		},
	}
}
