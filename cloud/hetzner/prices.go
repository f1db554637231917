package hetzner

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// priceTimeout bounds asking for prices, which nothing depends on.
const priceTimeout = 10 * time.Second

// Account is how to ask Hetzner's API itself. Pulumi's provider tells no prices.
type Account struct {
	Token    string
	Endpoint string // default: Hetzner's own
}

// price is a month's price of a server type in a location, without taxes.
type price struct {
	amount   float64
	currency string
}

// prices are those of a location, by server type.
func (a Account) prices(ctx context.Context, location string) (map[string]price, error) {
	ctx, cancel := context.WithTimeout(ctx, priceTimeout)
	defer cancel()
	options := []hcloud.ClientOption{hcloud.WithToken(a.Token)}
	if a.Endpoint != "" {
		options = append(options, hcloud.WithEndpoint(a.Endpoint))
	}
	list, _, err := hcloud.NewClient(options...).Pricing.Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("read Hetzner's prices: %w", err)
	}
	found := map[string]price{}
	for _, t := range list.ServerTypes {
		for _, in := range t.Pricings {
			if in.Location.Name != location {
				continue
			}
			amount, err := strconv.ParseFloat(in.Monthly.Net, 64)
			if err != nil {
				return nil, fmt.Errorf("read Hetzner's price of %s: %w", t.ServerType.Name, err)
			}
			found[t.ServerType.Name] = price{amount, in.Monthly.Currency}
		}
	}
	return found, nil
}
