package config

// This file and those beside it named schema_… are the single source of the
// configuration reference: the key names are the json tags, the descriptions are the doc
// comments (reference_test.go turns them into docs/configuration.md and
// Pulumi.yaml), the defaults are defaults(). A field tagged secret:"true" must
// be encrypted in the stack file.

// stackFile is the `construct:` namespace of a stack's YAML, as written.
type stackFile struct {
	// Where to deploy: `digitalocean` or `hetzner`. Required.
	Cloud string `json:"cloud"`
	// The cloud's own region or location: `fra1`, `fsn1`. Required.
	Region string `json:"region"`
	// Public name of the gateway, for example `chat.example.com`. Without one,
	// the gateway is reached by its address, with a certificate of its own CA.
	Domain string `json:"domain"`
	// The DNS zone that holds the domain's records.
	DNS dnsFile `json:"dns"`
	// Where the gateway's certificate comes from.
	ACME acmeFile `json:"acme"`
	// Login on every host; has sudo.
	AdminUser string `json:"adminUser"`
	// How the operator and the program reach the hosts.
	SSH sshFile `json:"ssh"`
	// The private network between the hosts.
	Network networkFile `json:"network"`
	// The servers, by role.
	Roles rolesFile `json:"roles"`
	// What the public entry does.
	Gateway gatewayFile `json:"gateway"`
	// The version of the Construct services.
	Release releaseFile `json:"release"`
	// Third-party images to use in place of the pinned ones, by name: `caddy`,
	// `postgres`, `redis`, `redpanda`, `prometheus`, `alertmanager`, `grafana`,
	// `haproxy`, `node-exporter`, `postgres-exporter`, `redis-exporter`,
	// `blackbox-exporter`, `loki`, `otel-collector`. Each needs a tag or a digest.
	Images map[string]string `json:"images"`
	// Registry put before every image reference: with `mirror.example.com`,
	// `postgres:16.4` is pulled as
	// `mirror.example.com/docker.io/library/postgres:16.4`.
	ImageMirror string `json:"imageMirror"`
	// Logins for private registries.
	Registries []registryFile `json:"registries"`
	// What one client address may ask of the gateway.
	RateLimit rateLimitFile `json:"rateLimit"`
	// The message broker: Redpanda on the message server, or external brokers.
	Kafka kafkaFile `json:"kafka"`
	// HashiCorp Vault, for the services' key rotation. Default: none.
	Vault *vaultFile `json:"vault"`
	// Push notifications to Apple devices. Default: none.
	APNs *apnsFile `json:"apns"`
	// Exchange of messages with other servers. Default: none.
	Federation *federationFile `json:"federation"`
	// Metrics and alerts.
	Monitoring monitoringFile `json:"monitoring"`
	// The containers' logs and the hosts' logins, collected on the media server.
	Logs logsFile `json:"logs"`
	// When servers may reboot to finish a security upgrade: a day of the week and
	// a time, UTC, or `never`. The db server begins, the others follow every 30
	// minutes.
	RebootWindow string `json:"rebootWindow"`
	// Refuse to delete the db server and every data volume.
	Protect bool `json:"protect"`
	// The deployment's own secrets. `construct init` generates all of them.
	Secrets secretsFile `json:"secrets"`
}

type dnsFile struct {
	// DNS zone that holds the records. Default: the domain itself.
	Zone string `json:"zone"`
	// Create the zone; `false` uses one that exists in the account.
	CreateZone bool `json:"createZone"`
}

type acmeFile struct {
	// Address for the certificate authority's notices. Required with a domain.
	Email string `json:"email"`
	// The authority's ACME directory.
	Directory string `json:"directory"`
	// PEM certificates that verify the directory and, of a private authority, what
	// it issues. Default: the system's.
	CARoot string `json:"caRoot"`
	// File with the same.
	CARootPath string `json:"caRootPath"`
}

