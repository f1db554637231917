package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Parse loads and validates. The error is a [Problems] with everything wrong,
// of both sorts; the Config is nil then.
func Parse(src Source) (*Config, error) {
	c, loading, err := load(src)
	if err != nil {
		return nil, err
	}
	judging := c.validate().without(loading)
	if err := append(loading, judging...).err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Load turns raw configuration into a Config: unknown keys, wrong types,
// plain-text secrets, unparsable networks and unreadable files are errors.
// Whether the values make sense is for [Config.Validate] to say.
func Load(src Source) (*Config, error) {
	c, problems, err := load(src)
	if err != nil {
		return nil, err
	}
	if err := problems.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// load returns what could be read beside what is wrong with the rest.
func load(src Source) (*Config, Problems, error) {
	s := &shaper{isSecret: src.IsSecret}
	file := defaults()
	fitted, err := json.Marshal(s.fit(reflect.TypeFor[stackFile](), topLevel(src), ""))
	if err != nil {
		return nil, nil, fmt.Errorf("encode configuration: %w", err)
	}
	if err := json.Unmarshal(fitted, &file); err != nil {
		return nil, nil, fmt.Errorf("decode configuration: %w", err)
	}
	l := &loader{dir: src.Dir(), problems: s.problems}
	c := l.config(&file)
	c.Project, c.Stack = src.Project(), src.Stack()
	return c, l.problems, nil
}

// topLevel collects the namespace's keys without their prefix. A value is text
// unless the key's type says otherwise and the text is JSON.
func topLevel(src Source) map[string]any {
	top := map[string]any{}
	for _, key := range src.Keys() {
		text, ok := src.Get(key)
		if !ok {
			continue
		}
		key = strings.TrimPrefix(key, namespace)
		top[key] = text
		field, known := fieldByKey(reflect.TypeFor[stackFile](), key)
		if known && field.Type.Kind() != reflect.String {
			top[key] = decodeValue(text)
		}
	}
	return top
}

// decodeValue decodes JSON; what is not JSON stays text, nothing is nil.
func decodeValue(text string) any {
	if text == "" {
		return nil
	}
	var value any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return text
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return text
	}
	return value
}

// loader converts a stack file, reading the files that it names.
type loader struct {
	dir      string
	problems Problems
}

func (l *loader) config(f *stackFile) *Config {
	c := &Config{
		Cloud: Cloud(f.Cloud), Region: f.Region, Domain: f.Domain,
		DNS: DNS{Zone: orElse(f.DNS.Zone, f.Domain), CreateZone: f.DNS.CreateZone},
		ACME: ACME{
			Email: f.ACME.Email, Directory: f.ACME.Directory,
			CARoot: l.textOrFile("acme.caRoot", f.ACME.CARoot, f.ACME.CARootPath),
		},
		AdminUser: f.AdminUser,
		SSH:       l.ssh(f.SSH),
		Network:   Network{CIDR: l.prefix("network.cidr", f.Network.CIDR, "10.20.0.0/24")},
		Roles: Roles{
			Gateway:  Role{Size: f.Roles.Gateway.Size, FallbackSizes: f.Roles.Gateway.FallbackSizes},
			App:      Role{Size: f.Roles.App.Size, FallbackSizes: f.Roles.App.FallbackSizes},
			Database: Role(f.Roles.Database), Message: Role(f.Roles.Message),
			Media:        Role{Size: f.Roles.Media.Size, FallbackSizes: f.Roles.Media.FallbackSizes, VolumeGB: f.Roles.Media.VolumeGB},
			MediaEnabled: f.Roles.Media.Enabled,
		},
		Gateway:     Gateway{Maintenance: l.maintenance(f.Gateway.Maintenance)},
		Release:     release(f.Release),
		Images:      f.Images,
		ImageMirror: f.ImageMirror,
		RateLimit:   RateLimit(f.RateLimit),
		Kafka: Kafka{
			Brokers: f.Kafka.Brokers, TLS: f.Kafka.TLS,
			CARoot:        l.textOrFile("kafka.caRoot", f.Kafka.CARoot, f.Kafka.CARootPath),
			SASLMechanism: f.Kafka.SASLMechanism, Username: f.Kafka.Username, Password: f.Kafka.Password,
		},
		Monitoring: Monitoring{
			RetentionDays: f.Monitoring.RetentionDays, RetentionGB: f.Monitoring.RetentionGB,
			Receivers: receivers(f.Monitoring.Receivers),
		},
		Logs:         Logs(f.Logs),
		RebootWindow: l.window("rebootWindow", f.RebootWindow),
		Protect:      f.Protect,
		Secrets:      Secrets(f.Secrets),
	}
	for _, r := range f.Registries {
		c.Registries = append(c.Registries, Registry(r))
	}
	l.optional(c, f)
	return c
}

// optional fills the parts that are nil unless the stack file has them.
func (l *loader) optional(c *Config, f *stackFile) {
	if f.Vault != nil {
		vault := Vault(*f.Vault)
		c.Vault = &vault
	}
	if f.APNs != nil {
		c.APNs = &APNs{
			KeyID: f.APNs.KeyID, TeamID: f.APNs.TeamID, BundleID: f.APNs.BundleID,
			Environment: f.APNs.Environment, Key: l.textOrFile("apns.key", f.APNs.Key, f.APNs.KeyPath),
		}
		l.namedAs(f.APNs)
	}
	if f.Federation != nil {
		c.Federation = &Federation{
			BaseDomain: orElse(f.Federation.BaseDomain, f.Domain), SigningKey: f.Federation.SigningKey,
		}
	}
}

func (l *loader) ssh(f sshFile) SSH {
	s := SSH{
		PublicKey:     strings.TrimSpace(l.textOrFile("ssh.publicKey", f.PublicKey, f.PublicKeyPath)),
		PrivateKey:    l.textOrFile("ssh.privateKey", f.PrivateKey, f.PrivateKeyPath),
		AllowAnywhere: f.AllowAnywhere,
		Port:          f.Port,
		Direct:        f.Direct,
	}
	for i, text := range f.AuthorizedKeys {
		s.AuthorizedKeys = append(s.AuthorizedKeys, l.keyOrFile(fmt.Sprintf("ssh.authorizedKeys[%d]", i), text))
	}
	for i, text := range f.AllowedCIDRs {
		s.AllowedCIDRs = append(s.AllowedCIDRs,
			l.prefix(fmt.Sprintf("ssh.allowedCidrs[%d]", i), text, "203.0.113.7/32"))
	}
	return s
}

func (l *loader) maintenance(f maintenanceFile) Maintenance {
	m := Maintenance{Enabled: f.Enabled, RetryAfterSeconds: f.RetryAfterSeconds}
	for i, text := range f.AllowedCIDRs {
		m.AllowedCIDRs = append(m.AllowedCIDRs,
			l.prefix(fmt.Sprintf("gateway.maintenance.allowedCidrs[%d]", i), text, "203.0.113.7/32"))
	}
	return m
}

func release(f releaseFile) Release {
	r := Release{Repository: f.Repository, Tag: f.Tag, Digest: f.Digest, RequireDigest: f.RequireDigest, SoakSeconds: f.SoakSeconds}
	for name, o := range f.Overrides {
		if r.Overrides == nil {
			r.Overrides = map[string]ReleaseOverride{}
		}
		r.Overrides[name] = ReleaseOverride(o)
	}
	return r
}

func orElse(value, fallback string) string {
	if value != "" {
		return value
	}
	return fallback
}
