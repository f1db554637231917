package stacks

import "net"

// Receivers of alerts, in any combination.
type Receivers struct {
	WebhookURL   string // secret
	HeartbeatURL string // secret; is told that monitoring works, not of alerts
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
	RequireTLS bool
}

// StartTLS says whether Alertmanager must insist on STARTTLS. On port 465 TLS
// comes before SMTP, and servers do not offer it again.
func (e Email) StartTLS() bool {
	_, port, err := net.SplitHostPort(e.Smarthost)
	return e.RequireTLS && (err != nil || port != "465")
}

// Slack is an incoming webhook; without WebhookURL, none.
type Slack struct {
	WebhookURL string // secret
	Channel    string // "": the webhook's own
}

// Telegram is a bot and the chat that it writes to; without BotToken, none.
type Telegram struct {
	BotToken string // secret
	ChatID   int
}

// Any tells whether alerts reach anybody.
func (r Receivers) Any() bool {
	return r.WebhookURL != "" || r.Email.Smarthost != "" || r.Slack.WebhookURL != "" || r.Telegram.BotToken != ""
}

// secrets lists them as Alertmanager's configuration has them, escaped within
// quotes; some may be empty.
func (r Receivers) secrets() []string {
	list := []string{r.WebhookURL, r.HeartbeatURL, r.Email.Password, r.Slack.WebhookURL, r.Telegram.BotToken}
	for i, secret := range list {
		if quoted, err := quoteJSON(secret); err == nil { // a string can be encoded
			list[i] = quoted[1 : len(quoted)-1]
		}
	}
	return list
}
