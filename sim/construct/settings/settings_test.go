package settings_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/construct-server/infra/sim/construct/settings"
)

func keyPair(t *testing.T) (public, private string) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	pub, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})),
		string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}))
}

func TestLoadFatal(t *testing.T) {
	t.Parallel()
	public, private := keyPair(t)
	base := map[string]string{
		"DATABASE_URL": "postgres://db/construct", "REDIS_URL": "redis://r", "ONLINE_CHANNEL": "online",
		"LOG_HASH_SALT": "salt", "JWT_PUBLIC_KEY": public, "JWT_PRIVATE_KEY": private, "KAFKA_ENABLED": "true",
	}
	hex64 := strings.Repeat("a1", 32)
	for _, tt := range []struct {
		name     string
		services []string // default: all but media
		set      map[string]string
		want     string // "" for no error
	}{
		{name: "complete"},
		{name: "no database", set: map[string]string{"DATABASE_URL": ""}, want: "DATABASE_URL must be set"},
		{name: "no redis", set: map[string]string{"REDIS_URL": ""}, want: "REDIS_URL must be set"},
		{name: "no channel", set: map[string]string{"ONLINE_CHANNEL": ""}, want: "ONLINE_CHANNEL must be set"},
		{name: "no salt", set: map[string]string{"LOG_HASH_SALT": ""}, want: "LOG_HASH_SALT"},
		{name: "placeholder salt", set: map[string]string{"LOG_HASH_SALT": "change-me-in-production"}, want: "LOG_HASH_SALT"},
		{
			name: "no public key", set: map[string]string{"JWT_PUBLIC_KEY": ""}, want: "JWT_PUBLIC_KEY must be set",
			services: []string{"gateway", "auth-service", "user-service", "notification-service", "messaging-service"},
		},
		{name: "worker needs no key", services: []string{"delivery-worker"}, set: map[string]string{"JWT_PUBLIC_KEY": ""}},
		{name: "worker needs Kafka", services: []string{"delivery-worker"}, set: map[string]string{"KAFKA_ENABLED": "false"}, want: "KAFKA_ENABLED=true"},
		{name: "others need no Kafka", services: []string{"messaging-service"}, set: map[string]string{"KAFKA_ENABLED": ""}},
		{name: "key is not PEM", services: []string{"auth-service"}, set: map[string]string{"JWT_PUBLIC_KEY": "x"}, want: "JWT_PUBLIC_KEY: not PEM"},
		{name: "key file is missing", services: []string{"auth-service"}, set: map[string]string{"JWT_PUBLIC_KEY": "/no/such.pem"}, want: "read key file"},
		{name: "private key is optional", services: []string{"auth-service"}, set: map[string]string{"JWT_PRIVATE_KEY": ""}},
		{name: "short CSRF secret", set: map[string]string{"CSRF_SECRET": "short"}, want: "at least 32"},
		{name: "no CSRF secret in production", set: map[string]string{"PRODUCTION": "true"}, want: "CSRF_SECRET must be set"},
		{name: "CSRF off in production", set: map[string]string{"PRODUCTION": "true", "CSRF_ENABLED": "false"}},
		{name: "short APNs key", set: map[string]string{"APNS_DEVICE_TOKEN_ENCRYPTION_KEY": "ab"}, want: "exactly 64"},
		{
			name: "APNs key not hex, messaging", services: []string{"messaging-service", "notification-service"},
			set: map[string]string{"APNS_DEVICE_TOKEN_ENCRYPTION_KEY": strings.Repeat("z", 64)}, want: "not hexadecimal",
		},
		{
			name: "APNs key not hex, auth", services: []string{"auth-service", "user-service"},
			set: map[string]string{"APNS_DEVICE_TOKEN_ENCRYPTION_KEY": strings.Repeat("z", 64)},
		},
		{name: "APNs on without key", set: map[string]string{"APNS_ENABLED": "true"}, want: "APNS_DEVICE_TOKEN_ENCRYPTION_KEY must be set"},
		{
			name: "APNs key of zeros in production",
			set: map[string]string{
				"ENVIRONMENT": "production", "CSRF_ENABLED": "false",
				"APNS_DEVICE_TOKEN_ENCRYPTION_KEY": strings.Repeat("0", 64),
			},
			want: "all zeros",
		},
		{
			name: "production complete",
			set: map[string]string{
				"ENVIRONMENT": "production", "CSRF_SECRET": strings.Repeat("c", 32), "APNS_DEVICE_TOKEN_ENCRYPTION_KEY": hex64,
			},
		},
		{name: "bad signing key", set: map[string]string{"FEDERATION_ENABLED": "true", "SERVER_SIGNING_KEY": "AAAA"}, want: "SERVER_SIGNING_KEY"},
		{name: "signing key unused", set: map[string]string{"SERVER_SIGNING_KEY": "AAAA"}},
	} {
		services := tt.services
		if services == nil {
			services = []string{"gateway", "auth-service", "user-service", "notification-service", "messaging-service", "delivery-worker"}
		}
		for _, service := range services {
			t.Run(tt.name+"/"+service, func(t *testing.T) {
				t.Parallel()
				env := maps.Clone(base)
				maps.Copy(env, tt.set)
				_, err := settings.Load(service, func(k string) string { return env[k] })
				if tt.want == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, tt.want)
			})
		}
	}
}

func TestLoadReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	_, err := settings.Load("gateway", func(string) string { return "" })
	require.Error(t, err)
	require.Len(t, strings.Split(err.Error(), "\n"), 5)
}

func TestMediaHasNothingFatal(t *testing.T) {
	t.Parallel()
	c, err := settings.Load("media-service", func(k string) string { return map[string]string{"PORT": "9999"}[k] })
	require.NoError(t, err)
	require.Equal(t, "0.0.0.0:8082", c.Media.BindAddress, "PORT must not move it")
	require.NotEmpty(t, c.Media.UploadSecret)
}

func TestKeyFromFile(t *testing.T) {
	t.Parallel()
	public, _ := keyPair(t)
	path := filepath.Join(t.TempDir(), "public.pem")
	require.NoError(t, os.WriteFile(path, []byte(public), 0o600))
	env := map[string]string{"DATABASE_URL": "x", "REDIS_URL": "x", "ONLINE_CHANNEL": "x", "LOG_HASH_SALT": "x", "JWT_PUBLIC_KEY": path}
	c, err := settings.Load("gateway", func(k string) string { return env[k] })
	require.NoError(t, err)
	require.Equal(t, path, c.JWT.PublicKey, "the raw value is echoed by /public-key")
	require.Equal(t, public, string(c.JWT.PublicPEM))
}
