// Command grafana stands in for Grafana, of which Debian has no package. It
// reads the same settings and provisioning files and answers the same HTTP
// API for what a deployment can be checked by: health, login by basic
// authentication, provisioned data sources (and queries through them) and
// provisioned dashboards. It draws nothing: its page says so.
//
// Like Grafana it takes the administrator's password from its settings only
// when its database is new; later it is kept in the data directory.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	log.SetPrefix("grafana stand-in: ")
	if err := run(); err != nil {
		log.Printf("fatal: %v", err)
		os.Exit(1)
	}
}

func run() error {
	s, err := loadSettings(os.Getenv)
	if err != nil {
		return err
	}
	log.Print("this is not Grafana: it answers a part of its API and draws nothing")
	for _, k := range slices.Sorted(mapKeys(s.ignored)) {
		log.Printf("setting %s has no effect here", k)
	}
	password, err := keepPassword(filepath.Join(s.data, "grafana.db"), s.adminPassword)
	if err != nil {
		return err
	}
	p, err := loadProvisioning(s.provisioning, os.Getenv)
	if err != nil {
		return err
	}
	log.Printf("%d data sources and %d dashboards are provisioned; listening on %s", len(p.sources), len(p.dashboards), s.listen)
	server := &http.Server{
		Addr: s.listen, ReadHeaderTimeout: 10 * time.Second,
		Handler: newAPI(s, password, p),
	}
	return fmt.Errorf("serve: %w", server.ListenAndServe())
}
