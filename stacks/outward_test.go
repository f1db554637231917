package stacks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Without a domain, push and the rest, no service dials anybody outside.
func TestOutwardIsEmpty(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.Domain = ""
	flows, err := Outward(d)
	require.NoError(t, err)
	assert.Empty(t, flows)
}

func TestOutwardFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.Domain, d.ACMEDirectory = "chat.example.com", "https://ca.example.com:14000/dir"
	d.ImageMirror = "mirror.example.com:5000"
	d.Vault = &Vault{Address: "https://vault.example.com:8200"}
	d.APNs, d.Federation = &APNs{}, &Federation{}
	d.Kafka.Brokers = []string{"b1.example.com:9093", "b2.example.com:9093", "b3.example.com:9094"}
	d.Monitoring.Receivers = Receivers{
		WebhookURL: "http://hooks.example.com:8443/token", HeartbeatURL: "http://beat.example.com/token",
		Slack: Slack{WebhookURL: "https://slack.example.com/token"}, Email: Email{Smarthost: "mail.example.com:587"},
	}
	d.Monitoring.Receivers.Telegram.BotToken = "1:token"
	flows, err := Outward(d)
	require.NoError(t, err)
	want := []Flow{
		{From: App, Port: 443, Why: "federation, push"}, {From: App, Port: 5000, Why: "images", HostOnly: true}, {From: App, Port: 8200, Why: "Vault"},
		{From: DB, Port: 5000, Why: "images", HostOnly: true},
		{From: Gateway, Port: 80, Why: "whether a certificate is revoked"}, {From: Gateway, Port: 5000, Why: "images", HostOnly: true},
		{From: Gateway, Port: 14000, Why: "certificates"},
		{From: Media, Port: 80, Why: "alerts"}, {From: Media, Port: 443, Why: "alerts, the public URL"}, {From: Media, Port: 587, Why: "alerts by e-mail"},
		{From: Media, Port: 5000, Why: "images", HostOnly: true}, {From: Media, Port: 8443, Why: "alerts"},
		{From: Message, Port: 443, Why: "federation, push"}, {From: Message, Port: 5000, Why: "images", HostOnly: true},
		{From: Message, Port: 8200, Why: "Vault"}, {From: Message, Port: 9093, Why: "Kafka brokers"}, {From: Message, Port: 9094, Why: "Kafka brokers"},
	}
	for i := range want {
		want[i].To, want[i].Protocol = Internet, "tcp"
	}
	assert.Equal(t, want, flows)

	d.Media, d.Domain, d.ImageMirror = false, "", ""
	flows, err = Outward(d)
	require.NoError(t, err)
	for _, f := range flows {
		assert.NotEqual(t, Media, f.From, "nobody is alerted")
		assert.NotEqual(t, Gateway, f.From, "no certificate is asked for")
		assert.NotEqual(t, DB, f.From, "stores dial nobody")
	}
}

// A port that host and services dial, as a registry and Vault behind one name, is
// in the containers' rows as well.
func TestOutwardKeepsHostAndServicesApart(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.Domain, d.ImageMirror, d.Vault = "", "inside.example.com:8200", &Vault{Address: "https://inside.example.com:8200"}
	flows, err := Outward(d)
	require.NoError(t, err)
	var app []Flow
	for _, f := range flows {
		if f.From == App {
			app = append(app, f)
		}
	}
	assert.Equal(t, []Flow{
		{From: App, To: Internet, Protocol: "tcp", Port: 8200, Why: "Vault"},
		{From: App, To: Internet, Protocol: "tcp", Port: 8200, Why: "images", HostOnly: true},
	}, app)
}

func TestOutwardRefuses(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.Kafka.Brokers = []string{"b1.example.com"}
	d.Monitoring.Receivers.WebhookURL = "https://hooks.example.com:0/token-canary"
	_, err := Outward(d)
	require.ErrorContains(t, err, "Kafka brokers: ")
	require.ErrorContains(t, err, "alerts: hooks.example.com:0 has no port")
	assert.NotContains(t, err.Error(), "token-canary")
}
