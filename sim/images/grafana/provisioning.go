package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// source is a provisioned data source, with the field names of the API.
type source struct {
	ID        int    `yaml:"-" json:"id"`
	UID       string `yaml:"uid" json:"uid"`
	Name      string `yaml:"name" json:"name"`
	Type      string `yaml:"type" json:"type"`
	Access    string `yaml:"access" json:"access"`
	URL       string `yaml:"url" json:"url"`
	IsDefault bool   `yaml:"isDefault" json:"isDefault"`
	ReadOnly  bool   `yaml:"-" json:"readOnly"`
}

// dashboard is a provisioned dashboard.
type dashboard struct {
	UID, Title string
	Folder     folder
	JSON       json.RawMessage
}

// folder is where a provider's dashboards are.
type folder struct {
	Title string `yaml:"folder"`
	UID   string `yaml:"folderUid"`
}

type provisioned struct {
	sources    []source
	dashboards []dashboard
}

// loadProvisioning reads what Grafana reads at start. A broken data source
// file is fatal there, and so here; a broken dashboard is only logged.
func loadProvisioning(dir string, getenv func(string) string) (*provisioned, error) {
	p := &provisioned{}
	err := eachYAML(filepath.Join(dir, "datasources"), getenv, func(path string, raw []byte) error {
		var doc struct {
			Datasources []source `yaml:"datasources"`
		}
		if err := yaml.Unmarshal(raw, &doc); err != nil {
			return fmt.Errorf("parse %q: %w", path, err)
		}
		for _, s := range doc.Datasources {
			if s.Name == "" || s.Type == "" {
				return fmt.Errorf("parse %q: a data source has no name or no type", path)
			}
			s.ID, s.ReadOnly = len(p.sources)+1, true
			s.UID = or(s.UID, strings.ToLower(s.Name))
			p.sources = append(p.sources, s)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, eachYAML(filepath.Join(dir, "dashboards"), getenv, func(path string, raw []byte) error {
		var doc struct {
			Providers []struct {
				folder  `yaml:",inline"`
				Type    string `yaml:"type"`
				Options struct {
					Path string `yaml:"path"`
				} `yaml:"options"`
			} `yaml:"providers"`
		}
		if err := yaml.Unmarshal(raw, &doc); err != nil {
			return fmt.Errorf("parse %q: %w", path, err)
		}
		for _, provider := range doc.Providers {
			p.loadDashboards(provider.Options.Path, provider.folder)
		}
		return nil
	})
}

func (p *provisioned) loadDashboards(dir string, in folder) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var head struct{ UID, Title string }
		if err := json.Unmarshal(raw, &head); err != nil || head.Title == "" {
			log.Printf("dashboard %s is not loaded: no title in it, or no JSON: %v", path, err)
			return nil
		}
		head.UID = or(head.UID, strings.TrimSuffix(filepath.Base(path), ".json"))
		p.dashboards = append(p.dashboards, dashboard{head.UID, head.Title, in, raw})
		return nil
	})
	if err != nil {
		log.Printf("dashboards of %s are not loaded: %v", dir, err)
	}
}

// eachYAML calls do for every YAML file in dir, in order, with environment
// variables put in.
func eachYAML(dir string, getenv func(string) string, do func(path string, raw []byte) error) error {
	var files []string
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return fmt.Errorf("list %q: %w", dir, err)
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return fmt.Errorf("read provisioning: %w", err)
		}
		if err := do(f, []byte(os.Expand(string(raw), getenv))); err != nil {
			return err
		}
	}
	return nil
}
