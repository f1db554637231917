package program

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/roles"
	"github.com/construct-server/infra/stacks"
)

// defaultSSHPort need not be said on a command line.
const defaultSSHPort = 22

// grafana is the catalogue's name of the dashboards.
const grafana = "grafana"

// outputs are what a stack tells its operator. None is secret.
func (b *builder) outputs() pulumi.Map {
	url := b.publicURL()
	out := pulumi.Map{
		"domainName":          pulumi.String(b.cfg.Domain),
		"gatewayUrl":          url,
		"healthCheckUrl":      pulumi.Sprintf("%s/health", url),
		"internalServiceUrls": internalURLs(b.features),
		"fleet":               b.fleetOutput(),
	}
	for _, role := range stacks.Roles(b.features.Media) {
		out[string(role)+"Server"] = b.serverOutput(b.members[role].Nodes()[0])
	}
	if b.features.Media {
		out["grafanaTunnel"] = b.grafanaTunnel()
	}
	if cost := b.monthlyCost(); cost != nil {
		out["monthlyCost"] = cost
	}
	return out
}

func (b *builder) publicURL() pulumi.StringOutput {
	if b.cfg.Domain != "" {
		return pulumi.Sprintf("https://%s", b.cfg.Domain)
	}
	return pulumi.Sprintf("https://%s", b.gateway.PublicIP())
}

func (b *builder) serverOutput(n *roles.Node) pulumi.Map {
	return pulumi.Map{
		"name":       pulumi.String(n.ServerName()),
		"publicIp":   n.PublicIP,
		"privateIp":  n.PrivateIP,
		"sshCommand": pulumi.Sprintf("ssh %s", b.destination(n)),
	}
}

// destination is what ssh is told to reach a node: the gateway at its stable
// address, the others through it.
func (b *builder) destination(n *roles.Node) pulumi.StringOutput {
	user := b.cfg.AdminUser
	port, jumpPort := "", ""
	if p := b.cfg.SSH.Port; p != defaultSSHPort {
		port, jumpPort = fmt.Sprintf("-p %d ", p), fmt.Sprintf(":%d", p)
	}
	if b.cfg.SSH.Direct || n == b.gateway.Nodes()[0] {
		return pulumi.Sprintf("%s%s@%s", port, user, n.PublicIP)
	}
	return pulumi.Sprintf("%s-J %s@%s%s %s@%s", port, user, b.gateway.PublicIP(), jumpPort, user, n.PrivateIP)
}

// grafanaTunnel makes Grafana appear on the operator's own machine. Grafana
// listens on the media server's private address.
func (b *builder) grafanaTunnel() pulumi.StringOutput {
	port := 0
	for _, s := range stacks.Services(stacks.Media, b.features) {
		if s.Name == grafana {
			port = s.Port
		}
	}
	media := b.members[stacks.Media].Nodes()[0]
	return pulumi.Sprintf("ssh -N -L %d:%s:%d %s", port, stacks.Media.Host(), port, b.destination(media))
}

// internalURLs are where services find each other, by service. They hold no
// credentials and lead nowhere from outside.
func internalURLs(f stacks.Features) pulumi.StringMap {
	urls, hosts := pulumi.StringMap{}, map[string]int{}
	for _, role := range stacks.Roles(f.Media) {
		for _, s := range stacks.Services(role, f) {
			hosts[s.Name]++
			if !slices.Contains(s.Private, s.Port) {
				continue
			}
			scheme := "tcp"
			if s.HealthPath != "" || (s.Metrics != "" && s.MetricPort == 0) {
				scheme = "http"
			}
			urls[s.Name] = pulumi.String(scheme + "://" + net.JoinHostPort(role.Host(), strconv.Itoa(s.Port)))
		}
	}
	for name, count := range hosts {
		if count > 1 {
			delete(urls, name) // one on each server, as exporters are
		}
	}
	return urls
}

// monthlyCost adds up what the cloud says the servers cost; nil where it does
// not say.
func (b *builder) monthlyCost() pulumi.Map {
	amount, currency := 0.0, ""
	for _, role := range stacks.Roles(b.features.Media) {
		size := b.size(role)
		if size.PriceMonthly == 0 {
			return nil
		}
		amount += size.PriceMonthly * float64(len(b.members[role].Nodes()))
		currency = size.Currency
	}
	return pulumi.Map{
		"amount":   pulumi.Float64(math.Round(amount*100) / 100),
		"currency": pulumi.String(currency),
		"covers":   pulumi.String("servers, at the cloud's list price; volumes, addresses, traffic and taxes are not included"),
	}
}
