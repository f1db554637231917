package config

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Shortest lengths, in characters. CSRF's is the services' own; the rest keep
// a secret out of reach of guessing.
const (
	minPassword = 24
	minKeyText  = 32
	minGrafana  = 12
)

var (
	urlSafe = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
	// envSafe is what an env file hands over unchanged: no spaces, quotes,
	// backslashes, dollars or hashes.
	envSafe = regexp.MustCompile(`^[!%-&(-\[\]-_a-~]+$`)
	// placeholder is what examples say where a secret belongs.
	placeholder = regexp.MustCompile(`(?i)change.?me|change.?this|placeholder|your.|replace.?me|default|example|secret.?here|^x+$`)
	hexKey      = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
)

// byInit ends what is wanted of a secret that is not there.
const byInit = "construct init generates it"

func (v *validator) passwords() {
	s := v.Secrets
	for _, secret := range []struct{ key, value string }{
		{"postgresPassword", s.PostgresPassword},
		{"postgresExporterPassword", s.PostgresExporterPassword},
		{"redisPassword", s.RedisPassword},
		{"redisReplicaPassword", s.RedisReplicaPassword},
		{"redisMonitorPassword", s.RedisMonitorPassword},
	} {
		v.secretText(secret.key, secret.value, minPassword, urlSafe, "letters, digits and . _ ~ - only, since it is part of a URL")
	}
	for _, secret := range []struct {
		key, value string
		least      int
	}{
		{"csrfSecret", s.CSRFSecret, minKeyText},
		{"logHashSalt", s.LogHashSalt, minKeyText},
		{"mediaUploadSecret", s.MediaUploadSecret, minKeyText},
		{"grafanaPassword", s.GrafanaPassword, minGrafana},
	} {
		v.secretText(secret.key, secret.value, secret.least, envSafe, `visible ASCII without quotes, \, $, # or backquote, since it stands in an env file`)
	}
}

func (v *validator) secretText(key, value string, least int, syntax *regexp.Regexp, want string) {
	path := "secrets." + key
	switch {
	case !v.require(path, value, byInit):
	case placeholder.MatchString(value):
		v.add(path, "is a placeholder", byInit)
	case len(value) < least:
		v.add(path, fmt.Sprintf("has %d characters", len(value)), fmt.Sprintf("at least %d", least))
	case !syntax.MatchString(value):
		v.add(path, "has characters that do not survive where it is used", want)
	case strings.Count(value, value[:1]) == len(value):
		v.add(path, "is one character repeated", byInit)
	}
}

// keys checks the secrets that are 32 bytes in hexadecimal. The services
// accept others at boot and panic at the first use.
func (v *validator) keys() {
	s := v.Secrets
	for _, secret := range []struct {
		key, value string
		optional   bool
	}{
		{"apnsTokenKey", s.APNsTokenKey, false},
		{"hostKeySeed", s.HostKeySeed, false},
		{"previousHostKeySeed", s.PreviousHostKeySeed, true},
		{"internalSeed", s.InternalSeed, true},
	} {
		if secret.value != "" || !secret.optional {
			v.hexKey("secrets."+secret.key, secret.value)
		}
	}
	if s.PreviousHostKeySeed == "" {
		return
	}
	if strings.EqualFold(s.PreviousHostKeySeed, s.HostKeySeed) {
		v.add("secrets.previousHostKeySeed", "is hostKeySeed", "the seed before it, or none")
	}
	v.require("secrets.internalSeed", s.InternalSeed,
		"what hostKeySeed was until now: the database's certificate and more are derived from it, and stay")
}

func (v *validator) hexKey(path, value string) {
	const want = "64 hex digits: openssl rand -hex 32"
	switch {
	case !v.require(path, value, byInit):
	case len(value) != 64:
		v.add(path, fmt.Sprintf("has %d characters", len(value)), want)
	case !hexKey.MatchString(value):
		v.add(path, "is not hexadecimal", want)
	case strings.Count(value, value[:1]) == len(value):
		v.add(path, "is one digit repeated", want)
	}
}

func (v *validator) jwt() {
	var private *rsa.PrivateKey
	var public *rsa.PublicKey
	const wantPrivate, wantPublic = "an RSA private key in PEM", "an RSA public key in PEM"
	if v.require("secrets.jwtPrivateKey", v.Secrets.JWTPrivateKey, byInit) {
		key, err := parseRSAPrivate(v.Secrets.JWTPrivateKey)
		if err != nil {
			v.add("secrets.jwtPrivateKey", err.Error(), wantPrivate)
		} else if private = key; key.N.BitLen() < minRSABits {
			v.add("secrets.jwtPrivateKey", fmt.Sprintf("has %d bits", key.N.BitLen()), fmt.Sprintf("at least %d", minRSABits))
		}
	}
	if v.require("secrets.jwtPublicKey", v.Secrets.JWTPublicKey, byInit) {
		key, err := parseRSAPublic(v.Secrets.JWTPublicKey)
		if err != nil {
			v.add("secrets.jwtPublicKey", err.Error(), wantPublic)
		}
		public = key
	}
	if private != nil && public != nil && !private.PublicKey.Equal(public) {
		v.add("secrets.jwtPublicKey", "does not belong to jwtPrivateKey", "the other half of the same key pair")
	}
	if v.Secrets.JWTPreviousPublicKey != "" {
		key, err := parseRSAPublic(v.Secrets.JWTPreviousPublicKey)
		switch {
		case err != nil:
			v.add("secrets.jwtPreviousPublicKey", err.Error(), wantPublic)
		case public != nil && key.Equal(public):
			v.add("secrets.jwtPreviousPublicKey", "is jwtPublicKey", "the public key of another pair, or none")
		}
	}
}

var errNotPEM = errors.New("is not PEM")

func parseRSAPrivate(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errNotPEM
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if rsaKey, ok := key.(*rsa.PrivateKey); ok && err == nil {
		return rsaKey, nil
	}
	return nil, fmt.Errorf("is PEM of type %q without an RSA private key", block.Type)
}

func parseRSAPublic(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errNotPEM
	}
	if key, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if rsaKey, ok := key.(*rsa.PublicKey); ok && err == nil {
		return rsaKey, nil
	}
	return nil, fmt.Errorf("is PEM of type %q without an RSA public key", block.Type)
}
