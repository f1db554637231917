package config

// The parts of the schema that say what runs on the servers; see schema.go.

type releaseFile struct {
	// Image of the Construct services, without tag:
	// `ghcr.io/example/construct-server`. Required.
	Repository string `json:"repository"`
	// Version to run. One of `tag` and `digest` is required.
	Tag string `json:"tag"`
	// The same by content: `sha256:` and 64 hex digits.
	Digest string `json:"digest"`
	// Refuse tags: the Construct images must be given by digest, and every
	// third-party image that runs must be named under `images`, by digest.
	RequireDigest bool `json:"requireDigest"`
	// How long a new version of a service must live, in seconds, before it gets
	// requests and the one before goes. 0: as soon as it is healthy.
	SoakSeconds int `json:"soakSeconds"`
	// Other versions of single services, by name: `gateway`, `auth-service`,
	// `user-service`, `notification-service`, `messaging-service`,
	// `delivery-worker`, `media-service`.
	Overrides map[string]overrideFile `json:"overrides"`
}

type overrideFile struct {
	// Default: the release's.
	Repository string `json:"repository"`
	// Default: the release's.
	Tag string `json:"tag"`
	// Default: the release's.
	Digest string `json:"digest"`
}

type registryFile struct {
	// Host, with port where it is not 443: `ghcr.io`.
	Server string `json:"server"`
	// Login name.
	Username string `json:"username"`
	// Password or access token.
	Password string `json:"password" secret:"true"`
}

type gatewayFile struct {
	// Closed to clients, while the services run on.
	Maintenance maintenanceFile `json:"maintenance"`
}

type maintenanceFile struct {
	// Answer every request to the API and to media with 503. `/health` keeps
	// telling how the API gateway is.
	Enabled bool `json:"enabled"`
	// When clients are told to come back, in seconds.
	RetryAfterSeconds int `json:"retryAfterSeconds"`
	// Networks of clients that are served all the same, for example
	// `203.0.113.7/32`.
	AllowedCIDRs []string `json:"allowedCidrs"`
}

type rateLimitFile struct {
	// Requests that one client address may make in a minute; of IPv6, one /64.
	RequestsPerMinute int `json:"requestsPerMinute"`
	// Of these, registrations and logins.
	AuthPerMinute int `json:"authPerMinute"`
	// Registrations that one client address may make in an hour. The services
	// have a limit of their own, which is stricter.
	RegistrationsPerHour int `json:"registrationsPerHour"`
	// Files that one client address may upload in a minute.
	UploadsPerMinute int `json:"uploadsPerMinute"`
}

type kafkaFile struct {
	// External brokers, each `host:port`. Default: Redpanda on the message
	// server.
	Brokers []string `json:"brokers"`
	// Encrypt connections to the external brokers.
	TLS bool `json:"tls"`
	// PEM certificates that verify the brokers. Default: the system's.
	CARoot string `json:"caRoot"`
	// File with the same.
	CARootPath string `json:"caRootPath"`
	// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`; goes with `username` and
	// `password`.
	SASLMechanism string `json:"saslMechanism"`
	// Login name.
	Username string `json:"username"`
	// Password.
	Password string `json:"password" secret:"true"`
}

type vaultFile struct {
	// URL of a HashiCorp Vault.
	Address string `json:"address"`
	// Token for it.
	Token string `json:"token" secret:"true"`
}

type apnsFile struct {
	// Identifier of the key, 10 characters.
	KeyID string `json:"keyId"`
	// Identifier of the Apple team, 10 characters.
	TeamID string `json:"teamId"`
	// The app's bundle identifier: `com.example.chat`.
	BundleID string `json:"bundleId"`
	// `production` or `development`.
	Environment string `json:"environment"`
	// Content of the .p8 file. One of this and `keyPath` is required.
	Key string `json:"key" secret:"true"`
	// The .p8 file itself. Under the name that Apple gives it,
	// `AuthKey_KEYID.p8`, it must be that of `keyId`.
	KeyPath string `json:"keyPath"`
}

type federationFile struct {
	// Name under which other servers know this one. Default: the domain.
	BaseDomain string `json:"baseDomain"`
	// Base64 of 32 random bytes.
	SigningKey string `json:"signingKey" secret:"true"`
}

type monitoringFile struct {
	// Days for which Prometheus keeps metrics.
	RetentionDays int `json:"retentionDays"`
	// GB on the media volume that they may take.
	RetentionGB int `json:"retentionGb"`
	// Who is told of alerts; nobody, if none is set.
	Receivers receiversFile `json:"receivers"`
}

type logsFile struct {
	// Run Loki on the media server and an agent on every host. Needs
	// `roles.media.enabled`, and a message server of more than 2 GB.
	Enabled bool `json:"enabled"`
	// Days for which log lines are kept, on the media volume. They hold clients'
	// addresses.
	RetentionDays int `json:"retentionDays"`
}

// secretsFile has the fields of Secrets, so that one converts to the other.
type secretsFile struct {
	// PostgreSQL's application user; at least 24 characters.
	PostgresPassword string `json:"postgresPassword" secret:"true"`
	// PostgreSQL's monitoring user; at least 24 characters.
	PostgresExporterPassword string `json:"postgresExporterPassword" secret:"true"`
	// Redis' application user; at least 24 characters.
	RedisPassword string `json:"redisPassword" secret:"true"`
	// Redis' replication user; at least 24 characters.
	RedisReplicaPassword string `json:"redisReplicaPassword" secret:"true"`
	// Redis' monitoring user; at least 24 characters.
	RedisMonitorPassword string `json:"redisMonitorPassword" secret:"true"`
	// RSA private key, PEM, of at least 2048 bits; signs access tokens.
	JWTPrivateKey string `json:"jwtPrivateKey" secret:"true"`
	// Its public key, PEM.
	JWTPublicKey string `json:"jwtPublicKey" secret:"true"`
	// Public key of the pair before, PEM, while tokens that it signed are to
	// stay good. Default: none.
	JWTPreviousPublicKey string `json:"jwtPreviousPublicKey" secret:"true"`
	// Signs CSRF tokens; at least 32 characters.
	CSRFSecret string `json:"csrfSecret" secret:"true"`
	// Encrypts Apple device tokens at rest; 64 hex digits, not all zero.
	APNsTokenKey string `json:"apnsTokenKey" secret:"true"`
	// Hides identities in logs; at least 32 characters.
	LogHashSalt string `json:"logHashSalt" secret:"true"`
	// Signs upload tokens; at least 32 characters.
	MediaUploadSecret string `json:"mediaUploadSecret" secret:"true"`
	// Grafana's `admin` user; at least 12 characters.
	GrafanaPassword string `json:"grafanaPassword" secret:"true"`
	// Seed of every host's SSH host keys; 64 hex digits, not all zero.
	HostKeySeed string `json:"hostKeySeed" secret:"true"`
	// The `hostKeySeed` before, while host keys are being replaced. Default: none.
	PreviousHostKeySeed string `json:"previousHostKeySeed" secret:"true"`
	// Seed of what the deployment makes for itself: the database's certificate,
	// the stores' local accounts, the digests in previews. Default: `hostKeySeed`;
	// once that is replaced, the first one there was.
	InternalSeed string `json:"internalSeed" secret:"true"`
}
