package deploy

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// hostToken is part of every child's URN; a renamed one needs an alias.
const hostToken = "construct:deploy:Host"

// HostArgs is what it takes to set a booted server up.
type HostArgs struct {
	Name     string                // the cloud's name of the server, for messages: "construct-prod-db-1"; required
	Access   Access                // required
	Server   pulumi.CustomResource // the server; its deletion is the commands' deletion; required
	ServerID pulumi.StringInput    // the cloud's id; a new one means a new machine; required
	// Gateway is the host that Access.Proxy dials; nil when dialled directly.
	// It tells, in our own words, when this host does not answer or shows
	// another host key, which the provider's proxy connection cannot.
	Gateway *Host
	// SetupAfter must exist before set-up: the volume's attachment.
	SetupAfter []pulumi.CustomResource
	// Device is the data volume's /dev/disk/by-id path; nil: no volume.
	Device pulumi.StringInput
	// VolumeGB is the data volume's size; required with Device.
	VolumeGB int
	// NetworkCIDR is kept clear of Docker's own networks; required.
	NetworkCIDR netip.Prefix
	// DockerMTU is the containers' MTU: at most the private network's
	// (1450 on Hetzner). Default 1500.
	DockerMTU int
	// SwapMB is the swap file's size on hosts with less than 4 GB of memory;
	// 0: none.
	SwapMB int
	// AuthorizedKeys are the keys that log in, in authorized_keys format, all of
	// them; required.
	AuthorizedKeys []string
	HostKeys       HostKeys // Access.HostKey is the pinned one; required
	// Hardening says who dials the host, what it passes on, when it may reboot.
	Hardening Hardening
	// BootTimeoutSeconds bounds the wait for SSH, and again the wait for
	// cloud-init. Default 300.
	BootTimeoutSeconds int
}

const (
	defaultMTU         = 1500
	defaultBootSeconds = 300
	// timeoutSlack lets a script end with its own words before timeout(1)
	// ends it without any.
	timeoutSlack = 30
)

func (a *HostArgs) validate() error {
	var errs []error
	if a.Name == "" {
		errs = append(errs, errors.New("Name: empty"))
	}
	if a.Access.Host == nil || a.Access.User == "" || a.Access.HostKey == "" {
		errs = append(errs, errors.New("Access: host, user and host key are required"))
	}
	if a.HostKeys.Pinned != a.Access.HostKey {
		errs = append(errs, errors.New("HostKeys: not those of Access"))
	}
	errs = append(errs, checkKeys(a.AuthorizedKeys)...)
	if a.Server == nil || a.ServerID == nil {
		errs = append(errs, errors.New("Server: resource and id are required"))
	}
	if !a.NetworkCIDR.IsValid() {
		errs = append(errs, errors.New("NetworkCIDR: missing"))
	}
	if a.DockerMTU < 0 || a.SwapMB < 0 || a.BootTimeoutSeconds < 0 {
		errs = append(errs, errors.New("DockerMTU, SwapMB, BootTimeoutSeconds: negative"))
	}
	if (a.Device != nil) != (a.VolumeGB > 0) {
		errs = append(errs, fmt.Errorf("Device, VolumeGB: %d GB (want both or neither)", a.VolumeGB))
	}
	return errors.Join(errs...)
}

// Host is a server that runs Docker and takes releases.
type Host struct {
	pulumi.ResourceState

	name     string
	access   Access
	server   pulumi.CustomResource
	serverID pulumi.StringInput
	mtu      int
	ready    pulumi.CustomResource
	setup    pulumi.CustomResource
	admitted pulumi.CustomResource // who may log in, and the host's own keys
	grown    pulumi.CustomResource // nil: no volume
}

// NewHost waits until the server answers and has booted, then sets it up.
// Children: name-reach (only behind a gateway), name-ready, name-setup,
// name-access, name-grow (only with a volume).
func NewHost(ctx *pulumi.Context, name string, args *HostArgs, opts ...pulumi.ResourceOption) (*Host, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("host %q: %w", name, err)
	}
	h := &Host{name: args.Name, access: args.Access, server: args.Server, serverID: args.ServerID, mtu: args.DockerMTU}
	if h.mtu == 0 {
		h.mtu = defaultMTU
	}
	inputs := pulumi.Map{"name": pulumi.String(args.Name)}
	if err := ctx.RegisterComponentResourceV2(hostToken, name, inputs, h, opts...); err != nil {
		return nil, fmt.Errorf("register host %q: %w", name, err)
	}
	after, err := h.reach(ctx, name, args)
	if err != nil {
		return nil, err
	}
	if err := h.waitReady(ctx, name, args, after); err != nil {
		return nil, err
	}
	if err := h.setUp(ctx, name, args); err != nil {
		return nil, err
	}
	if err := h.admit(ctx, name, args); err != nil {
		return nil, err
	}
	if err := h.grow(ctx, name, args); err != nil {
		return nil, err
	}
	if err := ctx.RegisterResourceOutputs(h, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("register outputs of host %q: %w", name, err)
	}
	return h, nil
}

