package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// observer reads what the metrics and the health overview tell.
type observer struct {
	client  *kadm.Client
	dataDir string
	started time.Time
}

// adminHandler serves the part of the admin API that monitoring uses.
func adminHandler(o *observer) http.Handler {
	mux := http.NewServeMux()
	answer := func(pattern string, v any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(v); err != nil {
				log.Printf("write response: %v", err)
			}
		})
	}
	answer("GET /v1/status/ready", map[string]string{"status": "ready"})
	answer("GET /v1/cluster/health_overview", map[string]any{
		"is_healthy": true, "unhealthy_reasons": []string{}, "controller_id": 0, "all_nodes": []int{0},
		"nodes_down": []int{}, "leaderless_partitions": []string{}, "under_replicated_partitions": []string{},
	})
	answer("GET /v1/brokers", []map[string]any{{"node_id": 0, "num_cores": 1, "membership_status": "active", "is_alive": true}})
	mux.Handle("/v1/cluster_config", &properties{values: map[string]any{}})
	mux.HandleFunc("GET /public_metrics", o.metrics)
	mux.HandleFunc("GET /metrics", o.metrics)
	return mux
}

// metrics prints series under the names of Redpanda's public metrics, sorted.
func (o *observer) metrics(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	lines, err := o.series(ctx)
	if err != nil {
		log.Printf("collect metrics: %v", err)
		http.Error(w, "metrics are not to be had", http.StatusInternalServerError)
		return
	}
	slices.Sort(lines)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = fmt.Fprintln(w, strings.Join(lines, "\n"))
}

func (o *observer) series(ctx context.Context) ([]string, error) {
	topics, err := o.client.ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(o.dataDir, &disk); err != nil {
		return nil, fmt.Errorf("read file system of %q: %w", o.dataDir, err)
	}
	partitions := 0
	for _, t := range topics {
		partitions += len(t.Partitions)
	}
	size := uint64(disk.Bsize) //nolint:gosec // a block size is positive
	lines := []string{
		fmt.Sprintf("redpanda_application_uptime_seconds_total %g", time.Since(o.started).Seconds()),
		`redpanda_application_build{redpanda_version="stand-in",redpanda_revision="none"} 1`,
		"redpanda_cluster_brokers 1",
		fmt.Sprintf("redpanda_cluster_topics %d", len(topics)),
		fmt.Sprintf("redpanda_cluster_partitions %d", partitions),
		"redpanda_cluster_unavailable_partitions 0",
		fmt.Sprintf("redpanda_storage_disk_free_bytes %d", disk.Bavail*size),
		fmt.Sprintf("redpanda_storage_disk_total_bytes %d", disk.Blocks*size),
		"redpanda_storage_disk_free_space_alert 0",
	}
	offsets, err := o.offsets(ctx)
	if err != nil {
		return nil, err
	}
	return append(lines, offsets...), nil
}

// offsets are the ends of the partitions and the groups' commits.
func (o *observer) offsets(ctx context.Context) ([]string, error) {
	ends, err := o.client.ListEndOffsets(ctx)
	if err != nil {
		return nil, fmt.Errorf("list offsets: %w", err)
	}
	var lines []string
	produced := map[string]int64{}
	ends.Each(func(e kadm.ListedOffset) {
		produced[e.Topic] += e.Offset
		labels := fmt.Sprintf(`{redpanda_namespace="kafka",redpanda_topic=%q,redpanda_partition="%d"}`, e.Topic, e.Partition)
		lines = append(lines,
			fmt.Sprintf("redpanda_kafka_max_offset%s %d", labels, e.Offset),
			fmt.Sprintf("redpanda_kafka_under_replicated_replicas%s 0", labels))
	})
	for topic, records := range produced {
		lines = append(lines, fmt.Sprintf(`redpanda_kafka_records_produced_total{redpanda_namespace="kafka",redpanda_topic=%q} %d`, topic, records))
	}
	groups, err := o.client.DescribeGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("describe groups: %w", err)
	}
	for _, g := range groups.Sorted() {
		lines = append(lines, fmt.Sprintf(`redpanda_kafka_consumer_group_consumers{redpanda_group=%q} %d`, g.Group, len(g.Members)))
		commits, err := o.client.FetchOffsets(ctx, g.Group)
		if err != nil {
			return nil, fmt.Errorf("fetch offsets of group %q: %w", g.Group, err)
		}
		commits.Each(func(c kadm.OffsetResponse) {
			lines = append(lines, fmt.Sprintf(
				`redpanda_kafka_consumer_group_committed_offset{redpanda_group=%q,redpanda_topic=%q,redpanda_partition="%d"} %d`,
				g.Group, c.Topic, c.Partition, c.At))
		})
	}
	return lines, nil
}
