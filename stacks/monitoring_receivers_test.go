package stacks

import (
	"fmt"
	"path/filepath"
	"testing"
)

// everyReceiver has a canary in each secret.
func everyReceiver() Receivers {
	return Receivers{
		WebhookURL:   "https://hooks.example.com/" + canary,
		HeartbeatURL: "https://heartbeat.example.com/" + canary,
		Email: Email{
			Smarthost: "smtp.example.com:587", From: "alerts@example.com", To: []string{"ops@example.com", "boss@example.com"},
			Username: "alerts", Password: canary + ` mail "password" {{ with }} 'signs'`, RequireTLS: true,
		},
		Slack:    Slack{WebhookURL: "https://hooks.slack.com/services/" + canary, Channel: "#alerts"},
		Telegram: Telegram{BotToken: "123456:" + canary, ChatID: -1001234567890},
	}
}

// receiverVariants are all combinations, and the ways in which one can be said.
func receiverVariants() map[string]Receivers {
	all, variants := everyReceiver(), map[string]Receivers{}
	for n := range 1 << 5 {
		var r Receivers
		for i, take := range []func(){
			func() { r.WebhookURL = all.WebhookURL },
			func() { r.HeartbeatURL = all.HeartbeatURL },
			func() { r.Email = all.Email },
			func() { r.Slack = all.Slack },
			func() { r.Telegram = all.Telegram },
		} {
			if n&(1<<i) != 0 {
				take()
			}
		}
		variants[fmt.Sprintf("%05b", n)] = r
	}
	open := Email{Smarthost: "mail.example.com:25", From: "alerts@example.com", To: []string{"ops@example.com"}}
	implicit := all.Email
	implicit.Smarthost = "smtp.example.com:465"
	variants["mail without login"] = Receivers{Email: open}
	variants["mail with TLS first"] = Receivers{Email: implicit}
	variants["the webhook's channel"] = Receivers{Slack: Slack{WebhookURL: all.Slack.WebhookURL}}
	return variants
}

// Alertmanager's own tool accepts every combination.
func TestAlertmanagerAcceptsEveryReceiver(t *testing.T) {
	t.Parallel()
	amtool := tool(t, "amtool")
	for name, receivers := range receiverVariants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testDeployment()
			d.Monitoring.Receivers = receivers
			dir := configOf(t, d, Media, "alertmanager")
			file := filepath.Join(dir, "alertmanager.yml")
			relocate(t, file, "/etc/alertmanager", dir)
			run(t, nil, amtool, "check-config", file)
		})
	}
}

// On port 465 TLS comes before SMTP: a server does not offer it again.
func TestTLSOfMailServers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		smarthost string
		require   bool
		want      bool
	}{
		{"smtp.example.com:587", true, true},
		{"smtp.example.com:587", false, false},
		{"smtp.example.com:465", true, false},
		{"[2001:db8::1]:2525", true, true},
	} {
		if got := (Email{Smarthost: c.smarthost, RequireTLS: c.require}).StartTLS(); got != c.want {
			t.Errorf("%s, TLS required %v: STARTTLS %v, want %v", c.smarthost, c.require, got, c.want)
		}
	}
}
