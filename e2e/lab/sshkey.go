package lab

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// ensureKey returns the public half of the operator's key at path, which is
// generated if there is none, so that `ssh -i` works for a person as well.
func ensureKey(path string) (string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = generateKey(path)
	}
	if err != nil {
		return "", fmt.Errorf("prepare SSH key %s: %w", path, err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return "", fmt.Errorf("parse SSH key %s: %w", path, err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))), nil
}

// Key is an operator's key pair.
type Key struct{ Path, Public string }

// NewKey makes a further operator's key at path.
func NewKey(path string) (Key, error) {
	public, err := ensureKey(path)
	return Key{Path: path, Public: public}, err
}

func generateKey(path string) ([]byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "construct simulation")
	if err != nil {
		return nil, err
	}
	data := pem.EncodeToMemory(block)
	return data, os.WriteFile(path, data, 0o600)
}
