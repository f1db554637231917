package stacks

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// seen is what an operator is shown of one service.
type seen struct{ image, config, restart string }

func renderAll(t *testing.T, d Deployment) (map[string]seen, map[Role]string) {
	t.Helper()
	services, digests := map[string]seen{}, map[Role]string{}
	for _, role := range Roles(d.Media) {
		b := mustRender(t, d, role)
		digests[role] = b.Digest
		for _, s := range b.Services {
			services[string(role)+"/"+s.Name] = seen{s.Image, s.ConfigDigest, s.RestartDigest}
		}
	}
	return services, digests
}

func TestRenderIsDeterministic(t *testing.T) {
	t.Parallel()
	for name, d := range variants() {
		for _, role := range Roles(d.Media) {
			first := mustRender(t, d, role)
			for range 5 {
				if again := mustRender(t, d, role); !reflect.DeepEqual(first, again) {
					t.Fatalf("%s/%s: two renderings differ", name, role)
				}
			}
		}
	}
}

// A change reaches the services that it concerns and no other, or else one
// changed limit would restart a database.
func TestChangeReachesOnlyItsServices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*Deployment)
		images  []string
		configs []string
		// restarts are those that stop for it; the others of configs are rolled, or
		// take it while they run.
		restarts []string
	}{
		"nothing": {change: func(*Deployment) {}},
		"rate limit": {
			change:  func(d *Deployment) { d.RateLimit.AuthPerMinute = 5 },
			configs: []string{"gateway/caddy"},
		},
		"tag of one service": {
			change: func(d *Deployment) {
				d.ServiceImages = map[string]Image{"user-service": {Repository: d.Release.Repository, Tag: "0.7.1"}}
			},
			images: []string{"app/user-service"},
		},
		"release": {
			change: func(d *Deployment) { d.Release.Tag = "0.8.0" },
			images: []string{
				"app/auth-service", "app/notification-service", "app/user-service", "gateway/gateway",
				"media/media-service", "message/delivery-worker", "message/messaging-service",
			},
		},
		"redis image": {
			change: func(d *Deployment) { d.Images = map[string]string{"redis": "docker.io/library/redis:7.2.6-bookworm"} },
			images: []string{"db/redis-primary", "message/redis-replica"},
		},
		"the first receiver": { // an alert has said that there was none
			change:   func(d *Deployment) { d.Monitoring.Receivers.WebhookURL = "https://hooks.example.com/x" },
			configs:  []string{"media/alertmanager", "media/prometheus"},
			restarts: []string{"media/alertmanager", "media/prometheus"},
		},
		"heartbeat": {
			change:   func(d *Deployment) { d.Monitoring.Receivers.HeartbeatURL = "https://heartbeat.example.com/x" },
			configs:  []string{"media/alertmanager"},
			restarts: []string{"media/alertmanager"},
		},
		"retention": {
			change:   func(d *Deployment) { d.Monitoring.RetentionDays = 30 },
			configs:  []string{"media/prometheus"},
			restarts: []string{"media/prometheus"},
		},
		"grafana password": {
			change:   func(d *Deployment) { d.Secrets.GrafanaPassword = "another-password" },
			configs:  []string{"media/grafana"},
			restarts: []string{"media/grafana"},
		},
		"postgres password": {
			change: func(d *Deployment) { d.Secrets.PostgresPassword = "another-password-000000000" },
			configs: []string{
				"app/auth-service", "app/notification-service", "app/user-service", "db/postgres", "message/messaging-service",
			},
		},
		"redis replica password": {
			change:  func(d *Deployment) { d.Secrets.RedisReplicaPassword = "another-password-000000000" },
			configs: []string{"db/redis-primary", "message/redis-replica"},
		},
		"upload secret": {
			change:  func(d *Deployment) { d.Secrets.MediaUploadSecret = "another-secret-of-32-characters-" },
			configs: []string{"media/media-service", "message/messaging-service"},
		},
		"acme": {
			change:  func(d *Deployment) { d.ACMEDirectory = "https://acme.example.com/dir" },
			configs: []string{"gateway/caddy"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, beforeDigests := renderAll(t, testDeployment())
			d := testDeployment()
			c.change(&d)
			after, afterDigests := renderAll(t, d)
			var images, configs, restarts []string
			roles := map[Role]bool{}
			for service, now := range after {
				role, _, _ := cutRole(service)
				if now.image != before[service].image {
					images = append(images, service)
					roles[role] = true
				}
				if now.restart != before[service].restart {
					restarts = append(restarts, service)
				}
				if now.config != before[service].config {
					configs = append(configs, service)
					roles[role] = true
				}
			}
			slices.Sort(images)
			slices.Sort(configs)
			slices.Sort(restarts)
			if !slices.Equal(images, c.images) || !slices.Equal(configs, c.configs) || !slices.Equal(restarts, c.restarts) {
				t.Errorf("images %v, want %v; configs %v, want %v; restarts %v, want %v", images, c.images, configs, c.configs, restarts, c.restarts)
			}
			for role, digest := range afterDigests {
				if (digest != beforeDigests[role]) != roles[role] {
					t.Errorf("%s: release digest changed: %v, services changed: %v", role, digest != beforeDigests[role], roles[role])
				}
			}
		})
	}
}

