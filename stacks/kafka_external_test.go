package stacks

import (
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
)

// somebodysBroker is one elsewhere, with TLS and SASL as they are configured.
func somebodysBroker(t *testing.T, mechanism, user, password string) (broker, root string) {
	t.Helper()
	ca, err := newAuthority([]byte("the seed of somebody's brokers"))
	require.NoError(t, err)
	cert, key, err := ca.issue("localhost")
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	cluster, err := kfake.NewCluster(
		kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}),
		kfake.EnableSASL(), kfake.Superuser(mechanism, user, password),
		kfake.NumBrokers(1), kfake.SeedTopics(3, kafkaTopic),
		// Brokers tell clients where they are. One that has a name is reached by it.
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			l, err := net.Listen(network, "127.0.0.1:0")
			return named{l}, err
		}))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()[0], string(ca.root())
}

// A message goes from the messaging service through brokers elsewhere, by TLS
// and SASL, to the delivery worker and into the recipient's inbox, on exactly
// the environments and files of their bundles. With a wrong password, another
// mechanism or a certificate of somebody else, none does.
func TestExternalBrokersCarryMessages(t *testing.T) {
	t.Parallel()
	const user, password = "construct", canary + "kafka-password"
	d := withKeys(t, testDeployment())
	fleet, redis := newFleet(t, d)
	inbox := redis.application(t, d)
	for i, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		broker, root := somebodysBroker(t, mechanism, user, password)
		d.Kafka = Kafka{Brokers: []string{broker}, TLS: true, CARoot: root, SASLMechanism: mechanism, Username: user, Password: password}
		fleet.start(t, d, Message, "delivery-worker", "consuming "+kafkaTopic)
		messaging := fleet.start(t, d, Message, "messaging-service", "")
		bob := fmt.Sprintf("bob-%d", i)
		body := `{"recipientId": "` + bob + `", "ciphertext": "aGVsbG8="}`
		require.Equal(t, 200, messaging.post(t, "/api/v1/messages", "alice", body), mechanism)
		stream := "delivery_queue:offline:" + bob
		waitFor(t, 30*time.Second, mechanism+": the message in the inbox", func() error {
			if n, err := inbox.XLen(t.Context(), stream).Result(); err != nil || n != 1 {
				return fmt.Errorf("%d messages, %w", n, err)
			}
			return nil
		})
	}

	right := d.Kafka
	for what, change := range map[string]func(*Kafka){
		"a wrong password":   func(k *Kafka) { k.Password = canary + "wrong" },
		"another mechanism":  func(k *Kafka) { k.SASLMechanism = "PLAIN" },
		"no TLS":             func(k *Kafka) { k.TLS, k.CARoot = false, "" },
		"a root of somebody": func(k *Kafka) { k.CARoot = testCertificate },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			other := d
			other.Kafka = right
			change(&other.Kafka)
			messaging := fleet.start(t, other, Message, "messaging-service", "")
			status := messaging.post(t, "/api/v1/messages", "alice", `{"recipientId": "carol", "ciphertext": "aGVsbG8="}`)
			assert.Equal(t, 500, status, "a message got through")
		})
	}
}

// named is a listener on localhost that says so.
type named struct{ net.Listener }

func (n named) Addr() net.Addr { return localhost{n.Listener.Addr().(*net.TCPAddr).Port} }

type localhost struct{ port int }

func (localhost) Network() string  { return "tcp" }
func (l localhost) String() string { return fmt.Sprintf("localhost:%d", l.port) }
