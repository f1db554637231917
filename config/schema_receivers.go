package config

type receiversFile struct {
	// URL to which Alertmanager posts alerts.
	WebhookURL string `json:"webhookUrl" secret:"true"`
	// URL to which Alertmanager posts every five minutes for as long as
	// monitoring works: a service elsewhere that tells when the posts stop.
	HeartbeatURL string `json:"heartbeatUrl" secret:"true"`
	// Alerts by e-mail.
	Email emailFile `json:"email"`
	// Alerts in a Slack channel.
	Slack slackFile `json:"slack"`
	// Alerts in a Telegram chat.
	Telegram telegramFile `json:"telegram"`
}

type emailFile struct {
	// Mail server that takes the messages, `host:port`. Clouds block ports 25,
	// 465 and even 587 until asked; many mail servers listen on 2525 as well.
	Smarthost string `json:"smarthost"`
	// Sender's address.
	From string `json:"from"`
	// Recipients' addresses.
	To []string `json:"to"`
	// Login at the mail server. Default: none.
	Username string `json:"username"`
	// Its password.
	Password string `json:"password" secret:"true"`
	// Send nothing to a server that does not offer TLS.
	RequireTLS bool `json:"requireTls"`
}

type slackFile struct {
	// URL of an incoming webhook.
	WebhookURL string `json:"webhookUrl" secret:"true"`
	// Channel, `#alerts`. Default: the webhook's own.
	Channel string `json:"channel"`
}

type telegramFile struct {
	// Token of the bot that writes.
	BotToken string `json:"botToken" secret:"true"`
	// Number of the chat; those of groups are negative.
	ChatID int `json:"chatId"`
}
