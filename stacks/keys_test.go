package stacks

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// configKeys are what the services' shared configuration reads, so all of
// them but media do (facts 1b, 4, 6).
const configKeys = `
APNS_BUNDLE_ID APNS_DEVICE_TOKEN_ENCRYPTION_KEY APNS_ENABLED APNS_ENVIRONMENT APNS_KEY_ID APNS_KEY_PATH APNS_TEAM_ID APNS_TOPIC
CSRF_SECRET DATABASE_URL DELIVERY_QUEUE_PREFIX ENVIRONMENT
FEDERATION_BASE_DOMAIN FEDERATION_ENABLED INSTANCE_DOMAIN SERVER_SIGNING_KEY
JWT_ISSUER JWT_PRIVATE_KEY JWT_PUBLIC_KEY
KAFKA_BROKERS KAFKA_CONSUMER_GROUP KAFKA_ENABLED KAFKA_SASL_MECHANISM KAFKA_SASL_PASSWORD KAFKA_SASL_USERNAME
KAFKA_SSL_CA_LOCATION KAFKA_SSL_ENABLED KAFKA_TOPIC
LOG_HASH_SALT MEDIA_BASE_URL MEDIA_ENABLED MEDIA_MAX_FILE_SIZE MEDIA_UPLOAD_TOKEN_SECRET MESSAGE_TTL_DAYS
ONLINE_CHANNEL PORT REDIS_URL RUST_LOG`

// keysRead lists the variables that each service reads. A key that nobody
// reads is a setting that silently does nothing (lesson 8).
func keysRead() map[string][]string {
	config := strings.Fields(configKeys)
	plus := func(more string) []string { return slices.Concat(config, strings.Fields(more)) }
	vault := "VAULT_ADDR VAULT_TOKEN"
	reads := map[string][]string{
		"auth-service": plus(vault + " MAX_REGISTRATIONS_PER_HOUR"), "user-service": plus(""), "notification-service": plus(vault),
		"messaging-service": plus(vault), "delivery-worker": plus(""),
		"gateway": plus(`AUTH_SERVICE_URL MESSAGING_SERVICE_URL NOTIFICATION_SERVICE_URL USER_SERVICE_URL
			CIRCUIT_BREAKER_TIMEOUT_SECS MAX_REQUESTS_PER_IP_PER_HOUR MAX_REQUESTS_PER_USER_IP_PER_HOUR MICROSERVICES_ENABLED SERVICE_DISCOVERY_MODE SERVICE_TIMEOUT_SECS`),
		"media-service": strings.Fields(`MEDIA_BIND_ADDRESS MEDIA_FILE_TTL_SECONDS MEDIA_MAX_FILE_SIZE
			MEDIA_STORAGE_DIR MEDIA_UPLOAD_TOKEN_SECRET RUST_LOG`),
	}
	reads["auth-previous"], reads["gateway-previous"] = reads["auth-service"], reads["gateway"]
	return reads
}

// needed lists what each service cannot start or work without (facts 1b).
func needed() map[string][]string {
	all := strings.Fields(`DATABASE_URL REDIS_URL ONLINE_CHANNEL LOG_HASH_SALT CSRF_SECRET ENVIRONMENT
		APNS_DEVICE_TOKEN_ENCRYPTION_KEY JWT_ISSUER DELIVERY_QUEUE_PREFIX`)
	plus := func(more string) []string { return slices.Concat(all, strings.Fields(more)) }
	needs := map[string][]string{
		"auth-service":         plus("PORT JWT_PUBLIC_KEY JWT_PRIVATE_KEY"),
		"user-service":         plus("PORT JWT_PUBLIC_KEY"),
		"notification-service": plus("PORT JWT_PUBLIC_KEY"),
		"messaging-service":    plus("PORT JWT_PUBLIC_KEY KAFKA_ENABLED KAFKA_BROKERS KAFKA_TOPIC MEDIA_UPLOAD_TOKEN_SECRET"),
		"delivery-worker":      plus("KAFKA_ENABLED KAFKA_BROKERS KAFKA_TOPIC KAFKA_CONSUMER_GROUP"),
		"gateway":              plus("PORT JWT_PUBLIC_KEY MICROSERVICES_ENABLED AUTH_SERVICE_URL MESSAGING_SERVICE_URL"),
		"media-service":        strings.Fields("MEDIA_BIND_ADDRESS MEDIA_STORAGE_DIR MEDIA_UPLOAD_TOKEN_SECRET"),
	}
	needs["auth-previous"], needs["gateway-previous"] = needs["auth-service"], needs["gateway"]
	return needs
}

