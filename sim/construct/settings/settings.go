package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The seven binaries of the image, by name.
const (
	Gateway        = "gateway"
	Auth           = "auth-service"
	User           = "user-service"
	Notification   = "notification-service"
	Messaging      = "messaging-service"
	DeliveryWorker = "delivery-worker"
	Media          = "media-service"
)

// Services lists every binary of the image.
func Services() []string {
	return []string{Gateway, Auth, User, Notification, Messaging, DeliveryWorker, Media}
}

// Config is what one service runs on.
type Config struct {
	Service     string
	Port        int    // PORT, default 8080
	DatabaseURL string // used by auth, user, notification and messaging only
	RedisURL    string

	OnlineChannel       string
	DeliveryQueuePrefix string        // default "delivery_queue:"
	MessageTTL          time.Duration // MESSAGE_TTL_DAYS, default 7 days

	JWT  JWT
	CSRF CSRF

	MicroservicesEnabled bool
	ServiceTimeout       time.Duration // SERVICE_TIMEOUT_SECS, default 70 s
	ServiceURLs          map[string]string
	BreakerFailures      int           // default 5
	BreakerSuccesses     int           // default 2
	BreakerTimeout       time.Duration // default 60 s
	Limits               Limits

	Kafka Kafka
	Media MediaConfig
	Vault Vault

	GRPCAddr string // auth and user; a failed bind is only logged
}

// JWT is the RS256 key material and lifetimes.
type JWT struct {
	PublicKey  string // raw value of JWT_PUBLIC_KEY, echoed by /public-key
	PublicPEM  []byte
	PrivatePEM []byte // nil: verify only; issuing then fails per request
	Issuer     string // default "construct-server"
	AccessTTL  time.Duration
	RefreshTTL time.Duration
}

// CSRF is the gateway's protection for requests that carry cookies.
type CSRF struct {
	Enabled bool
	Secret  string // empty: random per process
}

// Limits are the per-hour and per-window request limits.
type Limits struct {
	PerIPPerHour         int // default 1000
	PerUserIPPerHour     int // default 500
	LongPollPerMinute    int // default 100
	RegistrationsPerHour int // default 5
}

// Vault is optional key management; without an address, nobody is asked.
type Vault struct{ Address, Token string }

// Kafka says how to reach the brokers.
type Kafka struct {
	Enabled       bool
	Brokers       []string
	Topic         string // default construct-messages
	ConsumerGroup string // default construct-delivery-workers
	SSL           bool
	SSLCAPath     string
	Mechanism     string // SASL is used only with all three set
	Username      string
	Password      string
}

// MediaConfig covers both the media service and the token that messaging mints for it.
type MediaConfig struct {
	Enabled      bool
	BaseURL      string
	UploadSecret string
	BindAddress  string        // MEDIA_BIND_ADDRESS, default 0.0.0.0:8082; PORT is ignored
	StorageDir   string        // default ./media_storage
	MaxFileSize  int64         // bytes, default 104857600
	FileTTL      time.Duration // default 7 days
}

// publicUploadSecret is the well-known fallback of a media service without a secret.
const publicUploadSecret = "default-media-secret-change-in-production"

