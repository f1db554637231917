package lab

import (
	"fmt"
	"strings"

	"github.com/construct-server/infra/config"
)

// Domain is the public name of every simulated deployment.
const Domain = "chat.construct.test"

// Endpoints are the seams through which a stack reaches the simulator. Each is
// an ordinary setting that a real operator may also want.
type Endpoints struct {
	DigitalOcean  string   // digitalocean:apiEndpoint
	Hetzner       string   // hcloud:endpoint
	ACMEDirectory string   // empty: no domain, Caddy's own CA
	ACMERoot      string   // PEM that verifies the directory and what it issues
	Mirror        string   // image mirror, host:port; empty: references as they are
	SSHPort       int      // 22 on container hosts
	SSHFrom       []string // CIDRs that the operator's connections come from
}

// region is the one that each cloud's sample stack uses.
var region = map[config.Cloud]string{
	config.DigitalOcean: "fra1",
	config.Hetzner:      "fsn1",
}

// NewSample is Sample with fresh secrets and the operator's key at keyPath,
// which is generated if there is none.
func NewSample(cloud config.Cloud, at Endpoints, keyPath string) (Settings, error) {
	public, err := ensureKey(keyPath)
	if err != nil {
		return nil, err
	}
	secrets, err := config.GenerateSecrets()
	if err != nil {
		return nil, fmt.Errorf("generate secrets: %w", err)
	}
	return Sample(cloud, at, public, keyPath, secrets), nil
}

// Sample is the stack configuration of a complete deployment on a simulated
// cloud, with media and a domain.
func Sample(cloud config.Cloud, at Endpoints, publicKey, privateKeyPath string, secrets config.Secrets) Settings {
	s := Settings{
		"construct:cloud":  string(cloud),
		"construct:region": region[cloud],
		"construct:ssh": map[string]any{
			"publicKey":      publicKey,
			"privateKeyPath": privateKeyPath,
			"allowedCidrs":   at.SSHFrom,
			"port":           at.SSHPort,
		},
		"construct:network": map[string]any{"cidr": "10.20.0.0/24"},
		"construct:roles": map[string]any{
			"gateway": map[string]any{"size": "small"},
			"app":     map[string]any{"size": "small"},
			"db":      map[string]any{"size": "medium", "volumeGb": 10},
			"message": map[string]any{"size": "medium", "volumeGb": 10},
			"media":   map[string]any{"enabled": true, "size": "medium", "volumeGb": 20},
		},
		"construct:release": map[string]any{
			"repository": "ghcr.io/construct-server/construct-server",
			"tag":        "0.7.0",
		},
		// A simulated deployment is made to be destroyed.
		"construct:protect": false,
		"construct:secrets": secretTree(secrets),
	}
	if at.ACMEDirectory != "" {
		s["construct:domain"] = Domain
		s["construct:acme"] = map[string]any{
			"email": "ops@construct.test", "directory": at.ACMEDirectory, "caRoot": at.ACMERoot,
		}
	}
	if at.Mirror != "" {
		s["construct:imageMirror"] = at.Mirror
	}
	// Switching cloud must need no other change, so both are always there.
	s["digitalocean:apiEndpoint"] = at.DigitalOcean
	s["digitalocean:token"] = Secret("dop_v1_" + strings.Repeat("0", 57))
	s["hcloud:endpoint"] = at.Hetzner
	s["hcloud:token"] = Secret(strings.Repeat("0", 64))
	return s
}

// secretTree is secrets as the configuration nests them, each one marked.
func secretTree(secrets config.Secrets) map[string]any {
	out := map[string]any{}
	for _, entry := range secrets.Entries() {
		out[strings.TrimPrefix(entry.Key, "construct:secrets.")] = Secret(entry.Value)
	}
	return out
}

// SwitchCloud changes the two settings that differ between the clouds.
func (s Settings) SwitchCloud(cloud config.Cloud) (Settings, error) {
	to, ok := region[cloud]
	if !ok {
		return nil, fmt.Errorf("cloud %q: unknown (want digitalocean or hetzner)", cloud)
	}
	return s.With("construct:cloud", string(cloud)).With("construct:region", to), nil
}
