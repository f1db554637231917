package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	defaultConfigPath = "/etc/redpanda/redpanda.yaml"
	defaultDataDir    = "/var/lib/redpanda/data"
)

// config is what the broker runs on, from the file and then the flags.
type config struct {
	Listen     []string // host:port
	Advertise  string   // host:port, told to every client
	Admin      string   // host:port
	DataDir    string
	AutoCreate bool
	Sync       bool // fsync every batch, as acks=all means on Redpanda
	Partitions int  // of topics that are created without saying
	Developer  bool // developer_mode, which rpk takes for --mode dev-container
}

// properties are the cluster properties that --set and the file may carry.
// Those without a meaning here are accepted, since they only tune Redpanda.
var tuning = []string{
	"empty_seed_starts_cluster", "group_topic_partitions", "storage_min_free_bytes",
	"topic_partitions_per_shard", "fetch_reads_debounce_timeout", "log_retention_ms", "delete_retention_ms",
	"retention_bytes", "log_segment_size", "log_segment_ms", "kafka_batch_max_bytes",
	"default_topic_replications", "internal_topic_replication_factor", "node_id", "seed_servers", "rpc_server",
	"advertised_rpc_api", "disable_metrics", "enable_sasl", "enable_metrics_reporter", "cluster_id",
	"storage_read_buffer_size", "group_initial_rebalance_delay",
}

// property applies one redpanda.* property.
func (c *config) property(key, value string) error {
	switch key {
	case "auto_create_topics_enabled", "developer_mode":
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("property %q: %w", key, err)
		}
		if key == "developer_mode" {
			c.Developer = b
		} else {
			c.AutoCreate = b
		}
		return nil
	case "write_caching_default":
		if !slices.Contains([]string{"true", "false", "disabled"}, value) {
			return fmt.Errorf("property %q: %q is not true, false or disabled", key, value)
		}
		c.Sync = c.Sync && value != "true"
		return nil
	case "default_topic_partitions":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return fmt.Errorf("property %q: %q is not a count", key, value)
		}
		c.Partitions = n
		return nil
	case "enable_sasl":
		if value == "true" {
			return errors.New("property \"enable_sasl\": this stand-in has no authentication")
		}
		return nil
	}
	if slices.Contains(tuning, key) {
		return nil
	}
	return fmt.Errorf("property %q is not known to this stand-in", key)
}

// bootstrap takes the cluster's properties from the file beside the
// configuration, as Redpanda does when it has no data yet.
func (c *config) bootstrap(path string) error {
	if held, err := os.ReadDir(c.DataDir); err == nil && len(held) > 0 {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(path), ".bootstrap.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read cluster properties: %w", err)
	}
	var properties map[string]yaml.Node
	if err := yaml.Unmarshal(raw, &properties); err != nil {
		return fmt.Errorf("parse cluster properties: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		if err := c.property(key, properties[key].Value); err != nil {
			return err
		}
	}
	return nil
}

type endpoint struct {
	Name    string `yaml:"name"`
	Address string `yaml:"address"`
	Port    int    `yaml:"port"`
}

func (e endpoint) String() string { return net.JoinHostPort(e.Address, strconv.Itoa(e.Port)) }

// readFile takes the listeners, directories and properties of redpanda.yaml.
// A file that is not there is empty.
func (c *config) readFile(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	var doc struct {
		Redpanda map[string]yaml.Node `yaml:"redpanda"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return fmt.Errorf("parse %q: %w", path, err)
	}
	keys := make([]string, 0, len(doc.Redpanda))
	for k := range doc.Redpanda {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		node := doc.Redpanda[k]
		if err := c.fileKey(k, &node); err != nil {
			return fmt.Errorf("parse %q: %w", path, err)
		}
	}
	return nil
}

func (c *config) fileKey(key string, node *yaml.Node) error {
	switch key {
	case "kafka_api", "advertised_kafka_api", "admin":
		list, err := endpoints(node)
		if err != nil || len(list) == 0 {
			return fmt.Errorf("key %q: no address in it: %w", key, err)
		}
		switch key {
		case "kafka_api":
			c.Listen = list
		case "advertised_kafka_api":
			c.Advertise = list[0]
		default:
			c.Admin = list[0]
		}
		return nil
	case "data_directory":
		return node.Decode(&c.DataDir)
	case "kafka_api_tls", "admin_api_tls":
		return fmt.Errorf("key %q: this stand-in has no TLS", key)
	}
	return c.property(key, node.Value)
}

// endpoints reads one address or a list of them.
func endpoints(node *yaml.Node) ([]string, error) {
	var many []endpoint
	if err := node.Decode(&many); err != nil {
		var one endpoint
		if err := node.Decode(&one); err != nil {
			return nil, err
		}
		many = []endpoint{one}
	}
	var out []string
	for _, e := range many {
		out = append(out, e.String())
	}
	return out, nil
}

// address drops the listener's name from name://host:port and adds the
// default port.
func address(s string, port int) (string, error) {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if s == "" {
		return "", errors.New("address is empty (want [name://]host:port)")
	}
	if !strings.Contains(s, ":") {
		return net.JoinHostPort(s, strconv.Itoa(port)), nil
	}
	if _, p, err := net.SplitHostPort(s); err != nil || p == "" {
		return "", fmt.Errorf("address %q is malformed (want [name://]host:port)", s)
	}
	return s, nil
}
