package sim

import (
	"errors"
	"io"
	"net/http"

	"github.com/construct-server/infra/sim/api"
	"github.com/construct-server/infra/sim/host"
	"github.com/construct-server/infra/sim/pki"
)

// The ports beside container hosts, where every host reaches them. Beside dry
// hosts, which run nothing, the ports are free ones on the loopback.
const (
	dnsPort      = "53"
	registryPort = "5000"
	acmePort     = "14000"
	freePort     = "0"
)

// Default SSH ports. A dry host has no right to port 22.
const (
	containerSSHPort = 22
	drySSHPort       = 2222
)

// Options configure a Simulator.
type Options struct {
	// Backend runs the hosts. Required. The Simulator owns it: Close closes it.
	Backend host.Backend
	// Listen is the address of both APIs and of /_sim/; default 127.0.0.1:0.
	Listen string
	// Services is the address on which DNS, ACME and the registry listen;
	// default: the first of the backend's public range for container hosts,
	// the loopback for dry ones.
	Services string
	// SSHPort is told to whoever asks; default 22 for container hosts, 2222
	// for dry ones.
	SSHPort int
	// Speed defaults to api.RealSpeed.
	Speed *api.Speed
	// Registry is served over HTTPS when given.
	Registry http.Handler
	// CA signs the registry's and the ACME directory's certificates; made when
	// nil. Give it when hosts must trust it from the start.
	CA *pki.CA
	// ACME runs an ACME directory beside dry hosts too. Container hosts always
	// have one.
	ACME bool
	// RequestsPerHour overrides both clouds' request budgets.
	RequestsPerHour int
	// Log receives what the simulator could not do and what Pebble says;
	// default: discarded.
	Log io.Writer
}

func (o *Options) defaults() error {
	if o.Backend == nil {
		return errors.New("no host backend given")
	}
	container := o.Backend.Kind() == "container"
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Services == "" {
		o.Services = "127.0.0.1"
		if container {
			o.Services = o.Backend.PublicPrefix().Masked().Addr().Next().String()
		}
	}
	if o.SSHPort == 0 {
		o.SSHPort = drySSHPort
		if container {
			o.SSHPort = containerSSHPort
		}
	}
	if o.Speed == nil {
		speed := api.RealSpeed()
		o.Speed = &speed
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.CA == nil {
		ca, err := pki.New()
		if err != nil {
			return err
		}
		o.CA = ca
	}
	o.ACME = o.ACME || container
	return nil
}
