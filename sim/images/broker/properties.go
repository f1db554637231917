package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/spf13/cobra"
)

// properties are those of the cluster that were set while it runs. They are
// checked and kept in memory; none changes what this stand-in does.
type properties struct {
	mu      sync.Mutex
	values  map[string]any
	version int
}

// ServeHTTP is the admin API's /v1/cluster_config.
func (p *properties) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var answer any = p.values
	if r.Method == http.MethodPut {
		var change struct{ Upsert map[string]any }
		if err := json.NewDecoder(r.Body).Decode(&change); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for key, value := range change.Upsert {
			if err := new(config).property(key, fmt.Sprint(value)); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			p.values[key] = value
		}
		p.version++
		answer = map[string]int{"config_version": p.version}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func newProperties(o *rpkOptions) *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "properties of the cluster"}
	c.AddCommand(&cobra.Command{
		Use: "set KEY VALUE", Short: "set one property", Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, words []string) error {
			body, err := json.Marshal(map[string]any{"upsert": map[string]any{words[0]: words[1]}, "remove": []string{}})
			if err != nil {
				return err
			}
			var answer struct {
				Version int `json:"config_version"`
			}
			if err := o.clusterConfig(c, http.MethodPut, body, &answer); err != nil {
				return err
			}
			c.Printf("Successfully updated configuration. New configuration version is %d.\n", answer.Version)
			return nil
		},
	}, &cobra.Command{
		Use: "get KEY", Short: "print one property", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, words []string) error {
			var values map[string]any
			if err := o.clusterConfig(c, http.MethodGet, nil, &values); err != nil {
				return err
			}
			value, ok := values[words[0]]
			if !ok {
				return fmt.Errorf("property %q was not set since this stand-in started", words[0])
			}
			c.Println(value)
			return nil
		},
	})
	return c
}

func (o *rpkOptions) clusterConfig(c *cobra.Command, method string, body []byte, answer any) error {
	host, err := o.setting("admin.hosts", "RPK_ADMIN_HOSTS", "127.0.0.1:9644")
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(c.Context(), method, "http://"+host+"/v1/cluster_config", bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		var said bytes.Buffer
		_, _ = said.ReadFrom(resp.Body)
		return fmt.Errorf("set cluster property: status %d: %s", resp.StatusCode, said.String())
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
