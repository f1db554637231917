package config

import "net/netip"

// Cloud names a supported provider.
type Cloud string

// The supported clouds.
const (
	DigitalOcean Cloud = "digitalocean"
	Hetzner      Cloud = "hetzner"
)

// Config is one stack's whole configuration, defaults applied and files read.
type Config struct {
	Project string // Pulumi project name
	Stack   string // Pulumi stack name; names and labels every resource

	Cloud     Cloud
	Region    string // the cloud's own slug: "fra1", "fsn1"
	Domain    string // public name of the gateway; empty: reached by address
	DNS       DNS
	ACME      ACME
	AdminUser string // login on every host; default "construct"
	SSH       SSH
	Network   Network
	Roles     Roles
	Gateway   Gateway
	Release   Release
	// Images overrides third-party images by catalogue name ("postgres").
	Images map[string]string
	// ImageMirror prefixes every image reference:
	// mirror.example.com → mirror.example.com/docker.io/library/postgres:16.
	ImageMirror string
	Registries  []Registry
	RateLimit   RateLimit
	Kafka       Kafka
	Vault       *Vault
	APNs        *APNs
	Federation  *Federation
	Monitoring  Monitoring
	Logs        Logs
	// RebootWindow is when servers may reboot for security upgrades, one after
	// the other; nil: never. Default Sunday 02:00 UTC.
	RebootWindow *Window
	// Protect refuses deletion of the db server and of every data volume.
	// Default true.
	Protect bool
	Secrets Secrets
}

// DNS says which zone holds the domain's records. Without a domain, both
// fields mean nothing.
type DNS struct {
	Zone       string // default: the domain itself
	CreateZone bool   // create the zone, or use one that exists; default true
}

// ACME says where certificates come from.
type ACME struct {
	Email     string // required with a domain
	Directory string // default Let's Encrypt production
	CARoot    string // PEM that verifies Directory; default the system's roots
}

// SSH says how the operator and the program reach the hosts.
type SSH struct {
	PublicKey string // authorized_keys line, read from publicKeyPath or publicKey
	// AuthorizedKeys are the other operators' lines; see Keys.
	AuthorizedKeys []string
	PrivateKey     string // PEM, read from privateKeyPath; empty: the agent (secret)
	// AllowedCIDRs may dial SSH. A default route among them needs AllowAnywhere.
	AllowedCIDRs  []netip.Prefix
	AllowAnywhere bool
	Port          int  // default 22
	Direct        bool // dial every host's public address instead of the gateway; default false
}

// Network is the private network.
type Network struct {
	CIDR netip.Prefix // default 10.20.0.0/24; at most /16, at least /28
}

// Role sizes one role's servers.
type Role struct {
	Size string // "small", "medium", "large" or the cloud's own slug
	// FallbackSizes are taken in order where the cloud has run out of Size.
	FallbackSizes []string
	VolumeGB      int // 0 where the role keeps no data
}

// Roles holds every role. Media is optional.
type Roles struct {
	Gateway, App, Database, Message, Media Role
	MediaEnabled                           bool // default true
}

// Release selects the Construct services' image.
type Release struct {
	Repository    string
	Tag           string // one of Tag and Digest
	Digest        string // sha256:…
	RequireDigest bool
	SoakSeconds   int // default 60
	// Overrides by service name ("user-service"); an empty field inherits.
	Overrides map[string]ReleaseOverride
}

// ReleaseOverride pins one service.
type ReleaseOverride struct{ Repository, Tag, Digest string }

// Registry is a login for pulling images (Password is secret).
type Registry struct{ Server, Username, Password string }

// Gateway says what the public entry does.
type Gateway struct{ Maintenance Maintenance }

// Maintenance closes the public entry while the services run on.
type Maintenance struct {
	Enabled           bool           // default false
	RetryAfterSeconds int            // default 300
	AllowedCIDRs      []netip.Prefix // clients that are served all the same
}

// RateLimit bounds requests by client address at the edge.
type RateLimit struct {
	RequestsPerMinute    int // default 300
	AuthPerMinute        int // registration and login; default 20
	RegistrationsPerHour int // default 60
	UploadsPerMinute     int // default 20
}

// Kafka is the embedded Redpanda, or external brokers when Brokers is set.
type Kafka struct {
	Brokers       []string // host:port; empty: Redpanda on the message role
	TLS           bool
	CARoot        string // PEM
	SASLMechanism string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
	Username      string
	Password      string // secret
}

// Vault is optional key management (facts: low value in this release line).
type Vault struct{ Address, Token string } // Token is secret

// APNs is optional Apple push.
type APNs struct {
	KeyID, TeamID, BundleID, Environment string // Environment: production | development
	Key                                  string // .p8 PEM (secret)
}

// Federation is optional; BaseDomain defaults to the domain.
type Federation struct {
	BaseDomain string
	SigningKey string // base64 of 32 bytes (secret)
}

// Monitoring tunes Prometheus and names who is told.
type Monitoring struct {
	RetentionDays int // default 15
	RetentionGB   int // default 10
	Receivers     Receivers
}

// Logs says whether the containers' logs are collected on the media server.
type Logs struct {
	Enabled       bool // default false; needs the media role
	RetentionDays int  // default 7
}

// Secrets are the deployment's own. `construct init` generates all of them, save
// the last two.
type Secrets struct {
	PostgresPassword         string // ≥24 chars, URL-safe
	PostgresExporterPassword string // ≥24 chars, URL-safe
	RedisPassword            string // application user; ≥24 chars, URL-safe
	RedisReplicaPassword     string // ≥24 chars, URL-safe
	RedisMonitorPassword     string // ≥24 chars, URL-safe
	JWTPrivateKey            string // RSA PEM, ≥2048 bits
	JWTPublicKey             string // RSA PEM, matches JWTPrivateKey
	JWTPreviousPublicKey     string // RSA PEM of another pair, or ""
	CSRFSecret               string // ≥32 chars
	APNsTokenKey             string // 64 hex chars, not all zero
	LogHashSalt              string // ≥32 chars
	MediaUploadSecret        string // ≥32 chars
	GrafanaPassword          string // ≥12 chars
	HostKeySeed              string // 64 hex chars
	PreviousHostKeySeed      string // 64 hex chars; empty: no rotation is under way
	InternalSeed             string // 64 hex chars; empty: HostKeySeed, see Internal
}
