package dry

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"gopkg.in/yaml.v3"

	"github.com/construct-server/infra/sim/host"
)

// access is what a host's first boot decides about its sshd.
type access struct {
	hostKeys []ssh.Signer               // at most one of each type
	keys     map[string]map[string]bool // user → marshalled public keys
}

// cloudConfig is the part of cloud-init's schema that concerns sshd.
// https://docs.cloud-init.io/en/23.4/reference/modules.html
type cloudConfig struct {
	Users      []yaml.Node       `yaml:"users"`
	Keys       []string          `yaml:"ssh_authorized_keys"`
	HostKeys   map[string]string `yaml:"ssh_keys"`
	NoRoot     bool              `yaml:"disable_root"`
	WriteFiles []struct {
		Path    string `yaml:"path"`
		Content string `yaml:"content"`
	} `yaml:"write_files"`
}

type cloudUser struct {
	Name   string   `yaml:"name"`
	Keys   []string `yaml:"ssh_authorized_keys"`
	Dashed []string `yaml:"ssh-authorized-keys"` // the old spelling, still accepted
}

var permitRootNo = regexp.MustCompile(`(?mi)^\s*PermitRootLogin\s+no\s*$`)

// firstBoot reads what the user data says about users and keys. User data that
// is not cloud-config configures nothing, as with cloud-init.
func firstBoot(spec host.Spec) (*access, error) {
	var config cloudConfig
	if strings.HasPrefix(spec.UserData, "#cloud-config") {
		if err := yaml.Unmarshal([]byte(spec.UserData), &config); err != nil {
			return nil, fmt.Errorf("parse user data: %w", err)
		}
	}
	a := &access{keys: map[string]map[string]bool{}}
	if !config.rootRefused() {
		if err := a.authorize("root", append(config.Keys, spec.AuthorizedKeys...)); err != nil {
			return nil, err
		}
	}
	for i := range config.Users {
		if config.Users[i].Kind != yaml.MappingNode {
			continue // "default": these images' default user is root
		}
		var u cloudUser
		if err := config.Users[i].Decode(&u); err != nil {
			return nil, fmt.Errorf("parse user data: users[%d]: %w", i, err)
		}
		if err := a.authorize(u.Name, append(u.Keys, u.Dashed...)); err != nil {
			return nil, err
		}
	}
	var pems []string
	for _, name := range slices.Sorted(maps.Keys(config.HostKeys)) {
		if strings.HasSuffix(name, "_private") {
			pems = append(pems, config.HostKeys[name])
		}
	}
	var err error
	a.hostKeys, err = parseHostKeys(pems)
	return a, err
}

func (c *cloudConfig) rootRefused() bool {
	for _, f := range c.WriteFiles {
		if strings.HasPrefix(f.Path, "/etc/ssh/sshd_config") && permitRootNo.MatchString(f.Content) {
			return true
		}
	}
	return c.NoRoot
}

func (a *access) authorize(user string, lines []string) error {
	for _, line := range lines {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return fmt.Errorf("parse authorized key of user %q: %w", user, err)
		}
		if a.keys[user] == nil {
			a.keys[user] = map[string]bool{}
		}
		a.keys[user][string(key.Marshal())] = true
	}
	return nil
}

// parseHostKeys reads private keys; without any, a host makes itself one.
func parseHostKeys(pems []string) ([]ssh.Signer, error) {
	if len(pems) == 0 {
		return newHostKeys()
	}
	var signers []ssh.Signer
	for i, pem := range pems {
		signer, err := ssh.ParsePrivateKey([]byte(pem))
		if err != nil {
			return nil, fmt.Errorf("parse host key %d: %w", i, err)
		}
		signers = append(signers, signer)
	}
	return signers, nil
}

func newHostKeys() ([]ssh.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate host key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	return []ssh.Signer{signer}, err
}

// serverConfig accepts the authorized keys and nothing else.
func (a *access) serverConfig(hostKeys []ssh.Signer) *ssh.ServerConfig {
	config := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if a.keys[meta.User()][string(key.Marshal())] {
				return &ssh.Permissions{}, nil
			}
			return nil, fmt.Errorf("user %q: key is not authorized", meta.User())
		},
	}
	for _, key := range hostKeys {
		config.AddHostKey(key)
	}
	return config
}
