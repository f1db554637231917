package stacks

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"

	"github.com/distribution/reference"
)

// webPorts are the ports on which every host may dial out (firewall.Matrix):
// what the host itself dials there needs no flow of its own.
var webPorts = []int{80, 443} //nolint:gochecknoglobals // a constant

// Outward lists what the deployment dials outside the fleet, as the configuration
// names it: the services' certificate authority, brokers, Vault, push and the
// receivers of alerts; and the registries' ports, which are the hosts' own to
// dial, where they are not the web's. Sorted, each once. An error names the
// setting that has no port to be found.
func Outward(d Deployment) ([]Flow, error) {
	o := outward{}
	for _, role := range Roles(d.Media) {
		for _, s := range Services(role, d.Features()) {
			ref, err := (&renderer{d: d}).image(s)
			if err != nil {
				return nil, err
			}
			o.registry(role, ref)
		}
	}
	o.edge(d)
	o.services(d)
	if d.Media {
		o.receivers(d.Monitoring.Receivers)
	}
	slices.SortFunc(o.flows, func(a, b Flow) int {
		host := map[bool]int{true: 1}
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Port, b.Port), cmp.Compare(host[a.HostOnly], host[b.HostOnly]), cmp.Compare(a.Why, b.Why))
	})
	return mergeFlows(slices.Compact(o.flows)), errors.Join(o.errs...)
}

const httpsPort = 443

// edge is what a domain brings: certificates, and the probe of the public name,
// which has the gateway's public address.
func (o *outward) edge(d Deployment) {
	if d.Domain == "" {
		return
	}
	o.url(Gateway, cmp.Or(d.ACMEDirectory, "https://acme-v02.api.letsencrypt.org/directory"), "certificates")
	o.add(Gateway, 80, "whether a certificate is revoked")
	if d.Media {
		o.add(Media, httpsPort, "the public URL")
	}
}

// services is what the Construct services dial.
func (o *outward) services(d Deployment) {
	for _, role := range []Role{App, Message} {
		if d.Vault != nil {
			o.url(role, d.Vault.Address, "Vault")
		}
		if d.APNs != nil {
			o.add(role, httpsPort, "push")
		}
		if d.Federation != nil {
			o.add(role, httpsPort, "federation")
		}
	}
	for _, broker := range d.Kafka.Brokers {
		o.hostPort(Message, broker, "Kafka brokers")
	}
}

// outward collects flows and errors.
type outward struct {
	flows []Flow
	errs  []error
}

func (o *outward) add(from Role, port int, why string) {
	o.flows = append(o.flows, Flow{From: from, To: Internet, Protocol: "tcp", Port: port, Why: why})
}

// receivers are Alertmanager's; Telegram's address is not a setting.
func (o *outward) receivers(r Receivers) {
	for _, text := range []string{r.WebhookURL, r.HeartbeatURL, r.Slack.WebhookURL} {
		if text != "" {
			o.url(Media, text, "alerts")
		}
	}
	if r.Telegram.BotToken != "" {
		o.add(Media, httpsPort, "alerts")
	}
	if r.Email.Smarthost != "" {
		o.hostPort(Media, r.Email.Smarthost, "alerts by e-mail")
	}
}

// registry admits the port of an image's registry, which has one in its name
// unless it is 443. The host's engine pulls, never a container.
func (o *outward) registry(from Role, ref string) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		o.errs = append(o.errs, fmt.Errorf("image %q: %w", ref, err))
		return
	}
	_, text, err := net.SplitHostPort(reference.Domain(named))
	if err != nil {
		return
	}
	if port, ok := o.number(text, "images", reference.Domain(named)); ok && !slices.Contains(webPorts, port) {
		o.flows = append(o.flows, Flow{From: from, To: Internet, Protocol: "tcp", Port: port, Why: "images", HostOnly: true})
	}
}

func (o *outward) url(from Role, text, why string) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		// The error would quote the URL, which may hold a token.
		o.errs = append(o.errs, fmt.Errorf("%s: not a URL", why))
	case u.Port() != "":
		o.dial(from, u.Port(), why, u.Host)
	case u.Scheme == "http":
		o.add(from, 80, why)
	default:
		o.add(from, httpsPort, why)
	}
}

func (o *outward) hostPort(from Role, text, why string) {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		o.errs = append(o.errs, fmt.Errorf("%s: %w", why, err))
		return
	}
	o.dial(from, port, why, text)
}

func (o *outward) dial(from Role, port, why, where string) {
	if n, ok := o.number(port, why, where); ok {
		o.add(from, n, why)
	}
}

func (o *outward) number(port, why, where string) (n int, ok bool) {
	parsed, err := strconv.ParseUint(port, 10, 16)
	if err != nil || parsed == 0 {
		o.errs = append(o.errs, fmt.Errorf("%s: %s has no port that could be dialled", why, where))
		return 0, false
	}
	return int(parsed), true
}
