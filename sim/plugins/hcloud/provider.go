package hcloud

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// Version is the version of the SDK that the stand-in answers to.
const Version = "1.39.1"

const (
	// tokenLength is that of every token of the API.
	tokenLength = 64
	// The official provider's polling: from pollBase by 2 up to pollCap.
	pollBase = 500 * time.Millisecond
	pollCap  = 10 * time.Second
	// retryLimit is how long five tries with the official provider's pauses
	// (1, 2, 4, 8, 16 s) take; some operations try twice or ten times as often.
	retryLimit = 31 * time.Second
)

// cloud is the configured client that all resources share.
type cloud struct {
	*hcloud.Client
	pause time.Duration
}

// New returns the provider.
func New() *provider.Provider {
	c := &cloud{}
	const prefix = "hcloud:index/"
	return &provider.Provider{
		Name: "hcloud", Version: Version,
		Config: provider.Schema{
			"endpoint":     {Type: provider.String},
			"pollFunction": {Type: provider.String, OneOf: []string{"constant", "exponential"}},
			"pollInterval": {Type: provider.String},
			"token":        {Type: provider.String, Secret: true},
		},
		Configure: c.configure,
		Resources: map[string]*provider.Resource{
			prefix + "firewall:Firewall":                 c.firewall(),
			prefix + "network:Network":                   c.network(),
			prefix + "networkSubnet:NetworkSubnet":       c.networkSubnet(),
			prefix + "placementGroup:PlacementGroup":     c.placementGroup(),
			prefix + "primaryIp:PrimaryIp":               c.primaryIP(),
			prefix + "rdns:Rdns":                         c.rdns(),
			prefix + "server:Server":                     c.server(),
			prefix + "serverNetwork:ServerNetwork":       c.serverNetwork(),
			prefix + "sshKey:SshKey":                     c.sshKey(),
			prefix + "volume:Volume":                     c.volume(),
			prefix + "volumeAttachment:VolumeAttachment": c.volumeAttachment(),
			prefix + "zone:Zone":                         c.zone(),
			prefix + "zoneRrset:ZoneRrset":               c.zoneRRSet(),
		},
		Functions: c.functions(),
	}
}

// configure makes the client from the configuration and the environment.
func (c *cloud) configure(_ context.Context, in provider.Values) error {
	token := first(in.String("token"), os.Getenv("HCLOUD_TOKEN"))
	if len(token) != tokenLength {
		return fmt.Errorf("entered token is invalid (must be exactly %d characters long)", tokenLength)
	}
	opts := []hcloud.ClientOption{
		hcloud.WithToken(token), hcloud.WithApplication("construct-sim-hcloud", Version),
	}
	if endpoint := first(in.String("endpoint"), os.Getenv("HCLOUD_ENDPOINT")); endpoint != "" {
		opts = append(opts, hcloud.WithEndpoint(endpoint))
	}
	backoff, err := polling(in)
	if err != nil {
		return err
	}
	if c.pause, err = provider.PollInterval(); err != nil {
		return err
	}
	c.Client = hcloud.NewClient(append(opts, hcloud.WithPollOpts(hcloud.PollOpts{BackoffFunc: backoff}))...)
	return nil
}

// polling is the official provider's schedule, or a constant interval where
// provider.PollVariable is set.
func polling(in provider.Values) (hcloud.BackoffFunc, error) {
	if text := in.String("pollInterval"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("pollInterval %q: %w", text, err)
		}
		if in.String("pollFunction") == "constant" {
			return hcloud.ConstantBackoff(d), nil
		}
		return hcloud.ExponentialBackoff(2, d), nil
	}
	if os.Getenv(provider.PollVariable) != "" {
		d, err := provider.PollInterval()
		return hcloud.ConstantBackoff(d), err
	}
	return hcloud.ExponentialBackoffWithOpts(hcloud.ExponentialBackoffOpts{
		Base: pollBase, Multiplier: 2, Cap: pollCap,
	}), nil
}

// finish waits for actions; absent ones are skipped.
func (c *cloud) finish(ctx context.Context, actions ...*hcloud.Action) error {
	var wait []*hcloud.Action
	for _, a := range actions {
		if a != nil {
			wait = append(wait, a)
		}
	}
	if len(wait) == 0 {
		return nil
	}
	return c.Action.WaitFor(ctx, wait...)
}

// while retries an action for as long as the API gives one of the passing
// errors, and waits for it.
func (c *cloud) while(ctx context.Context, limit time.Duration, passing []hcloud.ErrorCode,
	start func() (*hcloud.Action, error),
) error {
	return provider.Retry(ctx, c.pause, limit, isCode(passing...), func() error {
		a, err := start()
		if err != nil {
			return err
		}
		return c.finish(ctx, a)
	})
}

func isCode(codes ...hcloud.ErrorCode) func(error) bool {
	return func(err error) bool { return hcloud.IsError(err, codes...) }
}

// gone lets the deletion of what is gone already succeed.
func gone(err error) error {
	if hcloud.IsError(err, hcloud.ErrorCodeNotFound) {
		return nil
	}
	return err
}

// present turns what the client returned into an error where there is nothing.
func present[T any](v *T, err error) (*T, error) {
	switch {
	case hcloud.IsError(err, hcloud.ErrorCodeNotFound):
		return nil, provider.ErrNotFound
	case err != nil:
		return nil, err
	case v == nil:
		return nil, provider.ErrNotFound
	}
	return v, nil
}

// number reads an id.
func number(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("id %q is no number: %w", id, err)
	}
	return n, nil
}

func text(id int64) string { return strconv.FormatInt(id, 10) }

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// errNoAttachment is for a server that is not, or not any more, in a network.
var errNoAttachment = errors.New("server is not attached to the network")

func labels() provider.Property { return provider.Property{Type: provider.MapOf(provider.String)} }

func protection() provider.Property { return provider.Property{Type: provider.Bool, Default: false} }
