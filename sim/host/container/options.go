package container

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
)

// DefaultPrefix is half of TEST-NET-2 (RFC 5737), of which no address is
// anybody's; the other half is left for a second simulator.
const DefaultPrefix = "198.51.100.0/25"

// Options configures a Backend.
type Options struct {
	// Image is the host image, from sim/images/host.Ensure. Required.
	Image string
	// Instance tells this simulator's things from another's on the machine:
	// [a-z0-9]{1,20}. Default "sim".
	Instance string
	// Prefix is the public range, IPv4. Its first address is the machine's, on
	// which the simulator's own servers listen. Default DefaultPrefix.
	Prefix netip.Prefix
	// SSHPort is the port that RefuseSSH closes besides 22.
	SSHPort int
	// Resolver is the hosts' name server. Default: the machine's address.
	Resolver netip.Addr
	// RegistryAddr ("198.51.100.1:5000") and RegistryCA (PEM): the hosts' Docker
	// trusts that registry. Default: none.
	RegistryAddr string
	RegistryCA   []byte
	// ExtraCACerts (PEM) join the hosts' system trust store.
	ExtraCACerts []byte
	// Log receives what an operator would want to know. Default: discarded.
	Log *slog.Logger
}

var instances = regexp.MustCompile(`^[a-z0-9]{1,20}$`)

func (o *Options) complete() error {
	if o.Instance == "" {
		o.Instance = "sim"
	}
	if !o.Prefix.IsValid() {
		o.Prefix = netip.MustParsePrefix(DefaultPrefix)
	}
	o.Prefix = o.Prefix.Masked()
	if !o.Resolver.IsValid() {
		o.Resolver = o.Prefix.Addr().Next()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var errs []error
	if o.Image == "" {
		errs = append(errs, errors.New("Image: required"))
	}
	if !instances.MatchString(o.Instance) {
		errs = append(errs, fmt.Errorf("Instance: %q (want %s)", o.Instance, instances))
	}
	if !o.Prefix.Addr().Is4() || o.Prefix.Bits() > 27 {
		errs = append(errs, fmt.Errorf("Prefix: %s (want an IPv4 prefix of at most 27 bits)", o.Prefix))
	}
	if (o.RegistryAddr == "") != (len(o.RegistryCA) == 0) {
		errs = append(errs, errors.New("RegistryAddr, RegistryCA: want both or neither"))
	}
	return errors.Join(errs...)
}

// Names of what the engine holds for an instance. The engine makes the network
// whose name sorts first the default route: internet comes before net.
func (o *Options) publicNetwork() string           { return "csim-" + o.Instance + "-internet" }
func (o *Options) privateNetwork(id string) string { return "csim-" + o.Instance + "-net-" + id }
func (o *Options) container(hostID string) string  { return "csim-" + o.Instance + "-" + hostID }
func (o *Options) dockerRoot(hostID string) string { return o.container(hostID) + "-docker" }