// Ready is done when the host has booted and answers SSH.
func (h *Host) Ready() pulumi.CustomResource { return h.ready }

// reach waits, on the gateway, for the host's sshd and compares its key.
func (h *Host) reach(ctx *pulumi.Context, name string, args *HostArgs) ([]pulumi.CustomResource, error) {
	if args.Gateway == nil {
		return nil, nil
	}
	body, err := script("reach.sh")
	if err != nil {
		return nil, err
	}
	seconds := args.bootSeconds()
	words := append(plain(args.Name), args.Access.Host)
	words = append(words, plain(strconv.Itoa(args.Access.port()), strconv.Itoa(seconds), args.Access.HostKey)...)
	reach, err := newStep(ctx, name+"-reach", step{
		access: args.Gateway.access, dialErrors: dialErrors, server: args.Server, serverID: args.ServerID,
		text: commandText([]string{"wait until " + args.Name + " answers SSH"},
			fmt.Sprintf("exec timeout %d bash -s --", seconds+timeoutSlack), words...),
		stdin: pulumi.String(body), parent: h, after: []pulumi.CustomResource{args.Gateway.ready},
	})
	if err != nil {
		return nil, err
	}
	return []pulumi.CustomResource{reach}, nil
}

func (h *Host) waitReady(ctx *pulumi.Context, name string, args *HostArgs, after []pulumi.CustomResource) error {
	body, err := script("ready.sh")
	if err != nil {
		return err
	}
	seconds := args.bootSeconds()
	limit := bootDialErrors
	if args.Gateway != nil {
		limit = dialErrors // reach has waited
	}
	h.ready, err = newStep(ctx, name+"-ready", step{
		access: args.Access, dialErrors: limit, server: args.Server, serverID: args.ServerID,
		text: commandText([]string{"wait until " + args.Name + " has booted"},
			fmt.Sprintf("exec timeout %d bash -s --", seconds+timeoutSlack), plain(args.Name, strconv.Itoa(seconds))...),
		stdin: pulumi.String(body), parent: h, after: after,
	})
	return err
}

func (h *Host) setUp(ctx *pulumi.Context, name string, args *HostArgs) error {
	tree, err := scriptTree()
	if err != nil {
		return err
	}
	text, err := args.setupText(digest(tree))
	if err != nil {
		return fmt.Errorf("set up host %q: %w", name, err)
	}
	h.setup, err = newStep(ctx, name+"-setup", step{
		access: args.Access, dialErrors: dialErrors, server: args.Server, serverID: args.ServerID,
		text: text, stdin: pulumi.String(pack(tree)), parent: h,
		after: append([]pulumi.CustomResource{h.ready}, args.SetupAfter...),
	})
	return err
}

// unpackSetup skips the line with the server's id, unpacks the scripts and
// runs the set-up with the arguments that follow.
const unpackSetup = `exec sudo bash -c 'read -r _ && d=$(mktemp -d -p /run) && base64 -d | tar -xz -C "$d" && exec bash "$d/setup.sh" "$@"' setup`

func (a *HostArgs) setupText(scripts string) (pulumi.StringOutput, error) {
	pool, err := dockerPool(a.NetworkCIDR)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	mtu := a.DockerMTU
	if mtu == 0 {
		mtu = defaultMTU
	}
	words := plain("--name", a.Name, "--docker-pool", pool.String(), "--mtu", strconv.Itoa(mtu), "--swap-mb", strconv.Itoa(a.SwapMB))
	words = append(words, plain(a.hardeningWords()...)...)
	if a.Device != nil {
		words = append(words, pulumi.String("--device"), a.Device)
	}
	comment := fmt.Sprintf("set up %s (scripts %s)", a.Name, scripts)
	return commandText([]string{comment}, unpackSetup, words...), nil
}

// dockerPools are where Docker may take its bridges' networks from. None is
// used by the clouds on a server's interfaces: DigitalOcean has its anchor and
// default networks in 10.0.0.0/8, Hetzner its gateway at 172.31.1.1.
var dockerPools = [...]string{"172.24.0.0/16", "192.168.192.0/18", "172.20.0.0/16"}

// dockerPool picks the first pool that does not overlap the private network.
func dockerPool(private netip.Prefix) (netip.Prefix, error) {
	for _, p := range dockerPools {
		pool := netip.MustParsePrefix(p)
		if !pool.Overlaps(private) {
			return pool, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("choose Docker's address pool: %s overlaps all of %v", private, dockerPools)
}

func (a *HostArgs) bootSeconds() int {
	if a.BootTimeoutSeconds == 0 {
		return defaultBootSeconds
	}
	return a.BootTimeoutSeconds
}
