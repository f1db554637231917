// Command construct stands in for the Construct Server image where the real
// one cannot be had: one program that is each of the seven services,
// depending on the name it is called by (or on its first argument).
//
// It keeps the contract of release 0.7.0: fatal variables, ports, start order,
// static health answers, trust in X-User-Id, the way of a message from HTTP
// through Kafka to a Redis stream, and the real services' flaws that a
// deployment has to live with. It does no cryptography for messages and sends
// no push notifications. Every answer carries X-Construct-Service and
// X-Construct-Version, and the user, device and client address that it was given
// in X-Construct-User, -Device and -Client; those of the real services do not.
//
// CONSTRUCT_SIM_VERSION names the release it claims to be. CONSTRUCT_SIM_FAULT
// breaks it: "broken-exit" ends at once, "broken-health" serves 500 on /health*,
// "broken-later" ends after 20 s, "broken-memory" then takes all the memory it
// gets, "broken-logs" is never healthy and prints 100 MB about it.
package main

import (
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/construct-server/infra/sim/construct/settings"
	"github.com/construct-server/infra/sim/construct/web"
)

func main() {
	service, err := serviceName(os.Args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	log.SetPrefix(service + ": ")
	log.SetFlags(log.LstdFlags | log.Lmsgprefix)
	ignoreSignalsAsInit()
	id := web.Identity{
		Service: service,
		Version: or(os.Getenv("CONSTRUCT_SIM_VERSION"), "0.7.0"),
		Fault:   os.Getenv("CONSTRUCT_SIM_FAULT"),
	}
	if id.Fault == "broken-exit" {
		log.Print("fatal: this release is broken (CONSTRUCT_SIM_FAULT=broken-exit)")
		os.Exit(1)
	}
	conf, err := settings.Load(service, os.Getenv)
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			log.Printf("fatal: %s", line)
		}
		os.Exit(1)
	}
	log.Printf("starting %s %s", service, id.Version)
	go misbehave(id.Fault)
	if err := run(conf, id); err != nil {
		log.Printf("fatal: %v", err)
		os.Exit(1)
	}
}

// serviceName is the base name of argv[0], or the first argument.
func serviceName(args []string) (string, error) {
	if name := filepath.Base(args[0]); slices.Contains(settings.Services(), name) {
		return name, nil
	}
	if len(args) > 1 && slices.Contains(settings.Services(), args[1]) {
		return args[1], nil
	}
	return "", fmt.Errorf("name the service to run (want one of %s)", strings.Join(settings.Services(), ", "))
}

// ignoreSignalsAsInit makes this process 1 behave as one without signal
// handlers does: the kernel drops its SIGTERM, and only SIGKILL ends it.
// Under another init the default holds, and SIGTERM kills at once.
func ignoreSignalsAsInit() {
	if os.Getpid() == 1 {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	}
}

func or(v, fallback string) string {
	if v == "" {
		return fallback
	}
	return v
}
