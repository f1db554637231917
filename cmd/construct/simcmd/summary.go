package simcmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"github.com/construct-server/infra/e2e/lab"
	"github.com/construct-server/infra/sim/control"
)

// statusTimeout bounds asking one host what runs on it.
const statusTimeout = 15 * time.Second

// summary tells a person what is up and where to look.
func (s state) summary(ctx context.Context, out io.Writer, info control.Info, stack auto.Stack, outputs auto.OutputMap) error {
	servers, err := lab.Servers(outputs)
	if err != nil {
		return err
	}
	seed, err := stack.GetConfigWithOptions(ctx, "construct:secrets.hostKeySeed", &auto.ConfigOptions{Path: true})
	if err != nil {
		return err
	}
	if err := s.writeAccess(info, seed.Value, servers); err != nil {
		return err
	}
	if err := table(out, servers); err != nil {
		return err
	}
	if info.Hosts == "container" {
		target := lab.SSHTarget{KeyPath: s.path("id_ed25519"), HostKeySeed: seed.Value, Port: info.SSHPort, Gateway: servers[0]}
		running(ctx, out, target, servers)
	} else {
		_, _ = fmt.Fprintln(out, "\nhosts are dry: they recorded what they were told, nothing runs on them")
	}
	text := func(name string) string { v, _ := outputs[name].Value.(string); return v }
	_, _ = fmt.Fprintf(out, "\nopen       %s\n", text("gatewayUrl"))
	if info.ACMERootPEM != "" {
		_, _ = fmt.Fprintf(out, "           the name is simulated: curl --cacert .sim/ca.pem --resolve %s:443:%s %s\n",
			text("domainName"), servers[0].PublicIP, text("healthCheckUrl"))
	}
	for _, server := range servers {
		_, _ = fmt.Fprintf(out, "ssh        %s\n", strings.Replace(server.SSHCommand, "ssh ", "ssh -F .sim/ssh_config ", 1))
	}
	_, _ = fmt.Fprintf(out, "pulumi     source .sim/env && pulumi preview --stack %s\n", stack.Name())
	_, _ = fmt.Fprintf(out, "simulator  %s/info, its log .sim/simulator.log\n", info.Control)
	_, _ = fmt.Fprintln(out, "take down  make down")
	return nil
}

// writeAccess writes what the printed commands refer to.
func (s state) writeAccess(info control.Info, seed string, servers []lab.Server) error {
	known, err := lab.KnownHosts(seed, info.SSHPort, servers)
	if err != nil {
		return err
	}
	config := fmt.Sprintf("Host *\n  IdentityFile %s\n  IdentitiesOnly yes\n  UserKnownHostsFile %s\n",
		s.path("id_ed25519"), s.path("known_hosts"))
	for name, content := range map[string]string{
		"ca.pem": info.ACMERootPEM, "known_hosts": known, "ssh_config": config,
	} {
		if err := os.WriteFile(s.path(name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func table(out io.Writer, servers []lab.Server) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "\nserver\tpublic\tprivate\n")
	for _, server := range servers {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", server.Name, server.PublicIP, server.PrivateIP)
	}
	return w.Flush()
}

// running prints what runs on each host, as its own Docker says it.
func running(ctx context.Context, out io.Writer, target lab.SSHTarget, servers []lab.Server) {
	for _, server := range servers {
		_, _ = fmt.Fprintf(out, "\n%s\n", server.Name)
		target.Server = server
		lines, err := containers(ctx, target)
		if err != nil {
			_, _ = fmt.Fprintf(out, "  cannot ask: %v\n", err)
			continue
		}
		for _, line := range lines {
			_, _ = fmt.Fprintf(out, "  %s\n", line)
		}
	}
}

// containers asks a host over SSH, through the gateway, what runs on it.
func containers(ctx context.Context, target lab.SSHTarget) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	client, err := lab.Dial(ctx, target)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	text, err := client.Run(ctx, `sudo docker ps --all --format '{{.Names}}  {{.Status}}' | sort`)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSpace(text), "\n"), nil
}
