package sim_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/construct-server/infra/sim"
	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/control"
	"github.com/construct-server/infra/sim/host/dry"
	"github.com/digitalocean/godo"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/stretchr/testify/require"
)

func start(t *testing.T, o sim.Options) *sim.Simulator {
	t.Helper()
	o.Backend = dry.New(dry.Options{})
	o.Speed = &api.Speed{Boot: 20 * time.Millisecond, Action: 10 * time.Millisecond, Linger: 10 * time.Millisecond}
	s, err := sim.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func clients(t *testing.T, s *sim.Simulator) (*godo.Client, *hcloud.Client) {
	t.Helper()
	// As the official provider does it: the endpoint is the base URL as given.
	do, err := godo.New(&http.Client{Transport: bearer{}}, godo.SetBaseURL(s.URLs().DigitalOcean))
	require.NoError(t, err)
	hz := hcloud.NewClient(hcloud.WithEndpoint(s.URLs().Hetzner), hcloud.WithToken(strings.Repeat("x", 64)),
		hcloud.WithRetryOpts(hcloud.RetryOpts{BackoffFunc: hcloud.ConstantBackoff(time.Millisecond), MaxRetries: 2}))
	return do, hz
}

// bearer authorizes requests, and retries none.
type bearer struct{}

func (bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer x")
	return http.DefaultTransport.RoundTrip(r)
}

// call asks the control API and decodes its answer into out, if given.
func call(t *testing.T, s *sim.Simulator, method, path string, in, out any) int {
	t.Helper()
	body, err := json.Marshal(in)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, s.URLs().Control+path, bytes.NewReader(body))
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	if out != nil {
		require.NoError(t, json.NewDecoder(res.Body).Decode(out))
	}
	return res.StatusCode
}

func TestBothCloudsOnOnePort(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	do, hz := clients(t, s)
	for _, name := range []string{"first", "a"} { // the first is the region's default, which every account has
		_, _, err := do.VPCs.Create(t.Context(), &godo.VPCCreateRequest{Name: name, RegionSlug: "fra1"})
		require.NoError(t, err)
	}
	_, _, err := hz.PlacementGroup.Create(t.Context(), hcloud.PlacementGroupCreateOpts{Name: "b", Type: hcloud.PlacementGroupTypeSpread})
	require.NoError(t, err)

	var res map[string][]api.Resource
	call(t, s, "GET", "/resources", nil, &res)
	require.Equal(t, "a", res["digitalocean/vpc"][0].Name)
	require.Equal(t, "b", res["hetzner/placement_group"][0].Name)

	_, _, err = do.VPCs.Get(t.Context(), "nope")
	require.Error(t, err)
	var log control.Requests
	call(t, s, "GET", "/requests", nil, &log)
	require.Equal(t, map[string]int{"POST /v2/vpcs": 2, "POST /v1/placement_groups": 1, "GET /v2/vpcs/{id}": 1}, log.Counts)
	require.Equal(t, 404, log.Requests[3].Status)
	require.Equal(t, "/v2/vpcs/nope", log.Requests[3].Path)
	require.Equal(t, 204, call(t, s, "POST", "/requests/reset", nil, nil))
	call(t, s, "GET", "/requests", nil, &log)
	require.Zero(t, log.Total)

	var info control.Info
	call(t, s, "GET", "/info", nil, &info)
	require.Equal(t, s.Info(), info)
	require.Equal(t, "dry", info.Hosts)
}

