package program

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/stacks"
)

func receivers(r config.Receivers) stacks.Receivers {
	return stacks.Receivers{
		WebhookURL: r.WebhookURL, HeartbeatURL: r.HeartbeatURL,
		Email: stacks.Email(r.Email), Slack: stacks.Slack(r.Slack), Telegram: stacks.Telegram(r.Telegram),
	}
}

// nobodyIsTold is what every preview and up says of a deployment whose alerts
// reach nobody.
const nobodyIsTold = "NOBODY IS TOLD OF ALERTS: construct:monitoring.receivers names no receiver " +
	"(want email, slack, telegram or webhookUrl)"

// silent tells whether there is monitoring and nobody to tell.
func silent(d stacks.Deployment) bool { return d.Media && !d.Monitoring.Receivers.Any() }

func warnOfSilence(ctx *pulumi.Context, d stacks.Deployment) error {
	if !silent(d) {
		return nil
	}
	if err := ctx.Log.Warn(nobodyIsTold, nil); err != nil {
		return fmt.Errorf("log warning: %w", err)
	}
	return nil
}
