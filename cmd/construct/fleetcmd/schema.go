package fleetcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/construct-server/infra/deploy"
)

const (
	// targetCommand has a host tell what a rollback would go back to.
	targetCommand = "exec sudo /usr/local/sbin/construct-release target"
	// checkCommand has the database's host tell whether versions would start.
	checkCommand = "exec sudo /usr/local/sbin/construct-schema check"
	// codeRefused is how it says no.
	codeRefused = 3
)

// askSchema asks the database's host whether the releases that hosts would go
// back to would start on the schema as it is. Only its no is an error: where
// nobody can tell, the hosts find out, and put back what ran.
func (d *dialer) askSchema(ctx context.Context, hosts []host, digest string, errOut io.Writer) error {
	command := checkCommand
	for _, h := range hosts { // mostly all the same
		pairs, err := d.migrators(ctx, h, digest)
		if err != nil {
			fmt.Fprintf(errOut, "%s: whether the database is newer than what it goes back to is not known: %v\n", h.Name, err)
			return nil
		}
		for _, pair := range pairs {
			word, err := deploy.Quote(pair)
			if err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
			if !strings.Contains(command+" ", " "+word+" ") {
				command += " " + word
			}
		}
	}
	database := d.fleet.role("db")
	if command == checkCommand || len(database) == 0 {
		return nil
	}
	said, err := d.output(ctx, database[0], command)
	var ended *exit
	if errors.As(err, &ended) && ended.code == codeRefused {
		fmt.Fprint(errOut, said)
		return coded(codeRefused, errors.New("refused: the database is newer; nothing was changed"))
	}
	if err != nil {
		fmt.Fprintf(errOut, "%s%s: whether the database is newer than what it goes back to is not known: %v\n", said, database[0].Name, err)
	}
	return nil
}

// migrators are the services of a host that migrate the database, each with the
// image that it would go back to, as construct-schema takes them.
func (d *dialer) migrators(ctx context.Context, h host, digest string) ([]string, error) {
	if !slices.ContainsFunc(h.Services, func(s service) bool { return s.Migrates }) {
		return nil, nil
	}
	out, err := d.output(ctx, h, strings.TrimSpace(targetCommand+" "+digest))
	var ended *exit
	if errors.As(err, &ended) && ended.err == nil {
		return nil, fmt.Errorf("construct-release target ended with exit code %d: %s (a host of an earlier version lacks it: pulumi up)",
			ended.code, lastLine(out))
	}
	if err != nil {
		return nil, err
	}
	var pairs []string
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "service" {
			continue
		}
		if slices.ContainsFunc(h.Services, func(s service) bool { return s.Name == words[1] && s.Migrates }) {
			pairs = append(pairs, words[1]+"="+words[2])
		}
	}
	return pairs, nil
}

// output is all that a command prints, whatever becomes of it.
func (d *dialer) output(ctx context.Context, h host, command string) (string, error) {
	// Two: the SSH client writes to both at once, and a buffer takes one writer.
	var out, errOut bytes.Buffer
	err := d.run(ctx, h, command, streams{out: &out, err: &errOut})
	return out.String() + errOut.String(), err
}
