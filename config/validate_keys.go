package config

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"
)

// Keys are the lines of all keys that may log in, the operator's own first.
func (s SSH) Keys() []string {
	if s.PublicKey == "" {
		return s.AuthorizedKeys
	}
	return append([]string{s.PublicKey}, s.AuthorizedKeys...)
}

// login is a public key that may log in.
type login struct {
	path    string
	key     ssh.PublicKey
	comment string
}

func (v *validator) sshKeys() {
	logins := v.logins()
	if v.SSH.PrivateKey == "" {
		return
	}
	signer, err := ssh.ParsePrivateKey([]byte(v.SSH.PrivateKey))
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		v.add("ssh.privateKey", "is protected by a passphrase", "a key without one, or none, to use the SSH agent")
	case err != nil:
		v.add("ssh.privateKey", "is not a private key", "the PEM or OpenSSH form of the key")
	case len(logins) == len(v.SSH.Keys()) && len(logins) > 0 && !slices.ContainsFunc(logins, func(l login) bool {
		return bytes.Equal(signer.PublicKey().Marshal(), l.key.Marshal())
	}):
		v.add("ssh.privateKey", "belongs to none of ssh.publicKey and ssh.authorizedKeys", "the other half of one of them, since no other key logs in")
	}
}

const wantKeyLine = "one line such as: ssh-ed25519 AAAA… you@example.com"

// logins judges every public key and returns those that are keys.
func (v *validator) logins() []login {
	var logins []login
	if len(v.SSH.AuthorizedKeys) == 0 {
		v.require("ssh.publicKey", v.SSH.PublicKey, wantKeyLine)
	}
	if v.SSH.PublicKey != "" {
		logins = v.login(logins, "ssh.publicKey", v.SSH.PublicKey)
	}
	for i, line := range v.SSH.AuthorizedKeys {
		path := fmt.Sprintf("ssh.authorizedKeys[%d]", i)
		if v.require(path, line, wantKeyLine) {
			logins = v.login(logins, path, line)
		}
	}
	return logins
}

// login judges one more public key. Hosts know operators by their keys'
// comments, so a further operator must have one, and one of their own.
func (v *validator) login(logins []login, path, line string) []login {
	key, comment, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		v.add(path, "is not a public key", wantKeyLine)
		return logins
	}
	one := login{path: path, key: key, comment: shownComment(comment)}
	before := func(same func(login) bool) string {
		if i := slices.IndexFunc(logins, same); i >= 0 {
			return logins[i].path
		}
		return ""
	}
	sameKey := before(func(l login) bool { return bytes.Equal(l.key.Marshal(), key.Marshal()) })
	sameName := before(func(l login) bool { return comment != "" && l.comment == one.comment })
	switch {
	case len(options) > 0:
		v.add(path, "begins with options", wantKeyLine)
	case len(rest) > 0 || strings.ContainsAny(line, "\r\n"):
		v.add(path, "has more than one line", wantKeyLine)
	case strings.ContainsFunc(comment, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }):
		v.add(path, "has a comment that cannot be printed", wantKeyLine)
	case sameKey != "":
		v.add(path, "is the same key as "+sameKey, "each key once")
	case comment == "" && path != "ssh.publicKey":
		v.add(path, "has no comment", "whose key it is: ssh-ed25519 AAAA… you@example.com")
	case sameName != "":
		v.add(path, fmt.Sprintf("has the comment of %s, as hosts show it: %s", sameName, one.comment), "a comment of its own, since histories name operators by it")
	default:
		v.algorithm(path, key)
	}
	return append(logins, one)
}

// shownComment is a key's comment as the hosts' history shows it.
func shownComment(comment string) string {
	shown := []byte(comment)
	for i, b := range shown {
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if !letter && !strings.ContainsRune("@._-", rune(b)) {
			shown[i] = '_'
		}
	}
	return string(shown)
}

// minRSABits is the shortest RSA key that OpenSSH and the clouds accept without
// complaint; it also holds for the services' tokens.
const minRSABits = 2048

// algorithm refuses what the hosts' sshd does not take
// (deploy/scripts/files/sshd.conf).
func (v *validator) algorithm(path string, key ssh.PublicKey) {
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256:
	case ssh.KeyAlgoRSA:
		if bits := rsaBits(key); bits < minRSABits {
			v.add(path, fmt.Sprintf("is an RSA key of %d bits", bits), fmt.Sprintf("at least %d bits, or ed25519", minRSABits))
		}
	case ssh.InsecureKeyAlgoDSA: //nolint:staticcheck // it is named to be refused
		v.add(path, "is a DSA key, which sshd refuses", "an ed25519 key: ssh-keygen -t ed25519")
	default:
		v.add(path, fmt.Sprintf("is of type %s, which sshd refuses", key.Type()), "an ed25519 key: ssh-keygen -t ed25519")
	}
}

func rsaBits(key ssh.PublicKey) int {
	if wrapper, ok := key.(ssh.CryptoPublicKey); ok {
		if public, ok := wrapper.CryptoPublicKey().(*rsa.PublicKey); ok {
			return public.N.BitLen()
		}
	}
	return 0
}
