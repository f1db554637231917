package deploy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"
	"gopkg.in/yaml.v3"
)

// UserDataArgs is everything a server is told at creation.
type UserDataArgs struct {
	Hostname       string   // required
	AdminUser      string   // login with sudo; required
	AuthorizedKeys []string // the operators' keys, authorized_keys format; at least one
	HostKeys       HostKeys // from NewHostKeys, secret; required
	SSHPort        int      // default 22
}

// userNames are what useradd takes on Debian.
var userNames = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

var hostNames = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,62}[a-zA-Z0-9])?$`)

func (a UserDataArgs) validate() error {
	var errs []error
	if !hostNames.MatchString(a.Hostname) {
		errs = append(errs, fmt.Errorf("Hostname: %q is not a host name", a.Hostname))
	}
	if !userNames.MatchString(a.AdminUser) || a.AdminUser == "root" {
		errs = append(errs, fmt.Errorf("AdminUser: %q (want a user name of Debian's, not root)", a.AdminUser))
	}
	errs = append(errs, checkKeys(a.AuthorizedKeys)...)
	if a.HostKeys.Main.PrivatePEM == "" || a.HostKeys.Spare.PrivatePEM == "" {
		errs = append(errs, errors.New("HostKeys: required"))
	}
	if a.SSHPort < 0 || a.SSHPort > 65535 {
		errs = append(errs, fmt.Errorf("SSHPort: %d", a.SSHPort))
	}
	return errors.Join(errs...)
}

// checkKeys finds what is not a line of authorized_keys. Without any, nobody
// would ever log in.
func checkKeys(lines []string) []error {
	if len(lines) == 0 {
		return []error{errors.New("AuthorizedKeys: none (want at least one)")}
	}
	var errs []error
	for i, line := range lines {
		if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)); err != nil || strings.Contains(strings.TrimSpace(line), "\n") {
			errs = append(errs, fmt.Errorf("AuthorizedKeys[%d]: not one line of authorized_keys", i))
		}
	}
	return errs
}

// cloudConfig is the part of cloud-init's format that is used here:
// https://cloudinit.readthedocs.io/en/22.4.2/topics/modules.html (Debian 12).
type cloudConfig struct {
	Hostname     string      `yaml:"hostname"`
	ManageHosts  string      `yaml:"manage_etc_hosts"`
	DisableRoot  bool        `yaml:"disable_root"`
	PasswordAuth bool        `yaml:"ssh_pwauth"`
	DeleteKeys   bool        `yaml:"ssh_deletekeys"`
	Keys         cloudKeys   `yaml:"ssh_keys"`
	Users        []cloudUser `yaml:"users"`
	WriteFiles   []cloudFile `yaml:"write_files"`
	BootCommands [][]string  `yaml:"bootcmd"`
	RunCommands  [][]string  `yaml:"runcmd"`
}

type cloudKeys struct {
	Private      string `yaml:"ed25519_private"`
	Public       string `yaml:"ed25519_public"`
	SparePrivate string `yaml:"ecdsa_private"`
	SparePublic  string `yaml:"ecdsa_public"`
}

type cloudUser struct {
	Name           string   `yaml:"name"`
	Gecos          string   `yaml:"gecos"`
	Shell          string   `yaml:"shell"`
	Groups         []string `yaml:"groups"`
	LockPassword   bool     `yaml:"lock_passwd"`
	Sudo           string   `yaml:"sudo"`
	AuthorizedKeys []string `yaml:"ssh_authorized_keys"`
}

type cloudFile struct {
	Path        string `yaml:"path"`
	Permissions string `yaml:"permissions"`
	Content     string `yaml:"content"`
}

const sshdDropIn = "/etc/ssh/sshd_config.d/00-construct.conf"

// UserData is the server's #cloud-config, secret since it holds the host key.
// It says only what must be true at the first connection; whatever may ever
// change is set-up's business, since clouds replace a server whose user data
// differs. The same arguments give the same bytes.
func UserData(a UserDataArgs) (string, error) {
	if err := a.validate(); err != nil {
		return "", fmt.Errorf("write user data of %q: %w", a.Hostname, err)
	}
	config := cloudConfig{
		Hostname: a.Hostname,
		// DigitalOcean's vendor data would write /etc/hosts anew at every boot,
		// without the fleet's names; "localhost" only adds the host's own name,
		// without which sudo waits for name servers.
		ManageHosts: "localhost",
		DisableRoot: true,
		DeleteKeys:  true,
		Keys: cloudKeys{
			Private: a.HostKeys.Main.PrivatePEM, Public: a.HostKeys.Main.Public,
			SparePrivate: a.HostKeys.Spare.PrivatePEM, SparePublic: a.HostKeys.Spare.Public,
		},
		Users: []cloudUser{{
			Name:           a.AdminUser,
			Gecos:          "Construct operator",
			Shell:          "/bin/bash",
			Groups:         []string{"adm", "sudo"},
			LockPassword:   true,
			Sudo:           "ALL=(ALL) NOPASSWD:ALL",
			AuthorizedKeys: trimmed(a.AuthorizedKeys),
		}},
		WriteFiles: []cloudFile{{Path: sshdDropIn, Permissions: "0644", Content: a.sshdConfig()}},
		// AcceptEnv adds up over all files: only removing Debian's own line
		// makes it empty. bootcmd runs before sshd starts.
		BootCommands: [][]string{{"sed", "-i", `s/^AcceptEnv/#&/`, "/etc/ssh/sshd_config"}},
		// Debian starts sshd after cloud-init has written its files. Where an
		// image starts it earlier, it is restarted once, if the result is valid.
		RunCommands: [][]string{{"sh", "-c", "[ /run/sshd.pid -nt " + sshdDropIn + " ] || { sshd -t && systemctl restart ssh.service; }"}},
	}
	out, err := yaml.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("write user data of %q: %w", a.Hostname, err)
	}
	return "#cloud-config\n" + string(out), nil
}

func trimmed(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = strings.TrimSpace(line)
	}
	return out
}

// sshdConfig is read before everything else in sshd_config, and sshd takes
// the first value it sees.
func (a UserDataArgs) sshdConfig() string {
	port := a.SSHPort
	if port == 0 {
		port = 22
	}
	lines := []string{
		fmt.Sprintf("Port %d", port),
		"HostKey /etc/ssh/ssh_host_ed25519_key",
		"HostKey /etc/ssh/ssh_host_ecdsa_key",
		"PermitRootLogin no",
		"AllowUsers " + a.AdminUser,
		"AuthenticationMethods publickey",
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		// Who logged in, by key, for the history of releases.
		"ExposeAuthInfo yes",
		// Deployments dial in parallel, and all of them through the gateway.
		"MaxStartups 100:30:200",
		"MaxSessions 50",
		"LoginGraceTime 30",
		"ClientAliveInterval 30",
		"ClientAliveCountMax 6",
		// The gateway is the proxy to every other host, and the way to Grafana.
		"AllowTcpForwarding local",
		"AllowAgentForwarding no",
		"PermitTunnel no",
		"X11Forwarding no",
		"UseDNS no",
	}
	return strings.Join(lines, "\n") + "\n"
}
