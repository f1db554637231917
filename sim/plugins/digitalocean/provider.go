package digitalocean

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
	"golang.org/x/oauth2"
)

// Version is the version of the SDK that the stand-in answers to.
const Version = "4.76.0"

// The official provider's defaults: retries of a request, and the shortest and
// longest pause between them in seconds.
const (
	retryMax     = 4
	retryWaitMin = 1.0
	retryWaitMax = 30.0
	defaultAPI   = "https://api.digitalocean.com"
)

// Time limits of the official provider.
const (
	actionLimit  = 60 * time.Minute
	destroyLimit = 60 * time.Second
	vpcLimit     = 2 * time.Minute
	projectLimit = 3 * time.Minute
	attachLimit  = 5 * time.Minute
	sshKeyLimit  = 2 * time.Minute
	idleLimit    = 2 * time.Minute
)

// cloud is the configured client that all resources share.
type cloud struct {
	*godo.Client
	poll time.Duration
	// vpcs serializes the creation of VPCs, which may race for a range.
	vpcs sync.Mutex
}

// New returns the provider.
func New() *provider.Provider {
	c := &cloud{}
	const prefix = "digitalocean:index/"
	return &provider.Provider{
		Name: "digitalocean", Version: Version,
		Config: provider.Schema{
			"apiEndpoint":       {Type: provider.String},
			"httpRetryMax":      {Type: provider.Int},
			"httpRetryWaitMax":  {Type: provider.Number},
			"httpRetryWaitMin":  {Type: provider.Number},
			"requestsPerSecond": {Type: provider.Number},
			"token":             {Type: provider.String, Secret: true},
		},
		Configure: c.configure,
		Resources: map[string]*provider.Resource{
			prefix + "dnsRecord:DnsRecord":                       c.dnsRecord(),
			prefix + "domain:Domain":                             c.domain(),
			prefix + "droplet:Droplet":                           c.droplet(),
			prefix + "firewall:Firewall":                         c.firewall(),
			prefix + "project:Project":                           c.project(),
			prefix + "projectResources:ProjectResources":         c.projectResources(),
			prefix + "reservedIp:ReservedIp":                     c.reservedIP(),
			prefix + "reservedIpAssignment:ReservedIpAssignment": c.reservedIPAssignment(),
			prefix + "sshKey:SshKey":                             c.sshKey(),
			prefix + "tag:Tag":                                   c.tag(),
			prefix + "volume:Volume":                             c.volume(),
			prefix + "volumeAttachment:VolumeAttachment":         c.volumeAttachment(),
			prefix + "vpc:Vpc":                                   c.vpc(),
		},
		Functions: c.functions(),
	}
}

// configure makes the client from the configuration and the environment.
func (c *cloud) configure(ctx context.Context, in provider.Values) error {
	token := first(in.String("token"), os.Getenv("DIGITALOCEAN_TOKEN"), os.Getenv("DIGITALOCEAN_ACCESS_TOKEN"))
	endpoint := first(in.String("apiEndpoint"), os.Getenv("DIGITALOCEAN_API_URL"), defaultAPI)
	base, err := url.Parse(endpoint)
	if err != nil {
		return fmt.Errorf("apiEndpoint %q: %w", endpoint, err)
	}
	if c.poll, err = provider.PollInterval(); err != nil {
		return err
	}
	var opts []godo.ClientOpt
	if n := intOr(in, "httpRetryMax", retryMax); n > 0 {
		opts = append(opts, godo.WithRetryAndBackoffs(godo.RetryConfig{
			RetryMax:     n,
			RetryWaitMin: godo.PtrTo(floatOr(in, "httpRetryWaitMin", retryWaitMin)),
			RetryWaitMax: godo.PtrTo(floatOr(in, "httpRetryWaitMax", retryWaitMax)),
		}))
	}
	opts = append(opts, godo.SetUserAgent("construct-sim-digitalocean/"+Version))
	if perSecond := in.Float("requestsPerSecond"); perSecond > 0 {
		opts = append(opts, godo.SetStaticRateLimit(perSecond))
	}
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
	c.Client, err = godo.New(oauth2.NewClient(context.WithoutCancel(ctx), source), opts...)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	c.BaseURL = base
	return nil
}

// status is the HTTP status of an API error, 0 for others.
func status(err error) int {
	var e *godo.ErrorResponse
	if errors.As(err, &e) && e.Response != nil {
		return e.Response.StatusCode
	}
	return 0
}

// found turns the API's 404 into the word for it.
func found(err error) error {
	if status(err) == http.StatusNotFound {
		return provider.ErrNotFound
	}
	return err
}

// pending reports the passing error of a droplet that is busy.
func pending(err error) bool {
	return status(err) == http.StatusUnprocessableEntity && strings.Contains(err.Error(), "pending event")
}

// finish waits for an action. It is over when completed_at is set.
func (c *cloud) finish(ctx context.Context, what string, a *godo.Action) error {
	return provider.Wait(ctx, c.poll, actionLimit, what, func() (bool, error) {
		now, _, err := c.Actions.Get(ctx, a.ID)
		if err != nil {
			return false, err
		}
		return over(now)
	})
}

func over(a *godo.Action) (bool, error) {
	if a.Status == "errored" {
		return false, fmt.Errorf("action %d (%s) ended as errored", a.ID, a.Type)
	}
	return a.CompletedAt != nil, nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func intOr(v provider.Values, k string, otherwise int) int {
	if v.Has(k) {
		return v.Int(k)
	}
	return otherwise
}

func floatOr(v provider.Values, k string, otherwise float64) float64 {
	if v.Has(k) {
		return v.Float(k)
	}
	return otherwise
}

// foldCase compares slugs, which the API spells in lower case.
func foldCase(state, input any) bool {
	a, _ := state.(string)
	b, _ := input.(string)
	return strings.EqualFold(a, b)
}
