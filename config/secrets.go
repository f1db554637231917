package config

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"reflect"
	"strings"
)

// jwtBits is the size of a generated token key. The services sign with RS256.
const jwtBits = 3072

// GenerateSecrets makes the secrets of a new stack from the system's random
// source. Each is new on every call: replacing them in a running deployment
// logs everybody out and makes stored data unreadable.
func GenerateSecrets() (Secrets, error) {
	key, err := rsa.GenerateKey(rand.Reader, jwtBits)
	if err != nil {
		return Secrets{}, fmt.Errorf("generate JWT key pair: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Secrets{}, fmt.Errorf("encode JWT private key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return Secrets{}, fmt.Errorf("encode JWT public key: %w", err)
	}
	return Secrets{
		PostgresPassword:         randomHex(),
		PostgresExporterPassword: randomHex(),
		RedisPassword:            randomHex(),
		RedisReplicaPassword:     randomHex(),
		RedisMonitorPassword:     randomHex(),
		JWTPrivateKey:            string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		JWTPublicKey:             string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		CSRFSecret:               randomHex(),
		APNsTokenKey:             randomHex(),
		LogHashSalt:              randomHex(),
		MediaUploadSecret:        randomHex(),
		GrafanaPassword:          rand.Text(),
		HostKeySeed:              randomHex(),
	}, nil
}

// randomHex returns 32 random bytes as 64 hex digits, which need no quoting in
// a URL, an env file or a shell. crypto/rand.Read never returns an error.
func randomHex() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// Entry is one secret with the key under which a stack file holds it.
type Entry struct{ Key, Value string }

// Entries lists the secrets that are set by full key
// ("construct:secrets.redisPassword"), in the order of the reference.
func (s Secrets) Entries() []Entry {
	values, keys := reflect.ValueOf(s), reflect.TypeFor[secretsFile]()
	var list []Entry
	for i := range keys.NumField() {
		if value := values.Field(i).String(); value != "" {
			list = append(list, Entry{Key: namespace + "secrets." + keys.Field(i).Tag.Get("json"), Value: value})
		}
	}
	return list
}

// Internal is the seed of what the deployment makes for itself. It outlives
// host keys: a new one restarts every service, the stores too.
func (s Secrets) Internal() string { return orElse(s.InternalSeed, s.HostKeySeed) }

// Tree is the secrets as a stack file has them under construct:secrets, in
// clear: {"redisPassword": {"secure": …}}.
func (s Secrets) Tree() map[string]any {
	tree := map[string]any{}
	for _, entry := range s.Entries() {
		tree[strings.TrimPrefix(entry.Key, namespace+"secrets.")] = map[string]any{"secure": entry.Value}
	}
	return tree
}
