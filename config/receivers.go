package config

// Receivers of alerts, in any combination. HeartbeatURL alone tells nobody.
type Receivers struct {
	WebhookURL   string // secret: often holds a token
	HeartbeatURL string // secret
	Email        Email
	Slack        Slack
	Telegram     Telegram
}

// Email is a mail server and whom it is to tell; without Smarthost, none.
type Email struct {
	Smarthost  string // host:port
	From       string
	To         []string
	Username   string
	Password   string // secret
	RequireTLS bool   // default true
}

// Slack is an incoming webhook; without WebhookURL, none.
type Slack struct {
	WebhookURL string // secret
	Channel    string // default: the webhook's own
}

// Telegram is a bot and the chat that it writes to; without BotToken, none.
type Telegram struct {
	BotToken string // secret
	ChatID   int
}

func receivers(f receiversFile) Receivers {
	return Receivers{
		WebhookURL: f.WebhookURL, HeartbeatURL: f.HeartbeatURL,
		Email: Email(f.Email), Slack: Slack(f.Slack), Telegram: Telegram(f.Telegram),
	}
}

// begun tells whether anything beside the defaults is said.
func (e Email) begun() bool {
	return e.Smarthost != "" || e.From != "" || len(e.To) > 0 || e.Username != "" || e.Password != ""
}
