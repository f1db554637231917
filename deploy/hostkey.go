package deploy

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// minSeedLength is the shortest seed accepted, in characters: 128 bits in hex.
const minSeedLength = 32

// HostKey derives a server's ed25519 SSH host key from the deployment's seed
// and the server's name (HKDF-SHA256), so that it is known, and can be pinned,
// before the server exists. The same input gives the same bytes for ever:
// the private key is part of the user data, the public one of every
// connection. privatePEM (secret) is in OpenSSH format, publicLine in
// authorized_keys format without a comment.
func HostKey(seed, serverName string) (privatePEM, publicLine string, err error) {
	raw, err := deriveHostKey(seed, "construct ssh host key", serverName)
	if err != nil {
		return "", "", err
	}
	key := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return "", "", fmt.Errorf("encode host key of %q: %w", serverName, err)
	}
	fields := ssh.Marshal(struct {
		Public  []byte
		Private []byte
		Comment string
	}{key.Public().(ed25519.PublicKey), key, ""})
	return encodeHostKey(public, fields, raw[ed25519.SeedSize:])
}

// deriveHostKey makes 32 bytes for a key and 4 for its check value.
func deriveHostKey(seed, purpose, serverName string) ([]byte, error) {
	if len(seed) < minSeedLength {
		return nil, fmt.Errorf("derive host key of %q: seed has %d characters (want at least %d)", serverName, len(seed), minSeedLength)
	}
	if serverName == "" {
		return nil, errors.New("derive host key: empty server name")
	}
	raw, err := hkdf.Key(sha256.New, []byte(seed), []byte(purpose), serverName, ed25519.SeedSize+4)
	if err != nil {
		return nil, fmt.Errorf("derive host key of %q: %w", serverName, err)
	}
	return raw, nil
}

// encodeHostKey is a key in the forms in which sshd and clients want it. The
// check value is random in other encoders; here it is derived, as a different
// encoding of the same key would be a changed user data.
func encodeHostKey(public ssh.PublicKey, fields, check []byte) (privatePEM, publicLine string, err error) {
	block := &pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: marshalPrivateKey(public, fields, binary.BigEndian.Uint32(check))}
	return string(pem.EncodeToMemory(block)), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))), nil
}

// marshalPrivateKey writes openssh-key-v1 without encryption, as in OpenSSH's
// PROTOCOL.key; fields are the key's own, up to its comment.
func marshalPrivateKey(public ssh.PublicKey, fields []byte, check uint32) []byte {
	private := append(ssh.Marshal(struct {
		Check1, Check2 uint32
		Type           string
	}{check, check, public.Type()}), fields...)
	for i := byte(1); len(private)%8 != 0; i++ {
		private = append(private, i)
	}
	outer := ssh.Marshal(struct {
		Cipher, KDF, KDFOptions string
		Keys                    uint32
		Public, Private         []byte
	}{"none", "none", "", 1, public.Marshal(), private})
	return append([]byte("openssh-key-v1\x00"), outer...)
}