// A changed password of the services reaches the stores, and none of their
// containers is made anew for it: what Compose compares is the same.
func TestPasswordsChangeNoContainerOfAStore(t *testing.T) {
	t.Parallel()
	before, after := testDeployment(), testDeployment()
	after.Secrets.PostgresPassword = "another-password-000000000"
	after.Secrets.RedisPassword = "another-password-000000001"
	for role, names := range map[Role][]string{DB: {"postgres", "redis-primary"}, Message: {"redis-replica"}} {
		old, now := mustRender(t, before, role), mustRender(t, after, role)
		for _, name := range names {
			was, is := mustParse(t, old).Services[name], mustParse(t, now).Services[name]
			was.EnvFiles, is.EnvFiles = nil, nil // where each was unpacked
			if diff := cmp.Diff(was, is, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s would be made anew: -before +after\n%s", name, diff)
			}
			if slices.IndexFunc(now.Services, func(s Service) bool { return s.Name == name && s.ConfigDigest != digestOf(old, name) }) < 0 {
				t.Errorf("%s does not hear of it", name)
			}
		}
	}
}

func digestOf(b Bundle, service string) string {
	for _, s := range b.Services {
		if s.Name == service {
			return s.ConfigDigest
		}
	}
	return ""
}

// Monitoring comes and goes, and no store notices: its limits are divided as if
// exporters were always there.
func TestMediaIsSwitchedWithoutTouchingData(t *testing.T) {
	t.Parallel()
	for _, kafka := range []Kafka{{}, variants()["full"].Kafka} {
		with := testDeployment()
		with.Kafka = kafka
		without := with
		without.Media = false
		before, _ := renderAll(t, without)
		after, _ := renderAll(t, with)
		for service, now := range after {
			was, existed := before[service]
			_, name, _ := cutRole(service)
			if spec, _ := find(mustCatalogue(t, with), name); !existed || !spec.Stateful() {
				continue
			}
			if was != now {
				t.Errorf("%s changes with media: %+v, then %+v", service, was, now)
			}
		}
		for _, stateless := range []string{"app/auth-service", "app/user-service", "message/delivery-worker", "gateway/gateway"} {
			if before[stateless] != after[stateless] {
				t.Errorf("%s changes with media", stateless)
			}
		}
	}
}

func cutRole(service string) (Role, string, bool) {
	for i := range service {
		if service[i] == '/' {
			return Role(service[:i]), service[i+1:], true
		}
	}
	return "", service, false
}
