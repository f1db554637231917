package stacks

import (
	"fmt"
	"strconv"
)

const (
	nobodyUID  = 65534 // of the Prometheus images
	grafanaUID = 472

	mediaStorage = "/data/media"
	// uploadSec is how long an upload may take.
	uploadSec = 12 * 60
)

// mediaServices are the media service and the monitoring of the whole fleet.
func mediaServices() []ServiceSpec {
	return []ServiceSpec{mediaService(), prometheus(), alertmanager(), grafana(), blackbox()}
}

// mediaService takes its whole address from MEDIA_BIND_ADDRESS and ignores
// PORT (facts 1a). Its stop grace is everybody's and cuts the longest uploads
// where it is not drained before: when its host goes down.
func mediaService() ServiceSpec {
	s := constructService("media-service", Media, 8005)
	s.MemoryMB = 256
	s.DrainSec = uploadSec
	s.Data = []DataDir{{Host: DataRoot + "/media", Mount: mediaStorage, Mode: 0o750}}
	s.env = func(r *renderer) []variable {
		return []variable{
			{"MEDIA_BIND_ADDRESS", fmt.Sprintf("0.0.0.0:%d", s.Port)},
			{"MEDIA_FILE_TTL_SECONDS", strconv.Itoa(messageTTLDays * 24 * 3600)},
			{"MEDIA_MAX_FILE_SIZE", strconv.Itoa(mediaMaxMB << 20)},
			{"MEDIA_STORAGE_DIR", mediaStorage},
			{"MEDIA_UPLOAD_TOKEN_SECRET", r.d.Secrets.MediaUploadSecret},
			{"RUST_LOG", "info"},
		}
	}
	return s
}

func prometheus() ServiceSpec {
	return ServiceSpec{
		Name: "prometheus", Role: Media, Image: "prometheus", UID: nobodyUID, GID: nobodyUID,
		Command: []string{
			"--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus",
			"--web.listen-address=:9090", "--web.external-url=http://localhost:9090", // through the tunnel
		},
		args: func(r *renderer) []string {
			return []string{
				fmt.Sprintf("--storage.tsdb.retention.time=%dd", r.d.Monitoring.RetentionDays),
				fmt.Sprintf("--storage.tsdb.retention.size=%dGB", r.d.Monitoring.RetentionGB),
			}
		},
		Port: 9090, Private: []int{9090}, Metrics: "/metrics",
		Health:   wgetHealth("http://127.0.0.1:9090/-/ready"),
		MemoryMB: 384, MemoryShare: 4, PIDs: 256, GraceSec: 60,
		Data:      []DataDir{{Host: DataRoot + "/prometheus", Mount: "/prometheus", Mode: 0o750}},
		ConfigDir: "/etc/prometheus",
		Needs:     []string{"alertmanager", "blackbox-exporter"},
	}
}

func alertmanager() ServiceSpec {
	return ServiceSpec{
		Name: "alertmanager", Role: Media, Image: "alertmanager", UID: nobodyUID, GID: nobodyUID,
		Command: []string{
			"--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager",
			"--web.listen-address=:9093", "--web.external-url=http://localhost:9093", "--cluster.listen-address=",
		},
		Port: 9093, Private: []int{9093}, Metrics: "/metrics",
		Health:   wgetHealth("http://127.0.0.1:9093/-/ready"),
		MemoryMB: 64, PIDs: 128, GraceSec: 20,
		Data:      []DataDir{{Host: DataRoot + "/alertmanager", Mount: "/alertmanager", Mode: 0o750}},
		ConfigDir: "/etc/alertmanager",
	}
}

// grafana keeps nothing: data source and dashboards are provisioned, and with
// its database gone at every start the administrator's password is always the
// configured one. On a volume it would apply on the first start only (lesson 28).
func grafana() ServiceSpec {
	return ServiceSpec{
		Name: "grafana", Role: Media, Image: "grafana", UID: grafanaUID, GID: 0,
		Port: 3000, Private: []int{3000}, Metrics: "/metrics",
		Health:   wgetHealth("http://127.0.0.1:3000/api/health"),
		MemoryMB: 224, MemoryShare: 1, MemoryMaxMB: 512, PIDs: 256, GraceSec: 20,
		Tmpfs:     []string{"/var/lib/grafana:uid=472,gid=0,mode=0770,size=64m"},
		ConfigDir: "/etc/grafana/provisioning",
		Needs:     []string{"prometheus"},
		env: func(r *renderer) []variable {
			return []variable{
				{"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false"},
				{"GF_ANALYTICS_CHECK_FOR_UPDATES", "false"},
				{"GF_ANALYTICS_REPORTING_ENABLED", "false"},
				{"GF_AUTH_ANONYMOUS_ENABLED", "false"},
				{"GF_PATHS_PROVISIONING", "/etc/grafana/provisioning"},
				{"GF_SECURITY_ADMIN_PASSWORD", r.d.Secrets.GrafanaPassword},
				{"GF_SECURITY_ADMIN_USER", "admin"},
				{"GF_SECURITY_DISABLE_GRAVATAR", "true"},
				{"GF_SERVER_HTTP_PORT", "3000"},
				{"GF_USERS_ALLOW_SIGN_UP", "false"},
			}
		},
	}
}

func blackbox() ServiceSpec {
	return ServiceSpec{
		Name: "blackbox-exporter", Role: Media, Image: "blackbox-exporter", UID: nobodyUID, GID: nobodyUID,
		Command: []string{
			"--config.file=/etc/blackbox_exporter/config.yml", "--web.listen-address=:9115",
			"--log.prober=error", // why a probe failed
		},
		Port: 9115, Metrics: "/metrics", // reached by Prometheus alone
		Health:   wgetHealth("http://127.0.0.1:9115/-/healthy"),
		MemoryMB: 48, PIDs: 128, GraceSec: 10,
		ConfigDir: "/etc/blackbox_exporter",
	}
}
