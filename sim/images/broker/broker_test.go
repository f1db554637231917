package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestStartFlags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		file string
		want string // of the error; "" for none
		conf config // compared where no error is wanted
	}{
		{
			name: "defaults",
			conf: config{Listen: []string{"0.0.0.0:9092"}, Advertise: "0.0.0.0:9092", Admin: "0.0.0.0:9644", DataDir: defaultDataDir, Sync: true, Partitions: 1},
		},
		{
			name: "real command line",
			args: []string{
				"--smp", "1", "--memory", "512M", "--reserve-memory", "0M", "--overprovisioned", "--check=false",
				"--kafka-addr", "internal://0.0.0.0:9092", "--advertise-kafka-addr", "internal://message.internal:9092",
				"--set", "redpanda.auto_create_topics_enabled=false", "--default-log-level=info",
			},
			conf: config{Listen: []string{"0.0.0.0:9092"}, Advertise: "message.internal:9092", Admin: "0.0.0.0:9644", DataDir: defaultDataDir, Sync: true, Partitions: 1},
		},
		{
			name: "development mode",
			args: []string{"--mode", "dev-container"},
			conf: config{Listen: []string{"0.0.0.0:9092"}, Advertise: "0.0.0.0:9092", Admin: "0.0.0.0:9644", DataDir: defaultDataDir, AutoCreate: true, Partitions: 1, Developer: true},
		},
		{
			name: "file",
			file: "redpanda:\n  data_directory: /d\n  kafka_api:\n    - {name: a, address: 10.0.0.1, port: 9000}\n" +
				"  advertised_kafka_api: {address: message.internal, port: 9000}\n  admin: [{address: 127.0.0.1, port: 9644}]\n  auto_create_topics_enabled: false\n",
			conf: config{Listen: []string{"10.0.0.1:9000"}, Advertise: "message.internal:9000", Admin: "127.0.0.1:9644", DataDir: "/d", Sync: true, Partitions: 1},
		},
		{name: "unknown flag", args: []string{"--kafka-address", "x"}, want: "unknown flag"},
		{name: "unknown property", args: []string{"--set", "redpanda.no_such=1"}, want: `property "no_such" is not known`},
		{name: "malformed property", args: []string{"--set", "redpanda.x"}, want: "want redpanda.property=value"},
		{name: "authentication", args: []string{"--set", "redpanda.enable_sasl=true"}, want: "no authentication"},
		{name: "bad mode", args: []string{"--mode", "fast"}, want: `mode "fast"`},
		{
			name: "the image's own file",
			file: "redpanda:\n  developer_mode: true\n",
			args: []string{"--set", "redpanda.developer_mode=false"},
			conf: config{Listen: []string{"0.0.0.0:9092"}, Advertise: "0.0.0.0:9092", Admin: "0.0.0.0:9644", DataDir: defaultDataDir, AutoCreate: true, Partitions: 1},
		},
		{name: "bad address", args: []string{"--kafka-addr", "a:b:c"}, want: "malformed"},
		{name: "unknown key in the file", file: "redpanda:\n  no_such: 1\n", want: `property "no_such"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "redpanda.yaml")
			if tt.file != "" {
				require.NoError(t, os.WriteFile(path, []byte(tt.file), 0o600))
			}
			f := &startFlags{}
			c := newStart(&rpkOptions{})
			err := c.ParseFlags(tt.args)
			if err == nil {
				f.kafka, _ = c.Flags().GetStringSlice("kafka-addr")
				f.advertise, _ = c.Flags().GetStringSlice("advertise-kafka-addr")
				f.set, _ = c.Flags().GetStringArray("set")
				f.mode, _ = c.Flags().GetString("mode")
				var got config
				if got, err = f.config(path); tt.want == "" {
					require.NoError(t, err)
					require.Equal(t, tt.conf, got)
					return
				}
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// start serves a broker until the returned function is called.
func start(t *testing.T, c config) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, c) }()
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + c.Admin + "/v1/status/ready")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
	return func() {
		cancel()
		require.NoError(t, <-done)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func rpk(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := newRPK()
	c.SetOut(&out)
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func TestBroker(t *testing.T) {
	t.Parallel()
	addr := freePort(t)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	c := config{
		Listen: []string{addr}, Advertise: "localhost:" + port, Admin: freePort(t), DataDir: t.TempDir(), Sync: true, Partitions: 1,
	}
	stop := start(t, c)
	brokers := "brokers=" + addr

	out, err := rpk(t, "cluster", "health", "-X", "admin.hosts="+c.Admin)
	require.NoError(t, err)
	require.Regexp(t, `Healthy: +true`, out)
	out, err = rpk(t, "topic", "create", "construct-messages", "-p", "6", "-r", "1", "-c", "retention.ms=604800000", "-X", brokers)
	require.NoError(t, err)
	require.Contains(t, out, "OK")
	_, err = rpk(t, "topic", "create", "construct-messages", "-X", brokers)
	require.ErrorContains(t, err, "TOPIC_ALREADY_EXISTS")
	_, err = rpk(t, "topic", "create", "construct-messages", "--if-not-exists", "-X", brokers)
	require.NoError(t, err)
	out, err = rpk(t, "cluster", "info", "-X", brokers)
	require.NoError(t, err)
	require.Regexp(t, `localhost +`+port, out, "clients follow the advertised address")
	out, err = rpk(t, "topic", "describe", "construct-messages", "-X", brokers)
	require.NoError(t, err)
	require.Contains(t, out, "604800000")
	_, err = rpk(t, "topic", "list", "-X", "no.such=1")
	require.ErrorContains(t, err, "not known")

	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.UnknownTopicRetries(0))
	require.NoError(t, err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.Error(t, client.ProduceSync(ctx, &kgo.Record{Topic: "never-made"}).FirstErr(), "topics are not made by producing")
	require.NoError(t, client.ProduceSync(ctx, &kgo.Record{Topic: "construct-messages", Value: []byte("kept")}).FirstErr())

	resp, err := http.Get("http://" + c.Admin + "/public_metrics")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Contains(t, string(body), "redpanda_cluster_partitions 6")
	require.Contains(t, string(body), `redpanda_kafka_records_produced_total{redpanda_namespace="kafka",redpanda_topic="construct-messages"} 1`)

	stop()
	stop = start(t, c)
	defer stop()
	consumer, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics("construct-messages"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer consumer.Close()
	records := consumer.PollFetches(ctx).Records()
	require.Len(t, records, 1, "a restart keeps topics and records")
	require.Equal(t, "kept", string(records[0].Value), fmt.Sprint(records))
}
