package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/construct-server/infra/sim/construct/settings"
)

// usesVault says which services ask Vault for keys when they start.
func usesVault(name string) bool {
	switch name {
	case settings.Auth, settings.Notification, settings.Messaging:
		return true
	}
	return false
}

// vault asks once whether the key of token signing is there. The real services
// only warn when it is not, and sign with the keys of their environment.
func vault(ctx context.Context, v settings.Vault) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	url := strings.TrimSuffix(v.Address, "/") + "/v1/transit/keys/jwt-signing"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("ask Vault: %w", err)
	}
	req.Header.Set("X-Vault-Token", v.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask Vault: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask Vault: status %d (want 200)", resp.StatusCode)
	}
	return nil
}
