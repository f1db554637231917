package main

import (
	"log"
	"os"
	"strings"
	"time"
)

// healthyFor is how long a release lives that only seems to be well.
const healthyFor = 20 * time.Second

// misbehave breaks a release that has started well.
func misbehave(fault string) {
	switch fault {
	case "broken-later":
		time.Sleep(healthyFor)
		log.Print("fatal: this release is broken (CONSTRUCT_SIM_FAULT=broken-later)")
		os.Exit(3)
	case "broken-memory":
		time.Sleep(healthyFor)
		log.Print("this release takes memory without end (CONSTRUCT_SIM_FAULT=broken-memory)")
		for taken := [][]byte{}; ; {
			taken = append(taken, []byte(strings.Repeat("x", 1<<20)))
		}
	case "broken-logs":
		line := strings.Repeat("this release talks too much ", 36)
		for range 100_000 {
			log.Print(line)
		}
	}
}
