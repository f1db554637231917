// Command broker stands in for the Redpanda image: one program that is both
// rpk and redpanda, speaking the Kafka protocol through franz-go's kfake.
//
// What is real: topics, partitions, offsets, consumer groups, persistence to
// the data directory, the advertised address, automatic topic creation (off
// unless set), the admin and metrics port, and rpk's commands for all that.
// What is not: replication, Raft, authentication, memory and core limits,
// which are accepted and have no effect. A flag, property or command that is
// not known here ends in an error rather than in a silent difference.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	args := os.Args[1:]
	if filepath.Base(os.Args[0]) == "redpanda" {
		args = append([]string{"redpanda"}, args...)
	}
	root := newRPK()
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