// environments renders a deployment and returns service → key → value.
func environments(t *testing.T, d Deployment) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for _, role := range Roles(d.Media) {
		for _, s := range mustParse(t, mustRender(t, d, role)).Services {
			env := map[string]string{}
			for k, v := range s.Environment {
				env[k] = *v
			}
			out[s.Name] = env
		}
	}
	return out
}

func TestServicesGetWhatTheyRead(t *testing.T) {
	t.Parallel()
	for name, d := range variants() {
		envs := environments(t, d)
		for service, reads := range keysRead() {
			env, ok := envs[service]
			if !ok && d.Media && (name == "rotating" || !strings.HasSuffix(service, "-previous")) {
				t.Errorf("%s: no %s", name, service)
			}
			for key := range env {
				if !slices.Contains(reads, key) {
					t.Errorf("%s: %s is given %s, which it does not read", name, service, key)
				}
			}
			if !ok {
				continue
			}
			for _, key := range needed()[service] {
				if env[key] == "" && (d.Media || key != "MEDIA_UPLOAD_TOKEN_SECRET") {
					t.Errorf("%s: %s lacks %s", name, service, key)
				}
			}
		}
	}
}

// What must be the same everywhere is (lesson 6); what only two services may
// have, only they have.
func TestServicesAgree(t *testing.T) {
	t.Parallel()
	for name, d := range variants() {
		envs := environments(t, d)
		var files []File
		for _, role := range Roles(d.Media) {
			files = append(files, mustRender(t, d, role).Files...)
		}
		for _, key := range strings.Fields(`APNS_DEVICE_TOKEN_ENCRYPTION_KEY APNS_KEY_ID APNS_TEAM_ID APNS_KEY_PATH APNS_TOPIC DELIVERY_QUEUE_PREFIX JWT_ISSUER INSTANCE_DOMAIN
			KAFKA_TOPIC KAFKA_CONSUMER_GROUP ONLINE_CHANNEL LOG_HASH_SALT MEDIA_UPLOAD_TOKEN_SECRET MEDIA_MAX_FILE_SIZE REDIS_URL`) {
			first := ""
			for service, env := range envs {
				v, ok := env[key]
				if !ok {
					continue
				}
				if first == "" {
					first = v
				}
				if v != first {
					t.Errorf("%s: %s has its own %s", name, service, key)
				}
			}
		}
		for service, env := range envs {
			kafka := service == "messaging-service" || service == "delivery-worker"
			if (env["KAFKA_ENABLED"] == "true") != kafka {
				t.Errorf("%s: %s has KAFKA_ENABLED=%q", name, service, env["KAFKA_ENABLED"])
			}
			connects := !strings.HasPrefix(service, "gateway") && service != "delivery-worker"
			if url, ok := env["DATABASE_URL"]; ok && strings.Contains(url, canary) != connects {
				t.Errorf("%s: %s connects to the database: %v, has its password: %v", name, service, connects, !connects)
			}
			if env["JWT_PRIVATE_KEY"] != "" && !strings.HasPrefix(service, "auth-") {
				t.Errorf("%s: %s has the signing key", name, service)
			}
			for _, key := range []string{"JWT_PUBLIC_KEY", "JWT_PRIVATE_KEY", "APNS_KEY_PATH", "KAFKA_SSL_CA_LOCATION"} {
				if path, ok := env[key]; ok && !mounted(files, service, path) {
					t.Errorf("%s: %s: %s names %s, which is not mounted", name, service, key, path)
				}
			}
			if _, path, ok := strings.Cut(env["DATABASE_URL"], "sslrootcert="); ok && !mounted(files, service, path) {
				t.Errorf("%s: %s: DATABASE_URL names %s, which is not mounted", name, service, path)
			}
		}
	}
}

