package stacks

import "net/netip"

// Deployment is all that rendering depends on.
type Deployment struct {
	Name string // "construct-prod"

	Domain        string // public name; "" serves the gateway's public address with Caddy's own CA
	ACMEEmail     string
	ACMEDirectory string // "" is Let's Encrypt
	ACMECARoot    string // PEM that verifies ACMEDirectory; "" is the system's roots

	Media       bool         // whether the media role (and with it monitoring) exists
	NetworkCIDR netip.Prefix // the private network
	Memory      map[Role]int // MB of RAM of one server of the role; required for every role in use

	Release       Image             // the Construct services' image
	ServiceImages map[string]Image  // by service name, where it differs from Release; complete, not merged again
	Images        map[string]string // third-party overrides by catalogue name ("postgres")
	ImageMirror   string            // prefixes every reference

	Maintenance Maintenance

	RateLimit  RateLimit
	Kafka      Kafka
	Vault      *Vault
	APNs       *APNs
	Federation *Federation
	Monitoring Monitoring
	Logs       Logs
	Secrets    Secrets

	// DigestKey keys every digest in a bundle. Required, at least 16 bytes.
	DigestKey []byte
	// Seed is what the fleet's own certificates and the passwords of accounts
	// that no other host uses are derived from. Secret; required, at least 16
	// bytes.
	Seed []byte
}

// Image is one image reference: Repository with a Tag, a Digest or both.
type Image struct{ Repository, Tag, Digest string }

// RateLimit bounds requests per client address at the edge.
type RateLimit struct {
	RequestsPerMinute    int // default 300
	AuthPerMinute        int // registration and login; default 20
	RegistrationsPerHour int // default 60
	UploadsPerMinute     int // default 20
}

// Maintenance closes the edge to clients while the services run on.
type Maintenance struct {
	Enabled           bool
	RetryAfterSeconds int            // default 300
	AllowedCIDRs      []netip.Prefix // clients that are served all the same
}

// Kafka is the embedded Redpanda, or external brokers when Brokers is set.
type Kafka struct {
	Brokers       []string // host:port
	TLS           bool
	CARoot        string // PEM
	SASLMechanism string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; "" for none
	Username      string
	Password      string // secret
}

// Vault is optional key management.
type Vault struct{ Address, Token string }

// APNs is optional Apple push. Key is the .p8 PEM.
type APNs struct{ KeyID, TeamID, BundleID, Environment, Key string }

// Federation is optional. SigningKey is base64 of 32 bytes; BaseDomain
// defaults to the deployment's domain.
type Federation struct{ BaseDomain, SigningKey string }

// Monitoring tunes Prometheus and names who is told.
type Monitoring struct {
	RetentionDays int // default 15
	RetentionGB   int // default 10
	Receivers     Receivers
}

// Logs says whether the containers' logs are collected, which needs Media.
type Logs struct {
	Enabled       bool
	RetentionDays int // default 7
}

// Secrets are the deployment's own.
type Secrets struct {
	PostgresPassword         string
	PostgresExporterPassword string
	RedisPassword            string
	RedisReplicaPassword     string
	RedisMonitorPassword     string
	JWTPrivateKey            string // RSA PEM
	JWTPublicKey             string // RSA PEM
	JWTPreviousPublicKey     string // RSA PEM of the pair before, whose tokens are still good; "" for none
	CSRFSecret               string
	APNsTokenKey             string // 64 hex characters
	LogHashSalt              string
	MediaUploadSecret        string
	GrafanaPassword          string
}

// Features are the choices that decide which services and flows exist.
type Features struct {
	Media         bool // media role, monitoring and exporters
	ExternalKafka bool // no Redpanda
	PreviousJWT   bool // tokens of the key pair before are still good
	Logs          bool // Loki, and an agent on every host; without Media nothing
}

// Features derives the choices from the settings.
func (d Deployment) Features() Features {
	return Features{
		Media: d.Media, ExternalKafka: len(d.Kafka.Brokers) > 0,
		PreviousJWT: d.Secrets.JWTPreviousPublicKey != "", Logs: d.Media && d.Logs.Enabled,
	}
}
