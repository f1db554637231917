package stacks

import (
	"net/netip"
	"testing"
)

// canary marks every secret of the test deployment.
const canary = "CANARY"

func testDeployment() Deployment {
	return Deployment{
		Name: "construct-test", Domain: "chat.example.com", ACMEEmail: "ops@example.com",
		Media: true, NetworkCIDR: mustPrefix("10.20.0.0/24"),
		Memory:  map[Role]int{Gateway: 1024, App: 2048, DB: 2048, Message: 2048, Media: 2048},
		Release: Image{Repository: "ghcr.io/example/construct-server", Tag: "0.7.0"},
		Secrets: Secrets{
			PostgresPassword:         canary + "postgres-password-000000000",
			PostgresExporterPassword: canary + "postgres-exporter-0000000000",
			RedisPassword:            canary + "redis-password-000000000000",
			RedisReplicaPassword:     canary + "redis-replica-0000000000000",
			RedisMonitorPassword:     canary + "redis-monitor-0000000000000",
			JWTPrivateKey:            "-----BEGIN PRIVATE KEY-----\n" + canary + "jwt\n-----END PRIVATE KEY-----", // gitleaks:allow
			JWTPublicKey:             "-----BEGIN PUBLIC KEY-----\npublic\n-----END PUBLIC KEY-----",
			CSRFSecret:               canary + "csrf $ecret with spaces # and signs",
			APNsTokenKey:             canary + "apns-token-key",
			LogHashSalt:              canary + "log-hash-salt-000000000000000000",
			MediaUploadSecret:        canary + "media-upload-secret-000000000000",
			GrafanaPassword:          canary + "grafana-password",
		},
		DigestKey: []byte("0123456789abcdef0123456789abcdef"),
		Seed:      []byte("the seed of certificates, 32 by."),
	}
}

func mustPrefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func mustRender(t *testing.T, d Deployment, role Role) Bundle {
	t.Helper()
	b, err := Render(d, role)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// variants are deployments that between them reach every branch.
func variants() map[string]Deployment {
	noMedia := testDeployment()
	noMedia.Media = false
	delete(noMedia.Memory, Media)

	bare := testDeployment()
	bare.Domain, bare.ACMEEmail = "", ""

	full := testDeployment()
	full.ACMEDirectory, full.ACMECARoot = "https://acme.example.com/dir", testCertificate
	full.ImageMirror = "mirror.example.com:5000"
	full.Maintenance = Maintenance{
		Enabled: true, RetryAfterSeconds: 600, AllowedCIDRs: []netip.Prefix{mustPrefix("203.0.113.7/32"), mustPrefix("2001:db8::/32")},
	}
	full.Kafka = Kafka{
		Brokers: []string{"b1.example.com:9093", "b2.example.com:9094"}, TLS: true, CARoot: testCertificate,
		SASLMechanism: "SCRAM-SHA-512", Username: "construct", Password: canary + "kafka",
	}
	full.Vault = &Vault{Address: "https://vault.example.com", Token: canary + "vault"}
	full.APNs = &APNs{
		KeyID: "ABC123DEFG", TeamID: "TEAM123456", BundleID: "com.example.chat", Environment: "production",
		Key: "-----BEGIN PRIVATE KEY-----\n" + canary + "apns\n-----END PRIVATE KEY-----", // gitleaks:allow
	}
	full.Federation = &Federation{SigningKey: canary + "federation="}
	full.Monitoring = Monitoring{RetentionDays: 30, RetentionGB: 20, Receivers: everyReceiver()}
	rotating := testDeployment()
	rotating.Secrets.JWTPreviousPublicKey = "-----BEGIN PUBLIC KEY-----\nprevious\n-----END PUBLIC KEY-----"
	logs := testDeployment()
	logs.Memory[Message] = 4096
	logs.Logs = Logs{Enabled: true}
	return map[string]Deployment{
		"rotating": rotating, "plain": testDeployment(), "no-media": noMedia, "no-domain": bare, "full": full, "logs": logs,
	}
}
