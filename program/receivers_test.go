package program

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/stacks"
)

// A deployment is silent when there are alerts and nobody is told. A heartbeat
// says that alerts are sent, not what they say.
func TestSilentDeployments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		media     bool
		receivers config.Receivers
		silent    bool
	}{
		"no receiver":       {true, config.Receivers{Email: config.Email{RequireTLS: true}}, true},
		"a heartbeat alone": {true, config.Receivers{HeartbeatURL: "https://heartbeat.example.com"}, true},
		"no monitoring":     {false, config.Receivers{}, false},
		"a webhook":         {true, config.Receivers{WebhookURL: "https://hooks.example.com"}, false},
		"e-mail":            {true, config.Receivers{Email: config.Email{Smarthost: "smtp.example.com:587"}}, false},
		"Slack":             {true, config.Receivers{Slack: config.Slack{WebhookURL: "https://hooks.example.com"}}, false},
		"Telegram":          {true, config.Receivers{Telegram: config.Telegram{BotToken: "1:a"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := stacks.Deployment{Media: c.media, Monitoring: stacks.Monitoring{Receivers: receivers(c.receivers)}}
			assert.Equal(t, c.silent, silent(d))
		})
	}
}
