package firewall

import (
	"fmt"
	"strings"

	"github.com/construct-server/infra/stacks"
)

// Markdown is docs/firewall.md: the matrix of a whole deployment, and what
// the options change in it.
func Markdown() string {
	base := func(change func(*stacks.Deployment)) Options {
		d := stacks.Deployment{
			Domain: "chat.example.com", Media: true,
			Release: stacks.Image{Repository: "ghcr.io/construct-server/construct-server", Tag: "0.7.0"},
		}
		change(&d)
		outward, err := stacks.Outward(d)
		if err != nil {
			panic(err) // unreachable: the settings are these
		}
		return Options{SSHPort: 22, Features: d.Features(), Outward: outward}
	}
	full := base(func(*stacks.Deployment) {})
	direct := full
	direct.SSHDirect = true

	var b strings.Builder
	b.WriteString(`# Who may talk to whom

<!-- Generated from firewall.Matrix by "make golden". Do not edit. -->

This is every flow that is admitted; all else is dropped, inbound and outbound,
on IPv4 and IPv6. Answers to an admitted flow need no row of their own. The
table is the only place where a port is opened: the cloud's firewalls and every
host's own are made from it. "internet" is any address, "operators" are
` + "`ssh.allowedCidrs`" + `, on ` + "`ssh.port`" + ` (22 unless configured). Rows between roles
speak of private addresses. A row from a role is for its servers and their
containers; one from "hosts" is what the host itself dials, and its containers do not.

`)
	writeTable(&b, Matrix(full))
	b.WriteString(`
DigitalOcean's firewall names its peers by tag. Hetzner's does not see the private
network at all: there it holds the rows from and to addresses only. The hosts' own
hold every row on both: [security.md](security.md#what-each-layer-guarantees).

This is a deployment with a domain, whose authority and images are on the web's
ports. What the configuration names beside that adds rows: for its hosts the port of a
registry or image mirror, for the services that dial it that of ` + "`acme.directory`,\n`vault.address`, `kafka.brokers`, `monitoring.receivers`" + `, Apple's or another server's.
`)
	for _, c := range []struct {
		title string
		after Options
	}{
		{"`roles.media.enabled: false`", base(func(d *stacks.Deployment) { d.Media = false })},
		{"`logs.enabled: true`", base(func(d *stacks.Deployment) { d.Logs.Enabled = true })},
		{"No domain", base(func(d *stacks.Deployment) { d.Domain = "" })},
		{"External brokers (`kafka.brokers`) on port 9093", base(func(d *stacks.Deployment) { d.Kafka.Brokers = []string{"broker.example.com:9093"} })},
		{"Push (`apns`)", base(func(d *stacks.Deployment) { d.APNs = &stacks.APNs{} })},
		{"`vault.address` on port 8200", base(func(d *stacks.Deployment) { d.Vault = &stacks.Vault{Address: "https://vault.example.com:8200"} })},
		{"Federation", base(func(d *stacks.Deployment) { d.Federation = &stacks.Federation{} })},
		{"Alerts by e-mail on port 587", base(func(d *stacks.Deployment) { d.Monitoring.Receivers.Email.Smarthost = "smtp.example.com:587" })},
		{"Two token key pairs (`secrets.jwtPreviousPublicKey`)", base(func(d *stacks.Deployment) { d.Secrets.JWTPreviousPublicKey = "set" })},
		{"`ssh.direct: true`", direct},
		{"An image mirror on port 5000", base(func(d *stacks.Deployment) { d.ImageMirror = "mirror.example.com:5000" })},
	} {
		writeDifference(&b, c.title, full, c.after)
	}
	return b.String()
}

func writeTable(b *strings.Builder, rows []Row) {
	b.WriteString("| from | to | protocol | port | why |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", r.dialler(), r.To, r.Protocol, r.PortName(), r.Why)
	}
}

func writeDifference(b *strings.Builder, title string, before, after Options) {
	gone, added := difference(Matrix(before), Matrix(after)), difference(Matrix(after), Matrix(before))
	fmt.Fprintf(b, "\n## %s\n", title)
	if len(gone) > 0 {
		b.WriteString("\nThese rows are not there:\n\n")
		writeTable(b, gone)
	}
	if len(added) > 0 {
		b.WriteString("\nThese rows are added:\n\n")
		writeTable(b, added)
	}
}

// difference lists what is in a and not in b.
func difference(a, b []Row) []Row {
	in := map[Row]bool{}
	for _, r := range b {
		in[r] = true
	}
	var only []Row
	for _, r := range a {
		if !in[r] {
			only = append(only, r)
		}
	}
	return only
}
