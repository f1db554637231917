package hetzner_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"flag"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/api/apitest"
	"github.com/construct-server/infra/sim/hetzner"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

var (
	update = flag.Bool("update", false, "write down the routes that the tests walk")
	walked = apitest.Walked{Client: "hcloud-go"}
)

func TestMain(m *testing.M) { os.Exit(walked.Main(m, update)) }

// project is an emulated project with a client.
type project struct {
	*hcloud.Client
	t       *testing.T
	cloud   *hetzner.Cloud
	backend *apitest.Backend
	url     string
}

// quick is fast enough for a test and slow enough to see states change.
var quick = api.Speed{Boot: 60 * time.Millisecond, Action: 30 * time.Millisecond}

func newProject(t *testing.T, change ...func(*hetzner.Options)) *project {
	t.Helper()
	o := hetzner.Options{Backend: apitest.NewBackend(), Speed: quick, Logf: t.Logf}
	for _, f := range change {
		f(&o)
	}
	cloud := hetzner.New(o)
	srv := httptest.NewServer(walked.Wrap(cloud))
	t.Cleanup(func() { srv.Close(); cloud.Close() })
	client := hcloud.NewClient(
		hcloud.WithEndpoint(srv.URL+"/v1"), hcloud.WithToken(strings.Repeat("x", 64)),
		hcloud.WithPollOpts(hcloud.PollOpts{BackoffFunc: hcloud.ConstantBackoff(5 * time.Millisecond)}),
		hcloud.WithRetryOpts(hcloud.RetryOpts{BackoffFunc: hcloud.ConstantBackoff(time.Millisecond), MaxRetries: 1}),
	)
	return &project{Client: client, t: t, cloud: cloud, backend: o.Backend.(*apitest.Backend), url: srv.URL}
}

func (p *project) ctx() context.Context { return p.t.Context() }

// done waits for actions.
func (p *project) done(actions ...*hcloud.Action) {
	p.t.Helper()
	require.NoError(p.t, p.Action.WaitFor(p.ctx(), actions...))
}

// acted waits for the action of a call.
func (p *project) acted(a *hcloud.Action, _ *hcloud.Response, err error) {
	p.t.Helper()
	require.NoError(p.t, err)
	p.done(a)
}

func newKey(t *testing.T) string {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	k, err := ssh.NewPublicKey(pub)
	require.NoError(t, err)
	return string(ssh.MarshalAuthorizedKey(k))
}

func cidr(t *testing.T, s string) *net.IPNet {
	t.Helper()
	_, n, err := net.ParseCIDR(s)
	require.NoError(t, err)
	return n
}

func (p *project) network(name, prefix, subnet string) *hcloud.Network {
	p.t.Helper()
	n, _, err := p.Network.Create(p.ctx(), hcloud.NetworkCreateOpts{Name: name, IPRange: cidr(p.t, prefix), Labels: map[string]string{"stack": "prod"}})
	require.NoError(p.t, err)
	if subnet != "" {
		p.acted(p.Network.AddSubnet(p.ctx(), n, hcloud.NetworkAddSubnetOpts{Subnet: hcloud.NetworkSubnet{
			Type: hcloud.NetworkSubnetTypeCloud, IPRange: cidr(p.t, subnet), NetworkZone: hcloud.NetworkZoneEUCentral,
		}}))
	}
	return n
}

// serverOpts is a server that can be had.
func serverOpts(name string) hcloud.ServerCreateOpts {
	return hcloud.ServerCreateOpts{
		Name: name, ServerType: &hcloud.ServerType{Name: "cx23"}, Image: &hcloud.Image{Name: "debian-12"},
		Location: &hcloud.Location{Name: "fsn1"},
	}
}

// server creates a server and waits until it runs.
func (p *project) server(o hcloud.ServerCreateOpts) *hcloud.Server {
	p.t.Helper()
	res, _, err := p.Server.Create(p.ctx(), o)
	require.NoError(p.t, err)
	require.Equal(p.t, hcloud.ServerStatusInitializing, res.Server.Status)
	require.Equal(p.t, hcloud.ActionStatusRunning, res.Action.Status)
	p.done(append(res.NextActions, res.Action)...)
	return p.get(res.Server.ID)
}

func (p *project) get(id int64) *hcloud.Server {
	p.t.Helper()
	s, _, err := p.Server.GetByID(p.ctx(), id)
	require.NoError(p.t, err)
	require.NotNil(p.t, s)
	return s
}

func (p *project) off(s *hcloud.Server) { p.t.Helper(); p.acted(p.Server.Poweroff(p.ctx(), s)) }

// refused asserts an error answer.
func refused(t *testing.T, err error, code hcloud.ErrorCode, message string) {
	t.Helper()
	var e hcloud.Error
	require.ErrorAs(t, err, &e, "want an error answer")
	require.Equal(t, code, e.Code, e.Message)
	require.Contains(t, e.Message, message)
}
