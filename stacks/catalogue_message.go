package stacks

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

const redpandaUID = 101

func messageServices(f Features) []ServiceSpec {
	messaging := constructService("messaging-service", Message, 8004)
	messaging.Needs = []string{"postgres", "redis-primary"}
	messaging.ConfigDir, messaging.Pool, messaging.Migrates = secretsMount, servicePool, true
	messaging.env = func(r *renderer) []variable {
		return slices.Concat(r.common(messaging), r.database(), r.jwt(false), r.vault(), r.apns(), r.kafka(), r.uploads())
	}
	messaging.files = func(r *renderer) []File {
		return slices.Concat(r.jwtFiles(false), r.databaseFiles(), r.apnsFiles(), r.kafkaFiles())
	}

	worker := constructService("delivery-worker", Message, 0)
	worker.MemoryMB = 96
	worker.Needs = []string{"redis-primary"}
	worker.ConfigDir = secretsMount
	worker.env = func(r *renderer) []variable {
		return slices.Concat(r.common(worker), r.databaseUnused(), r.kafka())
	}
	worker.files = func(r *renderer) []File { return r.kafkaFiles() }
	worker.health = func(r *renderer) []string { return connectedHealth(r.brokerPorts()) }

	specs := []ServiceSpec{messaging, worker, redisService("redis-replica", Message)}
	if f.ExternalKafka {
		return specs
	}
	for i := range specs[:2] {
		specs[i].After = []string{"redpanda"}
		specs[i].HostNames = false // the broker is their neighbour
		specs[i].Needs = append(specs[i].Needs, "redpanda")
	}
	return append(specs, redpanda())
}

const (
	redpandaPort      = 9092
	redpandaAdminPort = 9644
)

// redpanda is the embedded broker, on a configuration of its own (start.sh). The
// name by which it advertises itself is also an alias on the stack's network, so
// that the clients beside it need no detour through the host.
func redpanda() ServiceSpec {
	return ServiceSpec{
		Name: "redpanda", Role: Message, Image: "redpanda",
		Entrypoint: []string{"bash", "/etc/construct/start.sh"},
		UID:        redpandaUID, GID: redpandaUID,
		Port: redpandaPort, Private: []int{redpandaPort, redpandaAdminPort},
		Aliases:  []string{Message.Host()},
		Health:   []string{"CMD", "bash", "/etc/construct/health.sh"},
		Metrics:  "/public_metrics",
		MemoryMB: 1024 + redpandaOverheadMB, MemoryShare: 3, PIDs: 512, GraceSec: 60,
		MetricPort: redpandaAdminPort,
		Data:       []DataDir{{Host: DataRoot + "/redpanda", Mount: "/var/lib/redpanda/data", Mode: 0o750}},
		ConfigDir:  "/etc/construct",
		Tmpfs:      []string{"/etc/redpanda:uid=101,gid=101,mode=0750,size=1m"}, // start.sh and rpk write there
		// The cores are shared with other services; the checks want a machine
		// of its own and ask the cloud about it.
		Command: []string{"--overprovisioned", "--check=false", "--reserve-memory=0M"},
		args: func(r *renderer) []string {
			memory, cores := redpandaMemory(r.limits[Message]["redpanda"])
			return []string{fmt.Sprintf("--smp=%d", cores), fmt.Sprintf("--memory=%dM", memory)}
		},
	}
}

// kafka is what producer and consumer must agree on, defined once (lesson 6).
func (r *renderer) kafka() []variable {
	k := r.d.Kafka
	vars := []variable{
		{"KAFKA_BROKERS", strings.Join(r.brokers(), ",")},
		{"KAFKA_CONSUMER_GROUP", kafkaConsumerGroup},
		{"KAFKA_ENABLED", "true"},
		{"KAFKA_SSL_ENABLED", strconv.FormatBool(k.TLS)},
		{"KAFKA_TOPIC", kafkaTopic},
	}
	if k.SASLMechanism != "" {
		vars = append(vars, variable{"KAFKA_SASL_MECHANISM", k.SASLMechanism},
			variable{"KAFKA_SASL_USERNAME", k.Username}, variable{"KAFKA_SASL_PASSWORD", k.Password})
	}
	if k.CARoot != "" {
		vars = append(vars, variable{"KAFKA_SSL_CA_LOCATION", secretsMount + "/" + kafkaCAFile})
	}
	return vars
}

func (r *renderer) kafkaFiles() []File {
	if r.d.Kafka.CARoot == "" {
		return nil
	}
	return []File{{Path: kafkaCAFile, Mode: 0o444, Content: pem(r.d.Kafka.CARoot)}}
}

func (r *renderer) brokers() []string {
	if len(r.d.Kafka.Brokers) > 0 {
		return r.d.Kafka.Brokers
	}
	return []string{r.address("redpanda")}
}

func (r *renderer) brokerPorts() []int {
	var ports []int
	for _, b := range r.brokers() {
		_, text, err := net.SplitHostPort(b)
		port, convErr := strconv.Atoi(text)
		if err != nil || convErr != nil {
			r.fail(fmt.Errorf("broker %q: not host:port", b))
			continue
		}
		if !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	return ports
}

// uploads is messaging's side of media: it mints the tokens that the media
// service checks. Without a domain the upload URL is relative to the gateway's.
func (r *renderer) uploads() []variable {
	if !r.d.Media {
		return []variable{{"MEDIA_ENABLED", "false"}}
	}
	base := "/media"
	if r.d.Domain != "" {
		base = "https://" + r.d.Domain + base
	}
	return []variable{
		{"MEDIA_BASE_URL", base},
		{"MEDIA_ENABLED", "true"},
		{"MEDIA_MAX_FILE_SIZE", strconv.Itoa(mediaMaxMB << 20)},
		{"MEDIA_UPLOAD_TOKEN_SECRET", r.d.Secrets.MediaUploadSecret},
	}
}
