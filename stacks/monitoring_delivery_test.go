package stacks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const botToken = "123456:" + canary + "telegram-bot"

// alert is one as Prometheus sends it.
type sentAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func sent(name, role, severity string) sentAlert {
	return sentAlert{
		Labels: map[string]string{"alertname": name, "role": role, "severity": severity, "deployment": "construct-test"},
		Annotations: map[string]string{
			"summary": "summary of " + name, "description": "a < b & c", "runbook_url": runbooks + name + ".md",
		},
	}
}

// post hands alerts to Alertmanager.
func (a *alertmanagerServer) post(t *testing.T, alerts ...sentAlert) {
	t.Helper()
	body, err := json.Marshal(alerts)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(a.url+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("alerts are refused: %s %s", resp.Status, text)
	}
}

// An alert reaches every receiver, with what it is, where, and what to do. The
// watchdog goes to the heartbeat and to nobody else.
func TestAlertsArrive(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	mail := newMailServer(t, in, true)
	a := startAlertmanager(t, in, Receivers{
		WebhookURL: in.url + "/webhook/" + canary, HeartbeatURL: in.url + "/heartbeat/" + canary,
		Email: Email{
			Smarthost: mail.address, From: "alerts@example.com", To: []string{"ops@example.com", "boss@example.com"},
			Username: mail.user, Password: mail.password, RequireTLS: true,
		},
		Slack:    Slack{WebhookURL: in.url + "/slack/" + canary, Channel: "#alerts"},
		Telegram: Telegram{BotToken: botToken, ChatID: -1001234567890},
	})
	a.post(t, sent("RedisDown", "db", "critical"), sentAlert{Labels: map[string]string{"alertname": "Watchdog", "severity": "none"}})

	for where, want := range map[string][]string{
		"/webhook/" + canary:               {"summary of RedisDown", runbooks + "RedisDown.md", `"status":"firing"`},
		"/slack/" + canary:                 {"#alerts", "RedisDown on db (construct-test)", "summary of RedisDown", runbooks + "RedisDown.md"},
		"/bot" + botToken + "/sendMessage": {"-1001234567890", "RedisDown on db (construct-test)", "summary of RedisDown", runbooks + "RedisDown.md"},
		"mail to ops@example.com, boss@example.com as " + mail.user + " over TLS": {
			"From: alerts@example.com", "RedisDown on db (construct-test)", "summary of RedisDown", runbooks + "RedisDown.md",
		},
		"/heartbeat/" + canary: {"Watchdog"},
	} {
		got := in.await(t, where)
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s says nothing of %q:\n%s", where, part, got)
			}
		}
		if strings.Contains(got, "Watchdog") != strings.HasPrefix(where, "/heartbeat") {
			t.Errorf("%s is told the wrong alerts:\n%s", where, got)
		}
	}
}

// When a whole server is gone, one alert says so, not one for each thing on it.
func TestOneAlertForAServerThatIsGone(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	a := startAlertmanager(t, in, Receivers{WebhookURL: in.url + "/webhook/" + canary})
	a.post(t, sent("HostDown", "app", "critical"))
	in.await(t, "/webhook/"+canary)
	a.post(t, sent("HostDown", "app", "critical"), sent("TargetDown", "app", "critical"), sent("RedisDown", "db", "critical"),
		sent("DiskCritical", "db", "critical"), sent("DiskFillingUp", "db", "warning"))
	all := ""
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(all, "RedisDown") || !strings.Contains(all, "DiskCritical"); {
		if time.Now().After(deadline) {
			t.Fatalf("the alerts of other servers are held back too:\n%s", all)
		}
		all += in.await(t, "/webhook/"+canary)
	}
	for _, held := range []string{"TargetDown", "DiskFillingUp"} {
		if strings.Contains(all, held) {
			t.Errorf("%s is sent beside what explains it", held)
		}
	}
}

// A mail server that offers no TLS is told nothing, and the failure is counted
// where NotificationsFailing looks.
func TestNoMailWithoutTLS(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	mail := newMailServer(t, in, false)
	a := startAlertmanager(t, in, Receivers{
		WebhookURL: in.url + "/webhook/" + canary,
		Email:      Email{Smarthost: mail.address, From: "alerts@example.com", To: []string{"ops@example.com"}, RequireTLS: true},
	})
	a.post(t, sent("RedisDown", "db", "critical"))
	in.await(t, "/webhook/"+canary)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		resp, err := http.Get(a.url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, `alertmanager_notifications_failed_total{integration="email"`) && !strings.HasSuffix(line, " 0\n") {
				if got := in.arrived("mail to ops@example.com"); got != "" {
					t.Errorf("it went out in clear all the same:\n%s", got)
				}
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the failure is counted nowhere")
		}
	}
}

// newInbox is every receiver that speaks HTTP.
func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{messages: map[string][]string{}}
	server := httptest.NewTLSServer(nil) // for its certificate
	server.Close()
	in.certificate, in.tls = server.Certificate(), server.TLS
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		in.put(r.URL.Path, string(body))
		_, _ = fmt.Fprint(w, `{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":-1001234567890,"type":"group"}}}`)
	}))
	t.Cleanup(plain.Close)
	in.url = plain.URL
	return in
}
