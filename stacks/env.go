package stacks

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// secretsMount is where a Construct service finds its key files. The services
// take a value with a slash for a path (facts 1b), so every key is a file.
const secretsMount = "/etc/construct"

// messageTTLDays is how long an undelivered message lives. The topic's
// retention follows from it.
const messageTTLDays = 7

// common is the part of the environment that six of the seven services demand
// or must agree on (facts 1b, lesson 6). Media has an environment of its own.
func (r *renderer) common(s ServiceSpec) []variable {
	sec := r.d.Secrets
	vars := []variable{
		{"APNS_DEVICE_TOKEN_ENCRYPTION_KEY", sec.APNsTokenKey},
		{"CSRF_SECRET", sec.CSRFSecret},
		{"DELIVERY_QUEUE_PREFIX", "delivery_queue:"},
		{"ENVIRONMENT", "production"},
		{"JWT_ISSUER", "construct-server"},
		{"LOG_HASH_SALT", sec.LogHashSalt},
		{"MESSAGE_TTL_DAYS", strconv.Itoa(messageTTLDays)},
		{"ONLINE_CHANNEL", "online_users"},
		{"REDIS_URL", r.redisURL()},
		{"RUST_LOG", "info"},
	}
	if s.Port != 0 {
		vars = append(vars, variable{"PORT", strconv.Itoa(s.Port)})
	}
	if r.d.Domain != "" {
		vars = append(vars, variable{"INSTANCE_DOMAIN", r.d.Domain})
	}
	if f := r.d.Federation; f != nil {
		base := f.BaseDomain
		if base == "" {
			base = r.d.Domain
		}
		vars = append(vars, variable{"FEDERATION_ENABLED", "true"},
			variable{"FEDERATION_BASE_DOMAIN", base}, variable{"SERVER_SIGNING_KEY", f.SigningKey})
	}
	return vars
}

func (r *renderer) redisURL() string {
	u := url.URL{
		Scheme: "redis", Host: r.address("redis-primary"), Path: "/0",
		User: url.UserPassword(redisAppUser, r.d.Secrets.RedisPassword),
	}
	return u.String()
}

// database is for the services that open a connection: those with a pool.
// They verify the server, by the fleet's own authority.
func (r *renderer) database() []variable {
	u := url.URL{
		Scheme: "postgres", Host: r.address("postgres"), Path: "/" + postgresDatabase,
		User:     url.UserPassword(r.postgresLogin(), r.d.Secrets.PostgresPassword),
		RawQuery: "sslmode=verify-full&sslrootcert=" + secretsMount + "/" + postgresCAFile,
	}
	return []variable{{"DATABASE_URL", u.String()}}
}

func (r *renderer) databaseFiles() []File {
	return []File{{Path: postgresCAFile, Mode: 0o444, Content: r.authority.root()}}
}

// databaseUnused is for the gateway and the worker, which demand the variable
// and never connect (facts 1a): the role's name, and no password to steal.
func (r *renderer) databaseUnused() []variable {
	return []variable{{"DATABASE_URL", "postgres://" + postgresAppUser + "@" + r.address("postgres") + "/" + postgresDatabase}}
}

const (
	jwtPublicFile  = "jwt-public.pem"
	jwtPrivateFile = "jwt-private.pem"
	apnsKeyFile    = "apns-key.p8"
	kafkaCAFile    = "kafka-ca.pem"
	postgresCAFile = "postgres-ca.pem"
)

// jwt names the key files; only auth signs.
func (r *renderer) jwt(private bool) []variable {
	vars := []variable{{"JWT_PUBLIC_KEY", secretsMount + "/" + jwtPublicFile}}
	if private {
		vars = append(vars, variable{"JWT_PRIVATE_KEY", secretsMount + "/" + jwtPrivateFile})
	}
	return vars
}

func (r *renderer) jwtFiles(private bool) []File {
	files := []File{{Path: jwtPublicFile, Mode: 0o444, Content: pem(r.d.Secrets.JWTPublicKey)}}
	if private {
		files = append(files, File{Path: jwtPrivateFile, Mode: 0o400, Content: pem(r.d.Secrets.JWTPrivateKey), Secret: true})
	}
	return files
}

// apns is for the two services that push: notification and messaging.
func (r *renderer) apns() []variable {
	a := r.d.APNs
	if a == nil {
		return []variable{{"APNS_ENABLED", "false"}}
	}
	return []variable{
		{"APNS_BUNDLE_ID", a.BundleID},
		{"APNS_ENABLED", "true"},
		{"APNS_ENVIRONMENT", a.Environment},
		{"APNS_KEY_ID", a.KeyID},
		{"APNS_KEY_PATH", secretsMount + "/" + apnsKeyFile},
		{"APNS_TEAM_ID", a.TeamID},
		{"APNS_TOPIC", a.BundleID},
	}
}

func (r *renderer) apnsFiles() []File {
	if r.d.APNs == nil {
		return nil
	}
	return []File{{Path: apnsKeyFile, Mode: 0o400, Content: pem(r.d.APNs.Key), Secret: true}}
}

func (r *renderer) vault() []variable {
	if r.d.Vault == nil {
		return nil
	}
	return []variable{{"VAULT_ADDR", r.d.Vault.Address}, {"VAULT_TOKEN", r.d.Vault.Token}}
}

// address is host:port at which any host reaches a service.
func (r *renderer) address(name string) string {
	s, ok := find(r.all, name)
	if !ok {
		r.fail(fmt.Errorf("address of %q: no such service", name))
		return ""
	}
	return s.Role.Host() + ":" + strconv.Itoa(s.Port)
}

// pem ends a key file with one line break, whatever the configuration had.
func pem(s string) []byte { return []byte(strings.TrimSpace(s) + "\n") }