// The services' own limits are larger than what the edge lets through in an
// hour, whatever is configured: the edge answers with Retry-After, in every
// protocol alike, and counts a network of IPv6 as one.
func TestServicesLimitAfterTheEdge(t *testing.T) {
	t.Parallel()
	for _, c := range []RateLimit{{}, {RequestsPerMinute: 1, RegistrationsPerHour: 1}, {RequestsPerMinute: 5000, RegistrationsPerHour: 3000}} {
		d := testDeployment()
		d.RateLimit = c
		r, err := newRenderer(d, Gateway)
		if err != nil {
			t.Fatal(err)
		}
		edge, envs := r.view().RateLimit, environments(t, d)
		for _, limit := range []struct {
			service, key string
			edge         int
		}{
			{"gateway", "MAX_REQUESTS_PER_IP_PER_HOUR", 60 * edge.RequestsPerMinute},
			{"gateway", "MAX_REQUESTS_PER_USER_IP_PER_HOUR", 60 * edge.RequestsPerMinute},
			{"auth-service", "MAX_REGISTRATIONS_PER_HOUR", edge.RegistrationsPerHour},
		} {
			if own, err := strconv.Atoi(envs[limit.service][limit.key]); err != nil || own <= limit.edge {
				t.Errorf("%+v: %s=%q, the edge lets %d through", c, limit.key, envs[limit.service][limit.key], limit.edge)
			}
		}
	}
}

// mounted tells whether a container path is in a service's configuration
// directory, readable by its user.
func mounted(files []File, service, path string) bool {
	rest, ok := strings.CutPrefix(path, secretsMount+"/")
	return ok && slices.ContainsFunc(files, func(f File) bool {
		return strings.HasPrefix(f.Path, configDir+"/"+service+"-") && strings.HasSuffix(f.Path, "/"+rest) && f.UID == constructUID
	})
}

// What messaging promises of uploads, the edge lets through, the media service
// takes, and the volume keeps as long as a message lives.
func TestMediaAgrees(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	envs := environments(t, d)
	media, messaging := envs["media-service"], envs["messaging-service"]
	if media["MEDIA_MAX_FILE_SIZE"] != messaging["MEDIA_MAX_FILE_SIZE"] {
		t.Errorf("messaging promises %s bytes, media takes %s", messaging["MEDIA_MAX_FILE_SIZE"], media["MEDIA_MAX_FILE_SIZE"])
	}
	days, _ := strconv.Atoi(messaging["MESSAGE_TTL_DAYS"])
	if want := strconv.Itoa(days * 24 * 3600); days == 0 || media["MEDIA_FILE_TTL_SECONDS"] != want {
		t.Errorf("files live %s seconds, messages %s", media["MEDIA_FILE_TTL_SECONDS"], want)
	}
	service := mustParse(t, mustRender(t, d, Media)).Services["media-service"]
	if !slices.ContainsFunc(service.Volumes, func(v types.ServiceVolumeConfig) bool {
		return v.Target == media["MEDIA_STORAGE_DIR"] && strings.HasPrefix(v.Source, DataRoot+"/") && !v.ReadOnly
	}) {
		t.Errorf("%s is not on the volume: %v", media["MEDIA_STORAGE_DIR"], service.Volumes)
	}
	r, err := newRenderer(d, Gateway)
	if err != nil {
		t.Fatal(err)
	}
	if most, _ := strconv.Atoi(media["MEDIA_MAX_FILE_SIZE"]); r.view().UploadBytes <= most {
		t.Errorf("the edge cuts uploads at %d bytes, media takes %d", r.view().UploadBytes, most)
	}
}

// URLs between services carry a scheme (lesson 11).
func TestServiceURLsHaveASchemeAndThePort(t *testing.T) {
	t.Parallel()
	env := environments(t, testDeployment())["gateway"]
	for key, want := range map[string]string{
		"AUTH_SERVICE_URL": "http://app.internal:8001", "USER_SERVICE_URL": "http://app.internal:8002",
		"NOTIFICATION_SERVICE_URL": "http://app.internal:8003", "MESSAGING_SERVICE_URL": "http://message.internal:8004",
	} {
		if env[key] != want {
			t.Errorf("%s=%q, want %q", key, env[key], want)
		}
	}
}
