package repaircmd

import (
	"context"
	"fmt"
	"os"
)

// choose returns the configured cloud. Tokens and endpoints are those of
// Pulumi's providers: from the stack's configuration, else the environment.
func choose(ctx context.Context, settings map[string]string, address string) (cloud, error) {
	setting := func(key, variable string) string {
		if value := settings[key]; value != "" {
			return value
		}
		return os.Getenv(variable)
	}
	switch name := settings["construct:cloud"]; name {
	case "digitalocean":
		return newDigitalOcean(ctx, setting("digitalocean:token", "DIGITALOCEAN_TOKEN"), setting("digitalocean:apiEndpoint", "DIGITALOCEAN_API_URL"), address)
	case "hetzner":
		return newHetzner(setting("hcloud:token", "HCLOUD_TOKEN"), setting("hcloud:endpoint", "HCLOUD_ENDPOINT")), nil
	default:
		return nil, fmt.Errorf("construct:cloud: %q is unknown (want digitalocean or hetzner)", name)
	}
}
