package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"
)

// settings are the part of Loki's configuration that means something here.
type settings struct {
	listen    string
	directory string
	retention time.Duration
	labels    []string // resource attributes that are labels
}

// sections are those of the configuration file; another is a mistake, as it is
// to Loki.
type sections struct {
	AuthEnabled bool `yaml:"auth_enabled"`
	Server      struct {
		Port int `yaml:"http_listen_port"`
	} `yaml:"server"`
	Common struct {
		Storage struct {
			Filesystem struct {
				Chunks string `yaml:"chunks_directory"`
			} `yaml:"filesystem"`
		} `yaml:"storage"`
	} `yaml:"common"`
	Compactor struct {
		RetentionEnabled   bool   `yaml:"retention_enabled"`
		DeleteRequestStore string `yaml:"delete_request_store"`
	} `yaml:"compactor"`
	Limits struct {
		Retention string `yaml:"retention_period"`
		OTLP      struct {
			Resource struct {
				IgnoreDefaults bool `yaml:"ignore_defaults"`
				Attributes     []struct {
					Action     string   `yaml:"action"`
					Attributes []string `yaml:"attributes"`
				} `yaml:"attributes_config"`
			} `yaml:"resource_attributes"`
		} `yaml:"otlp_config"`
	} `yaml:"limits_config"`
	Schema struct {
		Configs []struct {
			Store string `yaml:"store"`
		} `yaml:"configs"`
	} `yaml:"schema_config"`
}

var known = []string{ //nolint:gochecknoglobals // a constant
	"analytics", "auth_enabled", "chunk_store_config", "common", "compactor", "ingester", "limits_config", "query_range",
	"schema_config", "server",
}

func loadSettings(file string) (settings, error) {
	var s settings
	text, err := os.ReadFile(file)
	if err != nil {
		return s, fmt.Errorf("read configuration: %w", err)
	}
	var top map[string]any
	var c sections
	if err := errors.Join(yaml.Unmarshal(text, &top), yaml.Unmarshal(text, &c)); err != nil {
		return s, fmt.Errorf("parse %q: %w", file, err)
	}
	for key := range top {
		if !slices.Contains(known, key) {
			return s, fmt.Errorf("parse %q: field %s not found", file, key)
		}
	}
	switch {
	case c.AuthEnabled:
		return s, errors.New("auth_enabled: tenants are not known here")
	case len(c.Schema.Configs) == 0:
		return s, errors.New("schema_config: no schema")
	case c.Compactor.RetentionEnabled && c.Compactor.DeleteRequestStore == "":
		return s, errors.New("compactor.delete-request-store should be configured when retention is enabled")
	case c.Common.Storage.Filesystem.Chunks == "":
		return s, errors.New("common.storage: only a file system is known here")
	}
	s.listen, s.directory = ":"+strconv.Itoa(c.Server.Port), c.Common.Storage.Filesystem.Chunks
	if c.Compactor.RetentionEnabled && c.Limits.Retention != "" {
		if s.retention, err = time.ParseDuration(c.Limits.Retention); err != nil {
			return s, fmt.Errorf("limits_config.retention_period: %w", err)
		}
	}
	if !c.Limits.OTLP.Resource.IgnoreDefaults {
		s.labels = []string{"service.name", "service.namespace", "service.instance.id"}
	}
	for _, a := range c.Limits.OTLP.Resource.Attributes {
		if a.Action == "index_label" {
			s.labels = append(s.labels, a.Attributes...)
		}
	}
	return s, nil
}
