package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/deploy"
	"github.com/construct-server/infra/e2e/lab"
)

// nasty is what quoting goes wrong on, as far as every setting of free text
// takes it.
const nasty = ` "$(id)` + "`&<é>" + `#{x};%!~`

// everythingOn is a stack with every optional part, each of which has secrets
// of its own, on the same clouds as before.
func everythingOn(before lab.Settings) lab.Settings {
	s := maps.Clone(before)
	for key, value := range map[string]any{
		"construct:domain": lab.Domain, "construct:acme": map[string]any{"email": "ops@construct.test"},
		"construct:kafka": map[string]any{
			"brokers": []any{"broker.example.com:9093"}, "tls": true, "saslMechanism": "PLAIN", "username": "construct",
		},
		"construct:vault":      map[string]any{"address": "https://vault.example.com:8200"},
		"construct:apns":       map[string]any{"keyId": "ABC1234567", "teamId": "TEAM567890", "bundleId": "com.example.chat", "environment": "production"},
		"construct:federation": map[string]any{},
		"construct:monitoring": map[string]any{"receivers": map[string]any{
			"email": map[string]any{
				"smarthost": "smtp.example.com:587", "from": "alerts@example.com", "to": []any{"ops@example.com"},
				"username": "alerts", "requireTls": true,
			},
			"telegram": map[string]any{"chatId": -1001},
		}},
		"construct:registries": []any{map[string]any{"server": "registry.example.com", "username": "puller"}},
	} {
		s[key] = value
	}
	ssh := maps.Clone(before["construct:ssh"].(map[string]any))
	delete(ssh, "privateKeyPath") // the key itself is in the stack file
	s["construct:ssh"] = ssh
	return s
}

// withCanaries gives every setting that must be encrypted a value of its own,
// and the providers' tokens.
func withCanaries(t *testing.T, l *lab.Lab, before lab.Settings) lab.Settings {
	t.Helper()
	generated, err := config.GenerateSecrets()
	require.NoError(t, err)
	values := special(t, l)
	for _, entry := range generated.Entries() {
		values[strings.TrimPrefix(entry.Key, "construct:")] = entry.Value
	}
	// What is generated is plain; these take more.
	for _, key := range []string{"csrfSecret", "logHashSalt", "mediaUploadSecret", "grafanaPassword"} {
		values["secrets."+key] = rand.Text() + "!%&()*+,/:;<=>?@[]^{|}~" + rand.Text()
	}
	s := maps.Clone(before)
	for _, path := range config.SecretPaths() {
		value, known := values[path]
		if !known {
			value = rand.Text() + nasty + rand.Text()
		}
		place(s, path, lab.Secret(value))
	}
	for key, value := range map[string]string{
		"digitalocean:token": "dop_v1_" + strings.ToLower(rand.Text()+rand.Text()+"12345"),
		"hcloud:token":       (rand.Text() + rand.Text() + rand.Text())[:64],
	} {
		s[key] = lab.Secret(value)
	}
	return s
}

// special are the secrets that have a form.
func special(t *testing.T, l *lab.Lab) map[string]string {
	t.Helper()
	operator, err := os.ReadFile(l.KeyPath)
	require.NoError(t, err)
	apple, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(apple)
	require.NoError(t, err)
	signing := make([]byte, 32)
	_, _ = rand.Read(signing) // never fails
	url := func() string { return "https://hooks.example.com/" + rand.Text() + "?key=" + rand.Text() + "%20&x=1" }
	const receivers = "monitoring.receivers."
	seed := func() string {
		fresh, err := config.GenerateSecrets()
		require.NoError(t, err)
		return fresh.HostKeySeed
	}
	return map[string]string{
		"ssh.privateKey":                string(operator),
		"secrets.previousHostKeySeed":   seed(),
		"secrets.internalSeed":          seed(),
		previousPublicSecret:            publicKey(t),
		"apns.key":                      string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"federation.signingKey":         base64.StdEncoding.EncodeToString(signing),
		receivers + "webhookUrl":        url(),
		receivers + "heartbeatUrl":      url(),
		receivers + "slack.webhookUrl":  url(),
		receivers + "telegram.botToken": "1234567890:" + rand.Text() + rand.Text(),
	}
}

