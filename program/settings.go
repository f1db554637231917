package program

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/stacks"
)

// keyBytes is the length of every derived key.
const keyBytes = 32

// sizes are what preflight is asked for: every role in use, by its path in
// the configuration.
func sizes(cfg *config.Config, scope cloud.Scope) []cloud.SizeRequest {
	var requests []cloud.SizeRequest
	for _, role := range stacks.Roles(cfg.Roles.MediaEnabled) {
		requests = append(requests, cloud.SizeRequest{
			Path: sizePath(role), Size: roleConfig(cfg, role).Size,
			FallbackPath: "construct:roles." + string(role) + ".fallbackSizes",
			Fallbacks:    roleConfig(cfg, role).FallbackSizes,
			Server:       scope.Name(string(role) + "-1"),
		})
	}
	return requests
}

// sizePath is where a role's size is configured.
func sizePath(role stacks.Role) string { return "construct:roles." + string(role) + ".size" }

// roleConfig is the part of the configuration that sizes a role.
func roleConfig(cfg *config.Config, role stacks.Role) config.Role {
	switch role {
	case stacks.Gateway:
		return cfg.Roles.Gateway
	case stacks.App:
		return cfg.Roles.App
	case stacks.DB:
		return cfg.Roles.Database
	case stacks.Message:
		return cfg.Roles.Message
	case stacks.Media:
		return cfg.Roles.Media
	case stacks.Internet: // no server
	}
	return config.Role{}
}

// deployment is the configuration as rendering wants it.
func deployment(cfg *config.Config, scope cloud.Scope, catalogue cloud.Catalogue) (stacks.Deployment, error) {
	key, err := derive(cfg, "construct bundle digests")
	if err != nil {
		return stacks.Deployment{}, err
	}
	seed, err := derive(cfg, "construct internal credentials")
	if err != nil {
		return stacks.Deployment{}, err
	}
	d := stacks.Deployment{
		Name:   scope.Name(),
		Domain: cfg.Domain, ACMEEmail: cfg.ACME.Email, ACMEDirectory: cfg.ACME.Directory, ACMECARoot: cfg.ACME.CARoot,
		Media: cfg.Roles.MediaEnabled, NetworkCIDR: cfg.Network.CIDR, Memory: map[stacks.Role]int{},
		Release: stacks.Image{Repository: cfg.Release.Repository, Tag: cfg.Release.Tag, Digest: cfg.Release.Digest},
		Images:  cfg.Images, ImageMirror: cfg.ImageMirror,
		Maintenance: stacks.Maintenance(cfg.Gateway.Maintenance),
		RateLimit:   stacks.RateLimit(cfg.RateLimit), Kafka: stacks.Kafka(cfg.Kafka),
		Monitoring: stacks.Monitoring{
			RetentionDays: cfg.Monitoring.RetentionDays, RetentionGB: cfg.Monitoring.RetentionGB,
			Receivers: receivers(cfg.Monitoring.Receivers),
		},
		Logs:          stacks.Logs(cfg.Logs),
		Secrets:       secrets(cfg.Secrets),
		ServiceImages: serviceImages(cfg.Release),
		DigestKey:     key,
		Seed:          seed,
	}
	for _, role := range stacks.Roles(d.Media) {
		d.Memory[role] = catalogue.Sizes[sizePath(role)].MemoryMB
	}
	if cfg.Vault != nil {
		d.Vault = &stacks.Vault{Address: cfg.Vault.Address, Token: cfg.Vault.Token}
	}
	if a := cfg.APNs; a != nil {
		d.APNs = &stacks.APNs{KeyID: a.KeyID, TeamID: a.TeamID, BundleID: a.BundleID, Environment: a.Environment, Key: a.Key}
	}
	if f := cfg.Federation; f != nil {
		d.Federation = &stacks.Federation{BaseDomain: f.BaseDomain, SigningKey: f.SigningKey}
	}
	return d, nil
}

// derive makes a key for one purpose from the deployment's seed, which stays
// when host keys are replaced.
func derive(cfg *config.Config, purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, []byte(cfg.Secrets.Internal()), nil, purpose, keyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive key of %s: %w", purpose, err)
	}
	return key, nil
}

// serviceImages merges each override with the release. A tag or a digest
// replaces both of the release's: together they would have to agree.
func serviceImages(release config.Release) map[string]stacks.Image {
	merged := map[string]stacks.Image{}
	for name, o := range release.Overrides {
		image := stacks.Image{Repository: release.Repository, Tag: release.Tag, Digest: release.Digest}
		if o.Repository != "" {
			image.Repository = o.Repository
		}
		if o.Tag != "" || o.Digest != "" {
			image.Tag, image.Digest = o.Tag, o.Digest
		}
		merged[name] = image
	}
	return merged
}

func secrets(s config.Secrets) stacks.Secrets {
	return stacks.Secrets{
		PostgresPassword:         s.PostgresPassword,
		PostgresExporterPassword: s.PostgresExporterPassword,
		RedisPassword:            s.RedisPassword,
		RedisReplicaPassword:     s.RedisReplicaPassword,
		RedisMonitorPassword:     s.RedisMonitorPassword,
		JWTPrivateKey:            s.JWTPrivateKey,
		JWTPublicKey:             s.JWTPublicKey,
		JWTPreviousPublicKey:     s.JWTPreviousPublicKey,
		CSRFSecret:               s.CSRFSecret,
		APNsTokenKey:             s.APNsTokenKey,
		LogHashSalt:              s.LogHashSalt,
		MediaUploadSecret:        s.MediaUploadSecret,
		GrafanaPassword:          s.GrafanaPassword,
	}
}
