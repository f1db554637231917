package config_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/config/configtest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func parseCase(t *testing.T, name string) *config.Config {
	t.Helper()
	cases, err := configtest.Valid()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(cases, func(c configtest.Case) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no case %q", name)
	}
	src, err := cases[i].Source(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseAppliesDefaults(t *testing.T) {
	t.Parallel()
	got := parseCase(t, "minimal")
	want := &config.Config{
		Project: "construct", Stack: "prod",
		Cloud: config.DigitalOcean, Region: "fra1",
		DNS:       config.DNS{CreateZone: true},
		ACME:      config.ACME{Directory: "https://acme-v02.api.letsencrypt.org/directory"},
		AdminUser: "construct",
		SSH: config.SSH{
			PublicKey:    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFLQZJLsq+J9wcfnDLr4V3AFkcuw8qBbzrNHQ9458UNn you@example.com",
			AllowedCIDRs: []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")}, Port: 22,
		},
		Network: config.Network{CIDR: netip.MustParsePrefix("10.20.0.0/24")},
		Roles: config.Roles{
			Gateway: config.Role{Size: "small"}, App: config.Role{Size: "medium"},
			Database:     config.Role{Size: "medium", VolumeGB: 50},
			Message:      config.Role{Size: "medium", VolumeGB: 50},
			Media:        config.Role{Size: "medium", VolumeGB: 100},
			MediaEnabled: true,
		},
		Release: config.Release{Repository: "ghcr.io/example/construct-server", Tag: "0.7.0", SoakSeconds: 60},
		Gateway: config.Gateway{Maintenance: config.Maintenance{RetryAfterSeconds: 300}},
		RateLimit: config.RateLimit{
			RequestsPerMinute: 300, AuthPerMinute: 20, RegistrationsPerHour: 60, UploadsPerMinute: 20,
		},
		Monitoring: config.Monitoring{
			RetentionDays: 15, RetentionGB: 10,
			Receivers: config.Receivers{Email: config.Email{RequireTLS: true}},
		},
		Logs:         config.Logs{RetentionDays: 7},
		RebootWindow: &config.Window{Day: time.Sunday, Start: 2 * time.Hour},
		Protect:      true,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmpopts.IgnoreFields(config.Config{}, "Secrets")); diff != "" {
		t.Error(diff)
	}
	for _, entry := range got.Secrets.Entries() {
		if entry.Value == "" {
			t.Errorf("%s is empty", entry.Key)
		}
	}
}

func TestParseReadsEverything(t *testing.T) {
	t.Parallel()
	c := parseCase(t, "everything")
	if c.DNS != (config.DNS{Zone: "example.com"}) {
		t.Errorf("DNS: %+v", c.DNS)
	}
	if !strings.Contains(c.ACME.CARoot, "BEGIN CERTIFICATE") || !strings.Contains(c.SSH.PrivateKey, "PRIVATE KEY") ||
		!strings.Contains(c.Kafka.CARoot, "BEGIN CERTIFICATE") || !strings.Contains(c.APNs.Key, "PRIVATE KEY") {
		t.Error("a file was not read")
	}
	if c.Federation.BaseDomain != c.Domain || c.Domain == "" {
		t.Errorf("base domain %q, want the domain", c.Federation.BaseDomain)
	}
	if c.Registries[0].Password == "" || c.Kafka.Password == "" || c.Vault.Token == "" || c.Monitoring.Receivers.WebhookURL == "" {
		t.Error("a secret outside of construct:secrets is lost")
	}
	receivers := config.Receivers{
		WebhookURL: "https://hooks.example.com/T0P53CR3T", HeartbeatURL: "https://heartbeat.example.com/ping",
		Email: config.Email{
			Smarthost: "smtp.example.com:587", From: "alerts@example.com", To: []string{"ops@example.com", "boss@example.com"},
			Username: "alerts", Password: "mail-password", RequireTLS: true,
		},
		Slack:    config.Slack{WebhookURL: "https://hooks.slack.com/services/T0/B0/key", Channel: "#alerts"},
		Telegram: config.Telegram{BotToken: "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef012", ChatID: -1001234567890},
	}
	if diff := cmp.Diff(receivers, c.Monitoring.Receivers); diff != "" {
		t.Errorf("receivers (-want +got):\n%s", diff)
	}
	if want := (config.Window{Day: time.Wednesday, Start: 23*time.Hour + 30*time.Minute}); c.RebootWindow == nil || *c.RebootWindow != want {
		t.Errorf("reboot window %v, want %v", c.RebootWindow, want)
	}
	if c.Protect {
		t.Error("protect: false is lost")
	}
	sum := "sha256:" + strings.Repeat("ab", 32)
	for service, want := range map[string]config.ReleaseOverride{
		"auth-service": {Repository: "ghcr.io/example/construct-server", Tag: "0.7.0"},
		"user-service": {Repository: "ghcr.io/example/construct-server", Digest: sum},
		"gateway":      {Repository: "ghcr.io/example/gateway", Tag: "0.7.0"},
	} {
		if got := c.Release.For(service); got != want {
			t.Errorf("%s runs %+v, want %+v", service, got, want)
		}
	}
}

func TestFilesAreFoundInTheHomeDirectory(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	tree, err := configtest.Base()
	if err != nil {
		t.Fatal(err)
	}
	key := tree["construct:ssh"].(map[string]any)["publicKey"].(string)
	if err := os.WriteFile(filepath.Join(home, "id.pub"), []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tree = configtest.Merge(tree, map[string]any{"construct:ssh": map[string]any{"publicKey": nil, "publicKeyPath": "~/id.pub"}})
	src, err := config.FromTree("construct", "prod", t.TempDir(), tree)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	if c.SSH.PublicKey != key {
		t.Errorf("read %q", c.SSH.PublicKey)
	}
}

func TestLoadReportsOnlyWhatItCannotRead(t *testing.T) {
	t.Parallel()
	src := &config.Values{ProjectName: "construct", StackName: "prod", Config: map[string]string{
		"construct:cloud": "nowhere", "construct:regoin": "fra1", "digitalocean:token": "unrelated",
	}}
	_, err := config.Load(src)
	if want := "construct:regoin: unknown key (want perhaps region)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEnvironmentIsWhatTheEngineSets(t *testing.T) {
	tree, err := configtest.Base()
	if err != nil {
		t.Fatal(err)
	}
	values, err := config.FromTree("construct", "prod", "", tree)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(values.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PULUMI_CONFIG", string(text))
	t.Setenv("PULUMI_CONFIG_SECRET_KEYS", `["construct:secrets"]`)
	tests := map[string]struct{ stackFile, want string }{
		"no stack file":      {"", ""},
		"encrypted":          {"config: {construct:secrets: {redisPassword: {secure: v1:abc}}}", ""},
		"one in plain text":  {"config: {construct:secrets: {redisPassword: abc, csrfSecret: {secure: v1:abc}}}", "construct:secrets.redisPassword: is a secret in plain text"},
		"configuration only": {"encryptionsalt: v1:abc", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if test.stackFile != "" {
				if err := os.WriteFile(filepath.Join(dir, "Pulumi.prod.yaml"), []byte(test.stackFile), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			src, err := config.Environment("construct", "prod", dir)
			if err != nil {
				t.Fatal(err)
			}
			_, err = config.Parse(src)
			if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	t.Run("nothing secret at all", func(t *testing.T) {
		t.Setenv("PULUMI_CONFIG_SECRET_KEYS", "")
		src, err := config.Environment("construct", "prod", t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if _, err = config.Parse(src); err == nil || strings.Count(err.Error(), "in plain text") != 13 {
			t.Errorf("want thirteen secrets in plain text, got %v", err)
		}
	})
	t.Run("malformed", func(t *testing.T) {
		t.Setenv("PULUMI_CONFIG", `{"construct:secrets": hunter2`)
		if _, err := config.Environment("construct", "prod", t.TempDir()); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("want an error without the value, got %v", err)
		}
	})
}

func TestGeneratedSecretsAreNewAndDistinct(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for range 2 {
		secrets, err := config.GenerateSecrets()
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range secrets.Entries() {
			if other, dup := seen[entry.Value]; dup {
				t.Errorf("%s has the value of %s", entry.Key, other)
			}
			seen[entry.Value] = entry.Key
		}
	}
}
