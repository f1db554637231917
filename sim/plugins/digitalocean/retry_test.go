package digitalocean_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/plugins/digitalocean"
	"github.com/construct-server/infra/sim/plugins/provider"
)

const vpcURN = resource.URN("urn:pulumi:s::p::digitalocean:index/vpc:Vpc::v")

// deleteVPC deletes one against an API that first gives the statuses.
func deleteVPC(t *testing.T, retryAfter string, statuses ...int) (requests int, took time.Duration, err error) {
	t.Helper()
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := int(n.Add(1)) - 1
		if r.Header.Get("Authorization") != "Bearer t0ken" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if i >= len(statuses) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(statuses[i])
		fmt.Fprint(w, `{"id":"x","message":"the API says no"}`)
	}))
	defer srv.Close()
	s, err := provider.NewServer(digitalocean.New(), "")
	require.NoError(t, err)
	_, err = s.Configure(t.Context(), plugin.ConfigureRequest{Inputs: resource.NewPropertyMapFromMap(map[string]any{
		"apiEndpoint": srv.URL, "token": "t0ken", "httpRetryWaitMin": 0.01, "httpRetryWaitMax": 0.05,
	})})
	require.NoError(t, err)
	start := time.Now()
	_, err = s.Delete(t.Context(), plugin.DeleteRequest{URN: vpcURN, ID: "v-1"})
	return int(n.Load()), time.Since(start), err
}

func TestRetries(t *testing.T) {
	t.Setenv(provider.PollVariable, "10ms")
	for name, c := range map[string]struct {
		retryAfter string
		statuses   []int
		requests   int
		fails      string
		atLeast    time.Duration
	}{
		"members still leaving": {statuses: []int{409, 403, 409}, requests: 4},
		"already gone":          {statuses: []int{404}, requests: 1},
		"server errors":         {statuses: []int{500, 503}, requests: 3},
		"too many requests":     {statuses: []int{429}, retryAfter: "1", requests: 2, atLeast: time.Second},
		"server errors that stay": {
			statuses: []int{500, 500, 500, 500, 500, 500}, requests: 5, fails: "giving up after 5 attempt",
		},
		"refused": {statuses: []int{422}, requests: 1, fails: "the API says no"},
	} {
		t.Run(name, func(t *testing.T) {
			requests, took, err := deleteVPC(t, c.retryAfter, c.statuses...)
			require.Equal(t, c.requests, requests)
			require.GreaterOrEqual(t, took, c.atLeast)
			if c.fails == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.fails)
		})
	}
}

func TestPollIntervalIsChecked(t *testing.T) {
	t.Setenv(provider.PollVariable, "soon")
	s, err := provider.NewServer(digitalocean.New(), "")
	require.NoError(t, err)
	_, err = s.Configure(t.Context(), plugin.ConfigureRequest{Inputs: resource.PropertyMap{}})
	require.ErrorContains(t, err, `CONSTRUCT_SIM_POLL: "soon" is no positive duration`)
}
