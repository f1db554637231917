package initcmd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// answers are what a stack file needs to be told.
type answers struct {
	Cloud, Region, Domain, Email  string
	PublicKeyPath, PrivateKeyPath string // the latter empty: SSH agent
	AllowedCIDRs                  []string
	AllowAnywhere                 bool
	Media                         bool
	Repository, Tag, Digest       string // one of Tag and Digest
}

// complete asks for what is missing, or says which flags are.
func (a *answers) complete(ask *prompter) error {
	var missing []error
	need := func(value *string, flag, question, proposal string) {
		if *value == "" {
			*value = ask.line(question, proposal)
		}
		if *value == "" {
			missing = append(missing, fmt.Errorf("--%s is missing (%s)", flag, question))
		}
	}
	need(&a.Cloud, "cloud", "Cloud, digitalocean or hetzner", "")
	need(&a.Region, "region", "Region", map[string]string{"digitalocean": "fra1", "hetzner": "fsn1"}[a.Cloud])
	if a.Domain == "" {
		a.Domain = ask.line("Public domain name, empty for none", "")
	}
	if a.Domain != "" {
		need(&a.Email, "email", "E-mail address for the certificate authority's notices", "")
	}
	if a.PublicKeyPath == "" && !ask.enabled {
		a.PublicKeyPath = ownPublicKey()
	}
	need(&a.PublicKeyPath, "ssh-public-key", "File of your SSH public key", ownPublicKey())
	networks := strings.Join(a.AllowedCIDRs, ",")
	need(&networks, "allowed-cidr", "Networks that may connect by SSH, for example 203.0.113.7/32", "")
	a.AllowedCIDRs = strings.FieldsFunc(networks, func(r rune) bool { return r == ',' || r == ' ' })
	need(&a.Repository, "image", "Image of the Construct services, without tag", "")
	if a.Digest == "" {
		need(&a.Tag, "tag", "Its tag", "")
	}
	return errors.Join(missing...)
}

// ownPublicKey is the first of the keys that ssh itself would offer.
func ownPublicKey() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	for _, name := range []string{"id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"} {
		if _, err := os.Stat(filepath.Join(home, ".ssh", name)); err == nil {
			return "~/.ssh/" + name
		}
	}
	return ""
}

// prompter asks on a terminal; where there is none, nothing is answered.
type prompter struct {
	in      io.Reader
	out     io.Writer
	enabled bool
	lines   *bufio.Reader
}

// line asks one question. An empty answer takes the proposal.
func (p *prompter) line(question, proposal string) string {
	if !p.enabled {
		return ""
	}
	if p.lines == nil {
		p.lines = bufio.NewReader(p.in)
	}
	if proposal != "" {
		question += " [" + proposal + "]"
	}
	fmt.Fprint(p.out, question+": ")
	answer, _ := p.lines.ReadString('\n') // at the end of input, what there is
	if answer = strings.TrimSpace(answer); answer == "" {
		return proposal
	}
	return answer
}
