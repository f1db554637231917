package hcloud

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// deleteSubnet waits for attached resources to go. If they do not, the subnet
// is left to the deletion of its network, as the official provider leaves it.
func (c *cloud) deleteSubnet(ctx context.Context, id string, _ provider.Values) error {
	passing := func(err error) bool {
		return hcloud.IsError(err, hcloud.ErrorCodeConflict, hcloud.ErrorCodeLocked) || attached(err)
	}
	err := provider.Retry(ctx, c.pause, 10*retryLimit, passing, func() error {
		network, s, err := c.subnet(ctx, id)
		if errors.Is(err, provider.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		a, _, err := c.Network.DeleteSubnet(ctx, network, hcloud.NetworkDeleteSubnetOpts{Subnet: *s})
		if err != nil {
			return gone(err)
		}
		return c.finish(ctx, a)
	})
	if err != nil && !attached(err) {
		return fmt.Errorf("delete subnet %q: %w", id, err)
	}
	return nil
}

// attached reports the API's refusal to delete a subnet in use.
func attached(err error) bool {
	return hcloud.IsError(err, hcloud.ErrorCodeServiceError) &&
		(strings.Contains(err.Error(), "servers are attached") ||
			strings.Contains(err.Error(), "network has attached resources"))
}