// Load reads the environment of one service. The error lists every fatal
// variable at once, one per line, as the caller prints it before exit.
func Load(service string, getenv func(string) string) (*Config, error) {
	r := &reader{getenv: getenv}
	c := &Config{
		Service:     service,
		Port:        r.integer("PORT", 8080),
		DatabaseURL: getenv("DATABASE_URL"),
		RedisURL:    getenv("REDIS_URL"),

		OnlineChannel:       getenv("ONLINE_CHANNEL"),
		DeliveryQueuePrefix: r.text("DELIVERY_QUEUE_PREFIX", "delivery_queue:"),
		MessageTTL:          r.scaled("MESSAGE_TTL_DAYS", 7, 24*time.Hour),

		MicroservicesEnabled: r.flag("MICROSERVICES_ENABLED", false),
		ServiceTimeout:       r.scaled("SERVICE_TIMEOUT_SECS", 70, time.Second),
		BreakerFailures:      r.integer("CIRCUIT_BREAKER_FAILURE_THRESHOLD", 5),
		BreakerSuccesses:     r.integer("CIRCUIT_BREAKER_SUCCESS_THRESHOLD", 2),
		BreakerTimeout:       r.scaled("CIRCUIT_BREAKER_TIMEOUT_SECS", 60, time.Second),
		ServiceURLs: map[string]string{
			Auth:         r.text("AUTH_SERVICE_URL", "http://localhost:8001"),
			Messaging:    r.text("MESSAGING_SERVICE_URL", "http://localhost:8002"),
			User:         r.text("USER_SERVICE_URL", "http://localhost:8003"),
			Notification: r.text("NOTIFICATION_SERVICE_URL", "http://localhost:8004"),
		},
		Limits: Limits{
			PerIPPerHour:         r.integer("MAX_REQUESTS_PER_IP_PER_HOUR", 1000),
			PerUserIPPerHour:     r.integer("MAX_REQUESTS_PER_USER_IP_PER_HOUR", 500),
			LongPollPerMinute:    r.integer("MAX_LONG_POLL_REQUESTS_PER_WINDOW", 100),
			RegistrationsPerHour: r.integer("MAX_REGISTRATIONS_PER_HOUR", 5),
		},
		Kafka: r.kafka(),
		Media: r.media(),
		Vault: Vault{Address: getenv("VAULT_ADDR"), Token: getenv("VAULT_TOKEN")},
	}
	switch service {
	case Auth:
		c.GRPCAddr = r.text("AUTH_GRPC_BIND_ADDRESS", "[::]:50051")
	case User:
		c.GRPCAddr = r.text("USER_GRPC_BIND_ADDRESS", "[::]:50052")
	}
	if service == Media {
		return c, nil // nothing is fatal there
	}
	r.require(c)
	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	return c, nil
}

// reader collects problems while it reads variables.
type reader struct {
	getenv   func(string) string
	problems []error
}

func (r *reader) fail(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

func (r *reader) text(name, fallback string) string {
	if v := r.getenv(name); v != "" {
		return v
	}
	return fallback
}

// integer falls back on a malformed value, as the real configuration does.
func (r *reader) integer(name string, fallback int) int {
	if v, err := strconv.Atoi(r.getenv(name)); err == nil {
		return v
	}
	return fallback
}

func (r *reader) scaled(name string, fallback int, unit time.Duration) time.Duration {
	return time.Duration(r.integer(name, fallback)) * unit
}

func (r *reader) flag(name string, fallback bool) bool {
	switch strings.ToLower(r.getenv(name)) {
	case "true", "1":
		return true
	case "":
		return fallback
	default:
		return false
	}
}

func (r *reader) kafka() Kafka {
	k := Kafka{
		Enabled:       r.flag("KAFKA_ENABLED", false),
		Topic:         r.text("KAFKA_TOPIC", "construct-messages"),
		ConsumerGroup: r.text("KAFKA_CONSUMER_GROUP", "construct-delivery-workers"),
		SSL:           r.flag("KAFKA_SSL_ENABLED", false),
		SSLCAPath:     r.getenv("KAFKA_SSL_CA_LOCATION"),
		Mechanism:     r.getenv("KAFKA_SASL_MECHANISM"),
		Username:      r.getenv("KAFKA_SASL_USERNAME"),
		Password:      r.getenv("KAFKA_SASL_PASSWORD"),
	}
	for b := range strings.SplitSeq(r.text("KAFKA_BROKERS", "localhost:9092"), ",") {
		k.Brokers = append(k.Brokers, strings.TrimSpace(b))
	}
	return k
}

func (r *reader) media() MediaConfig {
	secret := r.text("MEDIA_UPLOAD_TOKEN_SECRET", r.text("MEDIA_HMAC_SECRET", publicUploadSecret))
	return MediaConfig{
		Enabled:      r.flag("MEDIA_ENABLED", false),
		BaseURL:      r.getenv("MEDIA_BASE_URL"),
		UploadSecret: secret,
		BindAddress:  r.text("MEDIA_BIND_ADDRESS", "0.0.0.0:8082"),
		StorageDir:   r.text("MEDIA_STORAGE_DIR", "./media_storage"),
		MaxFileSize:  int64(r.integer("MEDIA_MAX_FILE_SIZE", 104857600)),
		FileTTL:      r.scaled("MEDIA_FILE_TTL_SECONDS", 604800, time.Second),
	}
}