func TestEmptyIsAnEmptyObject(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	res, err := http.Get(s.URLs().Control + "/resources")
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.JSONEq(t, `{}`, string(body))
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	do, hz := clients(t, s)
	add := func(f control.Fault) { require.Equal(t, 201, call(t, s, "POST", "/faults", f, nil)) }
	vpc := func(name, cidr string) error {
		_, _, err := do.VPCs.Create(t.Context(), &godo.VPCCreateRequest{Name: name, RegionSlug: "fra1", IPRange: cidr})
		return err
	}

	add(control.Fault{Kind: control.Status, Route: "^POST /v2/vpcs$", Status: 503, Times: 1, RetryAfter: 2})
	require.ErrorContains(t, vpc("a", "10.1.0.0/20"), "503")
	require.NoError(t, vpc("a", "10.1.0.0/20"), "once means once")

	add(control.Fault{Kind: control.LostAnswer, Method: "POST", Route: "/v2/vpcs", Times: 1})
	require.Error(t, vpc("b", "10.2.0.0/20"))
	require.ErrorContains(t, vpc("b", "10.2.0.0/20"), "already in use", "it was done, only the answer was lost")

	add(control.Fault{Kind: control.Latency, Route: "GET /v2/account", DelayMS: 150})
	began := time.Now()
	_, _, err := do.Account.Get(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 150*time.Millisecond)

	add(control.Fault{Kind: control.Capacity, Route: "POST /v1/servers", Host: "full"})
	add(control.Fault{Kind: control.Status, Route: "/v1/servers$", Body: `"b429"`, Status: 429})
	opts := hcloud.ServerCreateOpts{Name: "full", ServerType: &hcloud.ServerType{Name: "cx23"}, Image: &hcloud.Image{Name: "debian-12"}, Location: &hcloud.Location{Name: "fsn1"}}
	_, _, err = hz.Server.Create(t.Context(), opts)
	require.True(t, hcloud.IsError(err, hcloud.ErrorCodeResourceUnavailable), "%v", err)
	opts.Name = "b429"
	_, _, err = hz.Server.Create(t.Context(), opts)
	require.True(t, hcloud.IsError(err, hcloud.ErrorCodeRateLimitExceeded), "%v", err)

	var list struct{ Faults []control.Fault }
	call(t, s, "GET", "/faults", nil, &list)
	require.Len(t, list.Faults, 5)
	require.Equal(t, 1, list.Faults[0].Struck)
	require.Equal(t, 3, list.Faults[4].Struck, "the client retried twice")
	require.Equal(t, 204, call(t, s, "DELETE", "/faults", nil, nil))
	_, _, err = hz.Server.Create(t.Context(), opts)
	require.NoError(t, err)

	for _, bad := range []map[string]any{{"kind": "boom"}, {"kind": "status", "status": 200}, {"kind": "refuse-ssh"}, {"kind": "host-key"}, {"kind": "latency", "route": "("}, {"kind": "cut-ssh", "command": "("}, {"kind": "latency", "command": "true"}, {"kind": "loss", "percent": 20}, {"kind": "loss"}, {"kind": "latency", "percent": 20}, {"kind": "latency", "colour": "red"}} {
		require.Equal(t, 400, call(t, s, "POST", "/faults", bad, nil), "%v", bad)
	}
}

func TestRefusedSSH(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	do, _ := clients(t, s)
	require.Equal(t, 201, call(t, s, "POST", "/faults", control.Fault{Kind: control.RefuseSSH, Host: "shy"}, nil))
	for _, name := range []string{"shy", "open"} {
		_, _, err := do.Droplets.Create(t.Context(), &godo.DropletCreateRequest{Name: name, Region: "fra1", Size: "s-1vcpu-1gb", Image: godo.DropletCreateImage{Slug: "debian-12-x64"}})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		hosts := s.Control.Hosts()
		return hosts[0].Status == "active" && hosts[1].Status == "active"
	}, 10*time.Second, 10*time.Millisecond)
	dial := func(i int) error {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(s.Control.Hosts()[i].PublicIPv4, "2222"), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	require.Error(t, dial(0))
	require.Eventually(t, func() bool { return dial(1) == nil }, 5*time.Second, 10*time.Millisecond)
	call(t, s, "DELETE", "/faults", nil, nil)
	require.Eventually(t, func() bool { return dial(0) == nil }, 5*time.Second, 10*time.Millisecond)

	var hosts struct{ Hosts []api.Host }
	call(t, s, "GET", "/hosts", nil, &hosts)
	require.Len(t, hosts.Hosts, 2)
	require.Equal(t, 200, call(t, s, "GET", "/hosts/shy/commands", nil, nil))
	require.Equal(t, 404, call(t, s, "GET", "/hosts/nope/commands", nil, nil))
	var cmds control.Commands
	call(t, s, "GET", "/commands", nil, &cmds)
	require.Contains(t, cmds.Hosts, "open")
	require.Zero(t, cmds.Total)
}

func TestRegistryAndACMEAreTrusted(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{ACME: true, Registry: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })})
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM([]byte(s.Info().CAPEM)))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	for url, status := range map[string]int{"https://" + s.Info().Registry + "/v2/": http.StatusNoContent, s.Info().ACMEDirectory: 200} {
		res, err := client.Get(url)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, status, res.StatusCode)
	}
	require.True(t, x509.NewCertPool().AppendCertsFromPEM([]byte(s.Info().ACMERootPEM)))
}
