package container

import (
	"bufio"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/construct-server/infra/sim/host"
)

// started and ended are what sshd 9.2 logs at LogLevel VERBOSE.
var (
	started = regexp.MustCompile(`^Starting session: (?:command|forced-command|subsystem) .*?for (\S+) from `)
	ended   = regexp.MustCompile(`^(?:Close session|Received disconnect|Disconnected from|Connection closed)`)
)

// Commands lists the commands that came over SSH, from the host's journal:
// user, start and, once its connection has ended, duration. The journal knows
// neither their text nor their exit status. While the host is off it is what
// was known last.
func (b *Backend) Commands(ctx context.Context, hostID string) ([]host.Command, error) {
	var commands []host.Command
	err := b.change(hostID, "list commands of", func(m *machine) error {
		if m.on {
			out, err := docker(ctx, nil, "exec", m.name, "journalctl", "--unit", "ssh", "--output", "json",
				"--output-fields", "MESSAGE,_PID", "--no-pager")
			if err != nil {
				return err
			}
			m.commands = parseJournal(out)
		}
		commands = slices.Clone(m.commands)
		return nil
	})
	return commands, err
}

func parseJournal(text string) []host.Command {
	var commands []host.Command
	open := map[string]int{} // sshd process → its command without an end
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		var entry struct {
			Message string `json:"MESSAGE"`
			PID     string `json:"_PID"`
			Time    string `json:"__REALTIME_TIMESTAMP"` // µs
		}
		if json.Unmarshal(lines.Bytes(), &entry) != nil {
			continue // a message that is not text
		}
		micros, err := strconv.ParseInt(entry.Time, 10, 64)
		if err != nil {
			continue
		}
		at := time.UnixMicro(micros)
		if found := started.FindStringSubmatch(entry.Message); found != nil {
			open[entry.PID] = len(commands)
			commands = append(commands, host.Command{Time: at, User: found[1]})
		} else if n, ok := open[entry.PID]; ok && ended.MatchString(entry.Message) {
			commands[n].Elapsed = at.Sub(commands[n].Time)
			delete(open, entry.PID)
		}
	}
	return commands
}
