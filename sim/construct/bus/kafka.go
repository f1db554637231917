package bus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/construct-server/infra/sim/construct/settings"
)

// Message is one end-to-end encrypted message on its way to a recipient.
type Message struct {
	ID         string `json:"id"`
	Sender     string `json:"senderId"`
	Recipient  string `json:"recipientId"`
	Ciphertext string `json:"ciphertext"`
	SentAt     int64  `json:"sentAt"` // Unix milliseconds
}

// clientOptions turns the settings into the transport: plaintext, ssl,
// sasl_plaintext or sasl_ssl. SASL needs all three of its variables.
func clientOptions(k settings.Kafka) ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.SeedBrokers(k.Brokers...), kgo.DialTimeout(5 * time.Second)}
	if k.SSL {
		c := &tls.Config{MinVersion: tls.VersionTLS12}
		if k.SSLCAPath != "" {
			ca, err := os.ReadFile(k.SSLCAPath)
			if err != nil {
				return nil, fmt.Errorf("read KAFKA_SSL_CA_LOCATION: %w", err)
			}
			c.RootCAs = x509.NewCertPool()
			if !c.RootCAs.AppendCertsFromPEM(ca) {
				return nil, fmt.Errorf("read KAFKA_SSL_CA_LOCATION %q: no certificate in it", k.SSLCAPath)
			}
		}
		opts = append(opts, kgo.DialTLSConfig(c))
	}
	if k.Mechanism == "" || k.Username == "" || k.Password == "" {
		return opts, nil
	}
	switch strings.ToUpper(k.Mechanism) {
	case "PLAIN":
		return append(opts, kgo.SASL(plain.Auth{User: k.Username, Pass: k.Password}.AsMechanism())), nil
	case "SCRAM-SHA-256":
		return append(opts, kgo.SASL(scram.Auth{User: k.Username, Pass: k.Password}.AsSha256Mechanism())), nil
	case "SCRAM-SHA-512":
		return append(opts, kgo.SASL(scram.Auth{User: k.Username, Pass: k.Password}.AsSha512Mechanism())), nil
	}
	return nil, fmt.Errorf("KAFKA_SASL_MECHANISM %q is unknown", k.Mechanism)
}

// Producer sends messages with acks=all, idempotent, compressed with snappy.
// It dials on the first message, not at start.
type Producer struct {
	conf   settings.Kafka
	once   sync.Once
	client *kgo.Client
	err    error
}

// NewProducer connects to nothing yet.
func NewProducer(k settings.Kafka) *Producer { return &Producer{conf: k} }

// ErrDisabled is returned by a producer whose service has KAFKA_ENABLED unset.
var ErrDisabled = errors.New("KAFKA_ENABLED is not true")

// Send returns when every in-sync replica has the message.
func (p *Producer) Send(ctx context.Context, m Message) error {
	if !p.conf.Enabled {
		return ErrDisabled
	}
	p.once.Do(func() {
		var opts []kgo.Opt
		if opts, p.err = clientOptions(p.conf); p.err == nil {
			p.client, p.err = kgo.NewClient(append(opts,
				kgo.DefaultProduceTopic(p.conf.Topic),
				kgo.RequiredAcks(kgo.AllISRAcks()),
				kgo.ProducerBatchCompression(kgo.SnappyCompression()),
				kgo.RecordDeliveryTimeout(15*time.Second))...)
		}
	})
	if p.err != nil {
		return fmt.Errorf("create Kafka producer: %w", p.err)
	}
	value, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message %q: %w", m.ID, err)
	}
	record := &kgo.Record{Key: []byte(m.Recipient), Value: value}
	if err := p.client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("produce message %q to %q: %w", m.ID, p.conf.Topic, err)
	}
	return nil
}
