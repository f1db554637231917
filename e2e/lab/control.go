package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/construct-server/infra/sim/control"
)

// Control speaks to a simulator's /_sim routes, whether it runs in this
// process or in another.
type Control struct{ Base string } // ends in /_sim

// Info says where everything of the simulator is.
func (c Control) Info(ctx context.Context) (control.Info, error) {
	var info control.Info
	return info, c.do(ctx, http.MethodGet, "/info", nil, &info)
}

// Get decodes the answer of a GET below /_sim.
func (c Control) Get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, nil, into)
}

// Post sends body as JSON to a route below /_sim; into may be nil.
func (c Control) Post(ctx context.Context, path string, body, into any) error {
	return c.do(ctx, http.MethodPost, path, body, into)
}

// Delete sends a DELETE to a route below /_sim.
func (c Control) Delete(ctx context.Context, path string) error {
	return c.do(ctx, http.MethodDelete, path, nil, nil)
}

func (c Control) do(ctx context.Context, method, path string, body, into any) error {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode %s %s: %w", method, path, err)
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Base, "/")+path, payload)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the simulator: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read %s %s: %w", method, path, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, data)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("decode %s %s: %w", method, path, err)
	}
	return nil
}

// EndpointsOf are a running simulator's seams.
func EndpointsOf(info control.Info) Endpoints {
	at := Endpoints{
		DigitalOcean: info.DigitalOcean, Hetzner: info.Hetzner,
		ACMEDirectory: info.ACMEDirectory, ACMERoot: info.CAPEM + info.ACMERootPEM,
		Mirror: info.Registry, SSHPort: info.SSHPort,
		// On container hosts the operator's connections come from the outer
		// machine's address in the public range; on dry hosts from loopback.
		SSHFrom: []string{info.PublicPrefix},
	}
	if info.Hosts == "dry" {
		at.SSHFrom = []string{"127.0.0.0/8"}
	}
	return at
}
