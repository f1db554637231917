package lab

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"gopkg.in/yaml.v3"
)

// Secret is a configuration value that is written encrypted.
type Secret string

// Settings is a stack's configuration: fully qualified keys ("construct:cloud")
// to scalars, lists, nested maps and Secrets.
type Settings map[string]any

// With returns a copy with one more top-level key set.
func (s Settings) With(key string, value any) Settings {
	out := maps.Clone(s)
	out[key] = value
	return out
}

// StackPath is where Pulumi looks for a stack's configuration.
func StackPath(projectDir, stack string) string {
	return filepath.Join(projectDir, "Pulumi."+stack+".yaml")
}

// Write writes the settings as a stack file, encrypted with Passphrase.
func (s Settings) Write(ctx context.Context, path string) error {
	data, err := s.Stackfile(ctx, Passphrase)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// Stackfile renders the settings as a Pulumi.<stack>.yaml whose secrets are
// encrypted with passphrase, as `pulumi config set --secret` would write them.
func (s Settings) Stackfile(ctx context.Context, passphrase string) ([]byte, error) {
	salt := make([]byte, 8) // the length that Pulumi's passphrase provider uses
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("draw a salt: %w", err)
	}
	crypter := config.NewSymmetricCrypterFromPassphrase(passphrase, salt)
	// The engine checks a passphrase by decrypting this known word.
	check, err := crypter.EncryptValue(ctx, "pulumi")
	if err != nil {
		return nil, fmt.Errorf("encrypt the passphrase check: %w", err)
	}
	sealed, err := seal(ctx, crypter, map[string]any(s))
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(map[string]any{
		"encryptionsalt": fmt.Sprintf("v1:%s:%s", base64.StdEncoding.EncodeToString(salt), check),
		"config":         sealed,
	})
}

func seal(ctx context.Context, c config.Encrypter, v any) (any, error) {
	switch v := v.(type) {
	case Secret:
		cipher, err := c.EncryptValue(ctx, string(v))
		if err != nil {
			return nil, fmt.Errorf("encrypt a secret: %w", err)
		}
		return map[string]string{"secure": cipher}, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			sealed, err := seal(ctx, c, value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			out[key] = sealed
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			sealed, err := seal(ctx, c, value)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = sealed
		}
		return out, nil
	default:
		return v, nil
	}
}
