package stacks

import (
	"crypto/tls"
	"crypto/x509"
	pemfile "encoding/pem"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"gopkg.in/yaml.v3"
)

// inbox keeps what receivers were told, by where it came in.
type inbox struct {
	url         string
	certificate *x509.Certificate
	tls         *tls.Config

	mu       sync.Mutex
	messages map[string][]string
}

func (in *inbox) put(where, message string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.messages[where] = append(in.messages[where], message)
}

// arrived takes what came in at where, "" if nothing did.
func (in *inbox) arrived(where string) string {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := strings.Join(in.messages[where], "\n")
	delete(in.messages, where)
	return all
}

// await takes what comes in at where.
func (in *inbox) await(t *testing.T, where string) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if got := in.arrived(where); got != "" {
			return got
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	t.Fatalf("nothing came in at %q, but: %v", where, in.messages)
	return ""
}

// mailServer takes mail over SMTP, with STARTTLS and a login if secure.
type mailServer struct {
	in                      *inbox
	address, user, password string
}

func newMailServer(t *testing.T, in *inbox, secure bool) *mailServer {
	t.Helper()
	m := &mailServer{in: in, user: "alerts", password: canary + ` mail "password" {{ with }} 'signs' \ `}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &mailSession{server: m, conn: c}, nil
	}))
	server.Domain = "localhost"
	if secure {
		server.TLSConfig = in.tls
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	m.address = listener.Addr().String()
	return m
}

type mailSession struct {
	server *mailServer
	conn   *smtp.Conn
	as     string
	to     []string
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.user || password != s.server.password {
			return smtp.ErrAuthFailed
		}
		s.as = " as " + user
		return nil
	}), nil
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error { return nil }

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	text, err := readMail(r)
	where := "mail to " + strings.Join(s.to, ", ") + s.as
	if _, secure := s.conn.TLSConnectionState(); secure {
		where += " over TLS"
	}
	s.server.in.put(where, text)
	return err
}

// readMail is a message as its reader sees it.
func readMail(r io.Reader) (string, error) {
	message, err := mail.ReadMessage(r)
	if err != nil {
		return "", err
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return "", err
	}
	part, err := multipart.NewReader(message.Body, params["boundary"]).NextPart()
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(part)
	return fmt.Sprintf("From: %s\n%s\n\n%s", message.Header.Get("From"), message.Header.Get("Subject"), text), err
}

func (s *mailSession) Reset()        { s.to = nil }
func (s *mailSession) Logout() error { return nil }

// alertmanagerServer is a real Alertmanager on a rendered configuration.
type alertmanagerServer struct{ url string }

// startAlertmanager runs it with the waiting times cut short and Telegram's
// address replaced, which nobody could configure.
func startAlertmanager(t *testing.T, in *inbox, receivers Receivers) *alertmanagerServer {
	t.Helper()
	binary := tool(t, "prometheus-alertmanager", "alertmanager")
	d := testDeployment()
	d.Monitoring.Receivers = receivers
	dir := configOf(t, d, Media, "alertmanager")
	file := filepath.Join(dir, "alertmanager.yml")
	relocate(t, file, "/etc/alertmanager", dir)
	shorten(t, file, in.url)
	root := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(root, pemfile.EncodeToMemory(&pemfile.Block{Type: "CERTIFICATE", Bytes: in.certificate.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	cmd := exec.Command(binary, "--config.file="+file, "--storage.path="+t.TempDir(), "--web.listen-address="+address, "--cluster.listen-address=")
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+root)
	cmd.Stderr = &testWriter{t: t}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://" + address + "/-/ready")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return &alertmanagerServer{url: "http://" + address}
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("Alertmanager does not come up: %v", err)
		}
	}
}

func shorten(t *testing.T, file, telegram string) {
	t.Helper()
	var config struct {
		Templates []string `yaml:"templates"`
		Route     struct {
			Receiver       string           `yaml:"receiver"`
			GroupBy        []string         `yaml:"group_by"`
			GroupWait      string           `yaml:"group_wait"`
			GroupInterval  string           `yaml:"group_interval"`
			RepeatInterval string           `yaml:"repeat_interval"`
			Routes         []map[string]any `yaml:"routes"`
		} `yaml:"route"`
		Receivers    []map[string]any `yaml:"receivers"`
		InhibitRules []map[string]any `yaml:"inhibit_rules"`
	}
	decodeYAML(t, file, &config)
	config.Route.GroupWait, config.Route.GroupInterval = "1s", "1s"
	for _, receiver := range config.Receivers {
		if list, ok := receiver["telegram_configs"].([]any); ok {
			list[0].(map[string]any)["api_url"] = telegram
		}
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// testWriter shows what a process says, if the test fails.
type testWriter struct{ t *testing.T }

func (w *testWriter) Write(text []byte) (int, error) {
	w.t.Logf("%s", text)
	return len(text), nil
}
