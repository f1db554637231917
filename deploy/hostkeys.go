package deploy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"math/big"

	"golang.org/x/crypto/ssh"
)

// KeyPair is one host key.
type KeyPair struct {
	PrivatePEM string // OpenSSH format, secret
	Public     string // authorized_keys format, without a comment
}

// HostKeys are the two keys by which a host is known. An sshd has one key of
// each type, and a connection pins one key and with it the type. So a key that
// is pinned cannot be replaced: while the main key is, the spare one is pinned,
// and the other way round.
type HostKeys struct {
	Main   KeyPair // ed25519, of the seed
	Spare  KeyPair // ECDSA, of the seed before while there is one, else of the same
	Pinned string  // the public key that every connection expects
}

// NewHostKeys derives a server's keys. previous is the seed before, empty unless
// a rotation is under way. Whatever of a rotation has happened, the host has the
// pinned key: it is the one that this configuration leaves as it was.
func NewHostKeys(seed, previous, serverName string) (HostKeys, error) {
	var k HostKeys
	var err error
	if k.Main.PrivatePEM, k.Main.Public, err = HostKey(seed, serverName); err != nil {
		return HostKeys{}, err
	}
	k.Pinned = k.Main.Public
	of := seed
	if previous != "" {
		of = previous
	}
	if k.Spare, err = spareHostKey(of, serverName); err != nil {
		return HostKeys{}, err
	}
	if previous != "" {
		k.Pinned = k.Spare.Public
	}
	return k, nil
}

func spareHostKey(seed, serverName string) (KeyPair, error) {
	raw, err := deriveHostKey(seed, "construct spare ssh host key", serverName)
	if err != nil {
		return KeyPair{}, err
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw[:32])
	if err != nil { // of 2^32 seeds, one
		return KeyPair{}, fmt.Errorf("derive spare host key of %q: %w", serverName, err)
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return KeyPair{}, fmt.Errorf("encode spare host key of %q: %w", serverName, err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return KeyPair{}, fmt.Errorf("encode spare host key of %q: %w", serverName, err)
	}
	var pair KeyPair
	pair.PrivatePEM, pair.Public, err = encodeHostKey(public, ssh.Marshal(struct {
		Curve   string
		Public  []byte
		Private *big.Int
		Comment string
	}{"nistp256", point, new(big.Int).SetBytes(raw[:32]), ""}), raw[32:])
	return pair, err
}

// fingerprints are how people and ssh-keygen name the keys, main first.
func (k HostKeys) fingerprints() ([]string, error) {
	var names []string
	for _, pair := range []KeyPair{k.Main, k.Spare} {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(pair.Public))
		if err != nil {
			return nil, fmt.Errorf("parse host key: %w", err)
		}
		names = append(names, ssh.FingerprintSHA256(key))
	}
	return names, nil
}
