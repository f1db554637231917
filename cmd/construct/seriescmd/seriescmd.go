// Package seriescmd holds `construct check-series`: whether a running
// deployment's Prometheus has what its alerts and dashboards refer to.
package seriescmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/construct-server/infra/stacks"
	"github.com/construct-server/infra/stacks/series"
)

// answerTimeout bounds one question to Prometheus, through a tunnel.
const answerTimeout = 30 * time.Second

// maxAnswer is more than all rules take.
const maxAnswer = 16 << 20

// New is the `construct check-series` command.
func New() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "check-series",
		Short: "Find alerts and panels over series that nothing produces",
		Long: "Asks a running Prometheus for every series that its rules and this checkout's\n" +
			"dashboards refer to. The deployment must have delivered a message: some series\n" +
			"begin with the first. Prometheus is reached as Grafana is, with the command that\n" +
			"`pulumi stack output grafanaTunnel` prints, and 9090 for 3000.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return check(cmd.Context(), address, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&address, "prometheus", "http://127.0.0.1:9090", "URL of Prometheus")
	return cmd
}

func check(ctx context.Context, address string, out io.Writer) error {
	get := func(path string) (string, error) { return fetch(ctx, strings.TrimSuffix(address, "/")+path) }
	features, err := featuresOf(get)
	if err != nil {
		return err
	}
	dashboards, err := stacks.Dashboards(features)
	if err != nil {
		return err
	}
	problems, err := series.Check(get, dashboards)
	if err != nil {
		return err
	}
	for _, problem := range problems {
		_, _ = fmt.Fprintln(out, problem)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d references to series that are not there", len(problems))
	}
	_, _ = fmt.Fprintln(out, "every alert and every panel has its series")
	return nil
}

// featuresOf tells from the rules whether the broker is the deployment's own:
// one elsewhere has neither rules nor panels.
func featuresOf(get func(string) (string, error)) (stacks.Features, error) {
	body, err := get("/api/v1/rules")
	if err != nil {
		return stacks.Features{}, err
	}
	var answer struct {
		Data struct{ Groups []struct{ Name string } }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return stacks.Features{}, fmt.Errorf("read the rules of Prometheus: %w", err)
	}
	own := slices.ContainsFunc(answer.Data.Groups, func(g struct{ Name string }) bool { return g.Name == "broker" })
	return stacks.Features{Media: true, ExternalKafka: !own}, nil
}

func fetch(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("ask Prometheus: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask Prometheus (is the tunnel open?): %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("read Prometheus' answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask Prometheus: %s: status %d (want 200): %.200s", url, resp.StatusCode, body)
	}
	return string(body), nil
}
