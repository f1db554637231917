package settings

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// placeholderSalt is the built-in salt that a real service refuses.
const placeholderSalt = "change-me-in-production"

// require checks the variables whose absence or shape ends the process.
func (r *reader) require(c *Config) {
	for _, name := range []string{"DATABASE_URL", "REDIS_URL", "ONLINE_CHANNEL"} {
		if r.getenv(name) == "" {
			r.fail("%s must be set", name)
		}
	}
	if salt := r.getenv("LOG_HASH_SALT"); salt == "" || salt == placeholderSalt {
		r.fail("LOG_HASH_SALT must be set to a value of your own")
	}
	if c.Service == DeliveryWorker && !c.Kafka.Enabled {
		r.fail("delivery-worker needs KAFKA_ENABLED=true")
	}
	c.JWT = r.jwt(c.Service)
	c.CSRF = r.csrf()
	r.apnsKey(c.Service)
	r.signingKey()
}

// production says whether ENVIRONMENT names something other than development.
func (r *reader) production() bool {
	return !slices.Contains([]string{"", "dev", "development", "local", "test"}, strings.ToLower(r.getenv("ENVIRONMENT")))
}

func (r *reader) jwt(service string) JWT {
	j := JWT{
		PublicKey:  r.getenv("JWT_PUBLIC_KEY"),
		Issuer:     r.text("JWT_ISSUER", "construct-server"),
		AccessTTL:  r.scaled("ACCESS_TOKEN_TTL_HOURS", 168, time.Hour),
		RefreshTTL: r.scaled("REFRESH_TOKEN_TTL_DAYS", 90, 24*time.Hour),
	}
	if service == DeliveryWorker {
		return j
	}
	if j.PublicKey == "" {
		r.fail("JWT_PUBLIC_KEY must be set")
		return j
	}
	var err error
	if j.PublicPEM, err = pemOrFile(j.PublicKey); err == nil {
		err = checkPublic(j.PublicPEM)
	}
	if err != nil {
		r.fail("JWT_PUBLIC_KEY: %w", err)
	}
	if private := r.getenv("JWT_PRIVATE_KEY"); private != "" {
		if j.PrivatePEM, err = pemOrFile(private); err == nil {
			err = checkPrivate(j.PrivatePEM)
		}
		if err != nil {
			r.fail("JWT_PRIVATE_KEY: %w", err)
		}
	}
	return j
}

// pemOrFile treats the value as a path only if it holds a slash and is not
// itself PEM, whose base64 may hold slashes too.
func pemOrFile(value string) ([]byte, error) {
	if strings.HasPrefix(strings.TrimSpace(value), "-----BEGIN") || !strings.Contains(value, "/") {
		return []byte(value), nil
	}
	b, err := os.ReadFile(value)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	return b, nil
}

func checkPublic(raw []byte) error {
	block, _ := pem.Decode(raw)
	if block == nil {
		return errors.New("not PEM (want an RSA public key with real newlines)")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	}
	if err != nil {
		return fmt.Errorf("parse public key: %w", err)
	}
	if _, ok := key.(*rsa.PublicKey); !ok {
		return fmt.Errorf("key is %T (want RSA)", key)
	}
	return nil
}

func checkPrivate(raw []byte) error {
	block, _ := pem.Decode(raw)
	if block == nil {
		return errors.New("not PEM (want an RSA private key with real newlines)")
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("parse private key: %w", err)
	}
	if _, ok := key.(*rsa.PrivateKey); !ok {
		return fmt.Errorf("key is %T (want RSA)", key)
	}
	return nil
}

func (r *reader) csrf() CSRF {
	c := CSRF{Enabled: r.flag("CSRF_ENABLED", true), Secret: r.getenv("CSRF_SECRET")}
	if c.Secret != "" && len(c.Secret) < 32 {
		r.fail("CSRF_SECRET has %d characters (want at least 32)", len(c.Secret))
	}
	if c.Secret == "" && c.Enabled && (r.flag("PRODUCTION", false) || r.production()) {
		r.fail("CSRF_SECRET must be set in production, or CSRF_ENABLED=false")
	}
	return c
}

func (r *reader) apnsKey(service string) {
	const name = "APNS_DEVICE_TOKEN_ENCRYPTION_KEY"
	key := r.getenv(name)
	needed := r.production() || r.flag("APNS_ENABLED", false)
	if key == "" {
		if needed {
			r.fail("%s must be set", name)
		}
		return
	}
	if len(key) != 64 {
		r.fail("%s has %d characters (want exactly 64)", name, len(key))
		return
	}
	// Auth and user accept anything of 64 characters here and panic per request.
	if _, err := hex.DecodeString(key); err != nil && (service == Messaging || service == Notification) {
		r.fail("%s is not hexadecimal", name)
	}
	if needed && strings.Trim(key, "0") == "" {
		r.fail("%s must not be all zeros", name)
	}
}

func (r *reader) signingKey() {
	key := r.getenv("SERVER_SIGNING_KEY")
	if key == "" || !r.flag("FEDERATION_ENABLED", false) {
		return
	}
	b, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(b) != 32 {
		r.fail("SERVER_SIGNING_KEY is not base64 of 32 bytes")
	}
}
