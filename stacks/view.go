package stacks

import (
	"slices"
	"strconv"
)

// Accounts of the data stores. Names are no secret.
const (
	postgresDatabase     = "construct"
	postgresAppUser      = "construct"
	postgresExporterUser = "construct_exporter"
	redisAppUser         = "construct"
	redisReplicaUser     = "replica"
	redisMonitorUser     = "monitor"
	redisOperatorUser    = "operator"

	kafkaTopic         = "construct-messages"
	kafkaConsumerGroup = "construct-delivery-workers"
)

// configView is what a configuration template sees.
type configView struct {
	Deployment

	Postgres       postgresMemory
	Connections    connectionBudget
	RedisMaxMB     int // maxmemory
	RedisBacklogMB int

	Database, AppUser, AppLogin, ExporterUser string   // PostgreSQL
	AppVerifier, ExporterVerifier             string   // of their passwords
	DatabaseClients                           []string // hosts whose services have a pool
	RedisApp, RedisReplica, RedisMonitor      string   // Redis ACL users
	RedisOperator, RedisOperatorPassword      string   // for who is root on a Redis' host
	Replica                                   bool     // of the two Redis, the copy is rendered
	RedisPrimaryHost                          string
	RedisPrimaryPort                          int

	Topic, ConsumerGroup string
	TopicRetentionMillis int64
	TopicSegmentMillis   int64 // what is past its life goes a segment at a time
	TopicPartitions      int
	Replicas             int // copies of a topic's partition

	BrokerHost                  string // the embedded broker, as its clients know it
	BrokerPort, BrokerAdminPort int

	HasDomain       bool
	PublicURL       string // where clients, and the probe of the public side, come in
	EdgeTimeoutSec  int
	BodyTimeout     string // for receiving a request's body
	ResponseTimeout string // for the whole of a request
	UploadBytes     int    // largest upload with its multipart envelope
	MediaUpstream   string // host:port; "" without media
	GatewayUpstream string // host:port on the stack's own network
	// PreviousUpstream is the gateway for tokens of the key pair before; "": none.
	PreviousUpstream string
	ACMECARootPath   string // where Caddy finds ACMECARoot

	HAProxy           haproxyView
	CaddyMetricsPort  int
	LogRetentionHours int
	Redpanda          bool
	Scrapes           []Scrape
	Probes            []Probe
}

// view gathers everything that is computed.
func (r *renderer) view() configView {
	connections := r.connections
	v := configView{
		Deployment:  r.d,
		Postgres:    newPostgresMemory(r.limits[DB]["postgres"], connections.Total),
		Connections: connections,
		RedisMaxMB:  redisMaxMemory(r.limits[DB]["redis-primary"], r.limits[Message]["redis-replica"]),
		Database:    postgresDatabase, AppUser: postgresAppUser, AppLogin: r.postgresLogin(), ExporterUser: postgresExporterUser,
		DatabaseClients: r.databaseClients(),
		RedisApp:        redisAppUser, RedisReplica: redisReplicaUser, RedisMonitor: redisMonitorUser,
		Topic: kafkaTopic, ConsumerGroup: kafkaConsumerGroup, TopicPartitions: 6, Replicas: 1,
		// The worker's dedup keys outlive the TTL by two hours; a day of slack
		// lets a stopped worker catch up (facts 4).
		TopicRetentionMillis: int64(messageTTLDays+1) * 24 * 3600 * 1000,
		HasDomain:            r.d.Domain != "",
		PublicURL:            "https://" + Gateway.Host(),
		EdgeTimeoutSec:       edgeTimeoutSec,
		BodyTimeout:          "2m", ResponseTimeout: "4m",
		GatewayUpstream: haproxyName + ":" + strconv.Itoa(gatewayPort), ACMECARootPath: caddyConfig + "/" + acmeRootFile(r.d),
		HAProxy:          r.haproxyView(),
		CaddyMetricsPort: caddyMetricsPort, LogRetentionHours: 24 * r.d.Logs.RetentionDays,
		Redpanda: !r.d.Features().ExternalKafka,
	}
	if r.d.Features().PreviousJWT {
		v.PreviousUpstream = haproxyName + ":" + strconv.Itoa(gatewayPreviousPort)
	}
	if r.role == DB {
		v.AppVerifier = r.verifier(v.AppLogin, r.d.Secrets.PostgresPassword)
		v.ExporterVerifier = r.verifier(postgresExporterUser, r.d.Secrets.PostgresExporterPassword)
	}
	v.TopicSegmentMillis = 24 * 3600 * 1000
	v.BrokerHost, v.BrokerPort, v.BrokerAdminPort = Message.Host(), redpandaPort, redpandaAdminPort
	v.RedisOperator, v.RedisOperatorPassword, v.Replica = redisOperatorUser, r.redisOperator, r.role == Message
	v.RedisBacklogMB = max(16, v.RedisMaxMB/16)
	if primary, ok := find(r.all, "redis-primary"); ok {
		v.RedisPrimaryHost, v.RedisPrimaryPort = primary.Role.Host(), primary.Port
	}
	if v.HasDomain {
		v.PublicURL = "https://" + r.d.Domain
	}
	if r.d.Media {
		v.MediaUpstream = r.address("media-service")
		v.UploadBytes = (mediaMaxMB + 1) << 20
		v.BodyTimeout, v.ResponseTimeout = "10m", "12m"
		v.Scrapes, v.Probes = Scrapes(r.d.Features()), Probes(r.d.Features())
	}
	return v
}

// withDefaults fills what may be left out.
func (d Deployment) withDefaults() Deployment {
	if d.RateLimit.RequestsPerMinute == 0 {
		d.RateLimit.RequestsPerMinute = 300
	}
	if d.RateLimit.AuthPerMinute == 0 {
		d.RateLimit.AuthPerMinute = 20
	}
	if d.RateLimit.RegistrationsPerHour == 0 {
		d.RateLimit.RegistrationsPerHour = 60
	}
	if d.RateLimit.UploadsPerMinute == 0 {
		d.RateLimit.UploadsPerMinute = 20
	}
	if d.Maintenance.RetryAfterSeconds == 0 {
		d.Maintenance.RetryAfterSeconds = 300
	}
	if d.Monitoring.RetentionDays == 0 {
		d.Monitoring.RetentionDays = 15
	}
	if d.Logs.RetentionDays == 0 {
		d.Logs.RetentionDays = 7
	}
	if d.Monitoring.RetentionGB == 0 {
		d.Monitoring.RetentionGB = 10
	}
	return d
}

// secretValues lists every secret that a file could hold.
func (d Deployment) secretValues() []string {
	s := d.Secrets
	values := []string{
		s.PostgresPassword, s.PostgresExporterPassword, s.RedisPassword, s.RedisReplicaPassword,
		s.RedisMonitorPassword, s.JWTPrivateKey, s.CSRFSecret, s.APNsTokenKey, s.LogHashSalt,
		s.MediaUploadSecret, s.GrafanaPassword, d.Kafka.Password,
	}
	values = append(values, d.Monitoring.Receivers.secrets()...)
	if d.Vault != nil {
		values = append(values, d.Vault.Token)
	}
	if d.APNs != nil {
		values = append(values, d.APNs.Key)
	}
	if d.Federation != nil {
		values = append(values, d.Federation.SigningKey)
	}
	return slices.DeleteFunc(values, func(v string) bool { return v == "" })
}