type sshFile struct {
	// The operator's public key, as a line of authorized_keys. One of this,
	// `publicKeyPath` and `authorizedKeys` is required.
	PublicKey string `json:"publicKey"`
	// File with the same.
	PublicKeyPath string `json:"publicKeyPath"`
	// Further operators' public keys, each as a line of authorized_keys or as the
	// file that has it. The comment says whose key it is. These keys and
	// `publicKey` are the only ones that log in on any host.
	AuthorizedKeys []string `json:"authorizedKeys"`
	// The private key that belongs to one of them, PEM, without a passphrase.
	// Default: the SSH agent.
	PrivateKey string `json:"privateKey" secret:"true"`
	// File with the same; better, since the key stays out of the stack.
	PrivateKeyPath string `json:"privateKeyPath"`
	// Networks that may connect by SSH, for example `203.0.113.7/32`. Required.
	AllowedCIDRs []string `json:"allowedCidrs"`
	// Permit networks wider than /8 (IPv6: /16) in `allowedCidrs`, such as
	// `0.0.0.0/0`.
	AllowAnywhere bool `json:"allowAnywhere"`
	// Port of sshd on every host.
	Port int `json:"port"`
	// Connect to every host's public address instead of through the gateway.
	Direct bool `json:"direct"`
}

type networkFile struct {
	// The private network: /16 to /28 (Hetzner: /16 to /24), out of 10.0.0.0/8
	// or 172.16.0.0/16; Docker uses the other private ranges.
	CIDR string `json:"cidr"`
}

type rolesFile struct {
	// Caddy and the API gateway; the only public server.
	Gateway plainRole `json:"gateway"`
	// Auth, user and notification services.
	App plainRole `json:"app"`
	// PostgreSQL and the Redis primary.
	Database dataRole `json:"db"`
	// Messaging service, delivery worker, Redpanda, Redis replica.
	Message dataRole `json:"message"`
	// Media service and monitoring.
	Media mediaRole `json:"media"`
}

type plainRole struct {
	// Server size: `small`, `medium`, `large`, or the cloud's own slug.
	Size string `json:"size"`
	// Sizes to take instead, in order, for a server that is still to be made, where
	// the cloud has run out of the size.
	FallbackSizes []string `json:"fallbackSizes"`
}

type dataRole struct {
	// Server size: `small`, `medium`, `large`, or the cloud's own slug.
	Size string `json:"size"`
	// Sizes to take instead, in order, for a server that is still to be made, where
	// the cloud has run out of the size.
	FallbackSizes []string `json:"fallbackSizes"`
	// Data volume in GB, up to 10240 (Hetzner: at least 10). It can grow, not
	// shrink.
	VolumeGB int `json:"volumeGb"`
}

type mediaRole struct {
	// Run the media server: uploads, Prometheus, Alertmanager, Grafana.
	Enabled bool `json:"enabled"`
	// Server size: `small`, `medium`, `large`, or the cloud's own slug.
	Size string `json:"size"`
	// Sizes to take instead, in order, for a server that is still to be made, where
	// the cloud has run out of the size.
	FallbackSizes []string `json:"fallbackSizes"`
	// Data volume in GB, up to 10240 (Hetzner: at least 10). It can grow, not
	// shrink.
	VolumeGB int `json:"volumeGb"`
}

// letsEncrypt is the production directory of Let's Encrypt.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// defaults returns a stack file that says nothing but what is assumed.
func defaults() stackFile {
	return stackFile{
		DNS:       dnsFile{CreateZone: true},
		ACME:      acmeFile{Directory: letsEncrypt},
		AdminUser: "construct",
		SSH:       sshFile{Port: 22},
		Network:   networkFile{CIDR: "10.20.0.0/24"},
		Roles: rolesFile{
			Gateway:  plainRole{Size: "small"},
			App:      plainRole{Size: "medium"},
			Database: dataRole{Size: "medium", VolumeGB: 50},
			Message:  dataRole{Size: "medium", VolumeGB: 50},
			Media:    mediaRole{Enabled: true, Size: "medium", VolumeGB: 100},
		},
		Release: releaseFile{SoakSeconds: 60},
		Gateway: gatewayFile{Maintenance: maintenanceFile{RetryAfterSeconds: 300}},
		RateLimit: rateLimitFile{
			RequestsPerMinute: 300, AuthPerMinute: 20, RegistrationsPerHour: 60, UploadsPerMinute: 20,
		},
		Monitoring: monitoringFile{
			RetentionDays: 15, RetentionGB: 10,
			Receivers: receiversFile{Email: emailFile{RequireTLS: true}},
		},
		Logs:         logsFile{RetentionDays: 7},
		RebootWindow: "Sun 02:00",
		Protect:      true,
	}
}
