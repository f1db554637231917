// Command loki stands in for Grafana Loki, of which Debian has no package. It
// reads the same configuration file and keeps the part of the contract that a
// deployment can be checked by: log records over OTLP, with the resource
// attributes that the configuration names as labels; label and range queries
// with stream selectors and line filters; readiness and metrics. Lines older
// than the retention are gone. Everything else is answered with 404 or 400.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	log.SetPrefix("loki stand-in: ")
	if slices.Contains(os.Args[1:], "-health") {
		os.Exit(health("http://localhost:3100/ready"))
	}
	if err := run(os.Args[1:]); err != nil {
		log.Printf("fatal: %v", err)
		os.Exit(1)
	}
}

// health is the program asking itself how it is: the image has no other.
func health(url string) int {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(url) //nolint:noctx // bounded by the client
	if err != nil {
		log.Print(err)
		return 1
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		log.Print(resp.Status)
		return 1
	}
	return 0
}

func run(args []string) error {
	file := ""
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		if strings.TrimLeft(name, "-") != "config.file" {
			return fmt.Errorf("flag %q is not known here", arg)
		}
		file = value
	}
	s, err := loadSettings(file)
	if err != nil {
		return err
	}
	log.Print("this is not Loki: it answers a part of its API")
	store, err := openStore(s.directory, s.retention)
	if err != nil {
		return err
	}
	server := &http.Server{Addr: s.listen, ReadHeaderTimeout: 10 * time.Second, Handler: newAPI(s, store)}
	return fmt.Errorf("serve: %w", server.ListenAndServe())
}