// publicKey is the public key of a token key pair that nobody has.
func publicKey(t *testing.T) string {
	t.Helper()
	pair, err := config.GenerateSecrets()
	require.NoError(t, err)
	return pair.JWTPublicKey
}

// place sets a path of the schema; of a list, the first element's.
func place(s map[string]any, path string, value any) {
	keys := strings.Split(path, ".")
	at, key := s, "construct:"+keys[0]
	for _, next := range keys[1:] {
		name, isList := strings.CutSuffix(key, "[]")
		var below map[string]any
		if list, ok := at[name].([]any); isList && ok {
			below, _ = list[0].(map[string]any)
		} else {
			below, _ = at[name].(map[string]any)
		}
		below = maps.Clone(below)
		if below == nil {
			below = map[string]any{}
		}
		at[name] = below
		if isList {
			at[name] = []any{below}
		}
		at, key = below, next
	}
	at[key] = value
}

// servers are all that a lab's stack has.
var servers = []string{"gateway", "app", "db", "message", "media"}

// secretsOf are a lab's secrets, by name: all that its stack file encrypts, the
// operator's key, and what is made of them.
func secretsOf(t *testing.T, l *lab.Lab) map[string]string {
	t.Helper()
	secrets := map[string]string{}
	collect(secrets, "", map[string]any(l.Settings))
	if _, given := secrets["ssh.privateKey"]; !given {
		operator, err := os.ReadFile(l.KeyPath)
		require.NoError(t, err)
		secrets["ssh.privateKey"] = string(operator)
	}
	derived(t, secrets)
	return secrets
}

// collect finds the secrets below a path of the settings.
func collect(secrets map[string]string, path string, value any) {
	switch value := value.(type) {
	case lab.Secret:
		secrets[strings.TrimPrefix(path, "construct:")] = string(value)
	case []any:
		for _, below := range value {
			collect(secrets, path+"[]", below)
		}
	case map[string]any:
		for key, below := range value {
			collect(secrets, strings.TrimPrefix(path+"."+key, "."), below)
		}
	}
}

// derived adds what the program makes of the secrets: every host's key. SSH
// keys hold their public half as well, so only the other half is looked for:
// its bytes, and how they stand in the file.
func derived(t *testing.T, secrets map[string]string) {
	t.Helper()
	keys := map[string]string{"ssh.privateKey": secrets["ssh.privateKey"]}
	for _, role := range servers {
		host, err := deploy.NewHostKeys(secrets["secrets.hostKeySeed"], secrets["secrets.previousHostKeySeed"], "construct-test-"+role+"-1")
		require.NoError(t, err)
		keys[hostKeyOf(role)], keys[hostKeyOf(role)+", spare"] = host.Main.PrivatePEM, host.Spare.PrivatePEM
	}
	for name, text := range keys {
		parsed, err := ssh.ParseRawPrivateKey([]byte(text))
		require.NoError(t, err)
		seed := privateBytes(t, parsed)
		block, _ := pem.Decode([]byte(text))
		at := bytes.Index(block.Bytes, seed)
		require.Positive(t, at)
		encoded := base64.StdEncoding.EncodeToString(block.Bytes)
		secrets[name], secrets[name+" in its file"] = string(seed), encoded[(at*8+5)/6:(at+len(seed))*8/6]
	}
}

func privateBytes(t *testing.T, key any) []byte {
	t.Helper()
	switch key := key.(type) {
	case *ed25519.PrivateKey:
		return key.Seed()
	case *ecdsa.PrivateKey:
		raw, err := key.Bytes()
		require.NoError(t, err)
		return raw
	}
	require.Fail(t, "a key of another type", "%T", key)
	return nil
}

func hostKeyOf(role string) string { return "host key of " + role }
