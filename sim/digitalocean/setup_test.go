package digitalocean_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"flag"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/api/apitest"
	"github.com/construct-server/infra/sim/digitalocean"
	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

var (
	update = flag.Bool("update", false, "write down the routes that the tests walk")
	walked = apitest.Walked{Client: "godo"}
)

func TestMain(m *testing.M) { os.Exit(walked.Main(m, update)) }

// account is an emulated account with a client.
type account struct {
	*godo.Client
	t       *testing.T
	cloud   *digitalocean.Cloud
	backend *apitest.Backend
	url     string
}

// quick is fast enough for a test and slow enough to see states change.
var quick = api.Speed{Boot: 60 * time.Millisecond, Action: 30 * time.Millisecond, Linger: 60 * time.Millisecond}

func newAccount(t *testing.T, change ...func(*digitalocean.Options)) *account {
	t.Helper()
	o := digitalocean.Options{Backend: apitest.NewBackend(), Speed: quick, Logf: t.Logf}
	for _, f := range change {
		f(&o)
	}
	cloud := digitalocean.New(o)
	srv := httptest.NewServer(walked.Wrap(cloud))
	t.Cleanup(func() { srv.Close(); cloud.Close() })
	client, err := godo.New(godo.NewFromToken("anything").HTTPClient, godo.SetBaseURL(srv.URL))
	require.NoError(t, err)
	return &account{Client: client, t: t, cloud: cloud, backend: o.Backend.(*apitest.Backend), url: srv.URL}
}

func (a *account) ctx() context.Context { return a.t.Context() }

func newKey(t *testing.T) string {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	k, err := ssh.NewPublicKey(pub)
	require.NoError(t, err)
	return string(ssh.MarshalAuthorizedKey(k))
}

// done waits for an action.
func (a *account) done(act *godo.Action, _ *godo.Response, err error) {
	a.t.Helper()
	require.NoError(a.t, err)
	require.Equal(a.t, "in-progress", act.Status)
	require.Nil(a.t, act.CompletedAt)
	require.Eventually(a.t, func() bool {
		got, _, err := a.Actions.Get(a.ctx(), act.ID)
		require.NoError(a.t, err)
		return got.Status == "completed" && got.CompletedAt != nil
	}, 5*time.Second, 5*time.Millisecond, "action %s", act.Type)
}

func (a *account) vpc(name, cidr string) *godo.VPC {
	a.t.Helper()
	v, _, err := a.VPCs.Create(a.ctx(), &godo.VPCCreateRequest{Name: name, RegionSlug: "fra1", IPRange: cidr})
	require.NoError(a.t, err)
	return v
}

// droplet creates a droplet and waits until it is active.
func (a *account) droplet(req godo.DropletCreateRequest) *godo.Droplet {
	a.t.Helper()
	if req.Region == "" {
		req.Region = "fra1"
	}
	if req.Size == "" {
		req.Size = "s-1vcpu-2gb"
	}
	if req.Image.Slug == "" {
		req.Image.Slug = "debian-12-x64"
	}
	d, resp, err := a.Droplets.Create(a.ctx(), &req)
	require.NoError(a.t, err)
	require.Equal(a.t, 202, resp.StatusCode)
	require.Equal(a.t, "new", d.Status)
	require.Len(a.t, resp.Links.Actions, 1)
	return a.active(d.ID)
}

func (a *account) active(id int) *godo.Droplet {
	a.t.Helper()
	var d *godo.Droplet
	require.Eventually(a.t, func() bool {
		var err error
		d, _, err = a.Droplets.Get(a.ctx(), id)
		require.NoError(a.t, err)
		return d.Status == "active" && !d.Locked
	}, 5*time.Second, 5*time.Millisecond)
	return d
}

// refused asserts an error answer.
func refused(t *testing.T, err error, status int, message string) {
	t.Helper()
	var e *godo.ErrorResponse
	require.ErrorAs(t, err, &e, "want an error answer")
	require.Equal(t, status, e.Response.StatusCode, e.Message)
	require.Contains(t, e.Message, message)
}
