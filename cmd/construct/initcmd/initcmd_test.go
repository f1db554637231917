package initcmd

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/construct-server/infra/config"
)

const root = "../../.."

var update = flag.Bool("update", false, "write Pulumi.prod.yaml from the template")

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFLQZJLsq+J9wcfnDLr4V3AFkcuw8qBbzrNHQ9458UNn you@example.com\n"

func TestProductionExampleIsWhatInitWrites(t *testing.T) {
	t.Parallel()
	text, err := render(example)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "Pulumi.prod.yaml")
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("Pulumi.prod.yaml is out of date, run: go test ./cmd/construct/initcmd -update\n%s", diff)
	}
}

func TestAnswersAreQuotedWhereYAMLNeedsIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"fra1": "fra1", "0.7": `"0.7"`, "yes: no": `"yes: no"`, "# x": `"# x"`, "2001:db8::/32": "2001:db8::/32", "true": `"true"`,
	} {
		if got, err := scalar(text); err != nil || got != want {
			t.Errorf("scalar(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestMissingAnswersAreNamedTogether(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	a := answers{Domain: "chat.example.com"}
	err := a.complete(&prompter{})
	for _, flag := range []string{"cloud", "region", "email", "ssh-public-key", "allowed-cidr", "image", "tag"} {
		if err == nil || !strings.Contains(err.Error(), "--"+flag+" is missing") {
			t.Errorf("--%s is not reported: %v", flag, err)
		}
	}
}

func TestQuestionsAreAskedOnATerminal(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	typed := "hetzner\n\nchat.example.com\nops@example.com\nid.pub\n203.0.113.7/32, 198.51.100.0/24\nghcr.io/example/server\n0.7.0\n"
	var asked bytes.Buffer
	got := answers{Media: true}
	if err := got.complete(&prompter{in: strings.NewReader(typed), out: &asked, enabled: true}); err != nil {
		t.Fatal(err)
	}
	want := answers{
		Cloud: "hetzner", Region: "fsn1", Domain: "chat.example.com", Email: "ops@example.com", PublicKeyPath: "id.pub",
		AllowedCIDRs: []string{"203.0.113.7/32", "198.51.100.0/24"}, Media: true,
		Repository: "ghcr.io/example/server", Tag: "0.7.0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(asked.String(), "Region [fsn1]: ") {
		t.Errorf("no proposal in %q", asked.String())
	}
}

func TestBadAnswersWriteNothing(t *testing.T) {
	p := newProject(t)
	_, err := p.init("--cloud", "hetzner", "--region", "fra1", "--domain", "Chat", "--email", "nobody",
		"--ssh-public-key", "id.pub", "--allowed-cidr", "0.0.0.0/0", "--image", "ghcr.io/example/server:1", "--tag", "latest")
	for _, path := range []string{"region", "domain", "acme.email", "ssh.allowedCidrs[0]", "release.repository", "release.tag"} {
		if err == nil || !strings.Contains(err.Error(), "construct:"+path+": ") {
			t.Errorf("construct:%s is not reported: %v", path, err)
		}
	}
	if after := p.read("Pulumi.prod.yaml"); after != p.example {
		t.Error("the stack file was changed")
	}
}

func TestInitWritesACompleteStackOnce(t *testing.T) {
	p := newProject(t)
	out, err := p.init("--cloud", "hetzner", "--region", "fsn1", "--domain", "chat.example.com", "--email", "ops@example.com",
		"--ssh-public-key", "id.pub", "--allowed-cidr", "203.0.113.7/32", "--image", "ghcr.io/example/server", "--tag", "0.7.0")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "with 13 new secrets") || !strings.Contains(out, "hcloud:token") {
		t.Errorf("summary: %s", out)
	}
	first := p.read("Pulumi.prod.yaml")
	if !strings.Contains(first, "# Who may connect by SSH.") || !strings.Contains(first, "construct:region: fsn1") {
		t.Errorf("comments or answers are lost:\n%s", first)
	}
	secrets := p.secrets()
	p.requireNothingLeaked(secrets)

	if out, err = p.init(); err != nil || !strings.Contains(out, "with 0 new secrets") {
		t.Errorf("second run: %v: %s", err, out)
	}
	if diff := cmp.Diff(first, p.read("Pulumi.prod.yaml")); diff != "" {
		t.Errorf("the second run changed the file:\n%s", diff)
	}

	p.pulumi("config", "rm", "--path", "construct:secrets.csrfSecret", "--stack", "prod")
	if out, err = p.init(); err != nil || !strings.Contains(out, "with 1 new secrets") {
		t.Errorf("run with one secret gone: %v: %s", err, out)
	}
	for key, value := range p.secrets() {
		if (key == "csrfSecret") == (value == secrets[key]) {
			t.Errorf("%s: was replaced, or was not although it was gone", key)
		}
	}
}

func TestHalfAKeyPairIsNotCompleted(t *testing.T) {
	t.Parallel()
	_, err := missing(config.Secrets{}, map[string]any{"construct:secrets": map[string]any{"jwtPublicKey": "x"}})
	if err == nil || !strings.Contains(err.Error(), "one half of the JWT key pair") {
		t.Errorf("got %v", err)
	}
}
