package digitalocean

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
)

func (c *cloud) sshKey() *provider.Resource {
	trimmed := func(state, input any) bool {
		a, _ := state.(string)
		b, _ := input.(string)
		return strings.TrimSpace(a) == strings.TrimSpace(b)
	}
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":      {Type: provider.String, Required: true, AutoName: 255},
			"publicKey": {Type: provider.String, Required: true, ForceNew: true, Same: trimmed},
		},
		Outputs: map[string]provider.Type{"fingerprint": provider.String},
		Create:  c.createSSHKey,
		Read:    c.readSSHKey,
		Update: func(ctx context.Context, id string, _, in provider.Values) (provider.Output, error) {
			n, err := number(id)
			if err != nil {
				return nil, err
			}
			if _, _, err := c.Keys.UpdateByID(ctx, n, &godo.KeyUpdateRequest{Name: in.String("name")}); err != nil {
				return nil, fmt.Errorf("update SSH key: %w", err)
			}
			return c.readSSHKey(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			n, err := number(id)
			if err != nil {
				return err
			}
			_, err = c.Keys.DeleteByID(ctx, n)
			return gone(err)
		},
	}
}

// createSSHKey waits until the key can be read, as the official provider does.
func (c *cloud) createSSHKey(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	k, _, err := c.Keys.Create(ctx, &godo.KeyCreateRequest{
		Name: in.String("name"), PublicKey: in.String("publicKey"),
	})
	if err != nil {
		return "", nil, fmt.Errorf("create SSH key: %w", err)
	}
	id := strconv.Itoa(k.ID)
	absent := func(err error) bool { return status(err) == http.StatusNotFound }
	err = provider.Retry(ctx, c.poll, sshKeyLimit, absent, func() error {
		_, _, err := c.Keys.GetByID(ctx, k.ID)
		return err
	})
	if err != nil {
		return id, nil, fmt.Errorf("read SSH key: %w", err)
	}
	out, err := c.readSSHKey(ctx, id, in)
	return id, out, err
}

func (c *cloud) readSSHKey(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	k, _, err := c.Keys.GetByID(ctx, n)
	if err != nil {
		return nil, found(err)
	}
	return provider.Output{"name": k.Name, "fingerprint": k.Fingerprint, "publicKey": k.PublicKey}, nil
}

// number reads a numeric id.
func number(id string) (int, error) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0, fmt.Errorf("id %q is no number: %w", id, err)
	}
	return n, nil
}
