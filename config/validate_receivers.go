package config

import (
	"fmt"
	"net"
	"regexp"
)

// implicitTLS is the port on which TLS precedes SMTP (RFC 8314).
const implicitTLS = "465"

var (
	slackChannel  = regexp.MustCompile(`^[#@]?[\p{L}\p{N}._-]{1,80}$`)
	telegramToken = regexp.MustCompile(`^[0-9]+:[A-Za-z0-9_-]{30,}$`)
)

func (v *validator) receivers() {
	r := v.Monitoring.Receivers
	for _, receiver := range []struct{ key, url, want string }{
		{"webhookUrl", r.WebhookURL, "for example https://hooks.example.com/alerts"},
		{"heartbeatUrl", r.HeartbeatURL, "for example https://heartbeat.example.com/ping"},
	} {
		if receiver.url != "" && !isURL(receiver.url, "https", "http") {
			v.add("monitoring.receivers."+receiver.key, "is not a URL", receiver.want)
		}
	}
	v.email()
	v.slack()
	v.telegram()
}

func (v *validator) email() {
	const path = "monitoring.receivers.email."
	e := v.Monitoring.Receivers.Email
	if !e.begun() {
		return
	}
	const server, sender = "for example smtp.example.com:587", "for example alerts@example.com"
	if v.require(path+"smarthost", e.Smarthost, server) && !isHostPort(e.Smarthost) {
		v.add(path+"smarthost", "is not host:port", server)
	}
	if v.require(path+"from", e.From, sender) && !isEmail(e.From) {
		v.add(path+"from", "is not an e-mail address", sender)
	}
	if len(e.To) == 0 {
		v.require(path+"to", "", "for example [ops@example.com]")
	}
	for i, to := range e.To {
		if !isEmail(to) {
			v.add(fmt.Sprintf("%sto[%d]", path, i), "is not an e-mail address", "for example ops@example.com")
		}
	}
	if e.Username == "" && e.Password == "" {
		return
	}
	const both = "both of username and password, or neither"
	v.require(path+"username", e.Username, both)
	v.require(path+"password", e.Password, both)
	if _, port, err := net.SplitHostPort(e.Smarthost); err == nil && port != implicitTLS && !e.RequireTLS {
		v.add(path+"requireTls", "is off although there is a password, which would go over the network in clear", "true")
	}
}

func (v *validator) slack() {
	const path = "monitoring.receivers.slack."
	s := v.Monitoring.Receivers.Slack
	if s == (Slack{}) {
		return
	}
	const want = "for example https://hooks.slack.com/services/…"
	if v.require(path+"webhookUrl", s.WebhookURL, want) && !isURL(s.WebhookURL, "https") {
		v.add(path+"webhookUrl", "is not an https URL", want)
	}
	if s.Channel != "" && !slackChannel.MatchString(s.Channel) {
		v.add(path+"channel", "is not a channel", "for example #alerts")
	}
}

func (v *validator) telegram() {
	const path = "monitoring.receivers.telegram."
	t := v.Monitoring.Receivers.Telegram
	if t == (Telegram{}) {
		return
	}
	const token, chat = "digits, a colon and a key, as BotFather gave it", "the number of the chat that the bot is in"
	if v.require(path+"botToken", t.BotToken, token) && !telegramToken.MatchString(t.BotToken) {
		v.add(path+"botToken", "is not a bot's token", token)
	}
	if t.ChatID == 0 {
		v.require(path+"chatId", "", chat)
	}
}
