package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// releaseToken is part of every child's URN; a renamed one needs an alias.
const releaseToken = "construct:deploy:Release"

// Bundle is one role's rendered release.
type Bundle struct {
	Role    string   // "db"
	Digest  string   // names the release; hex, not computable without the deployment's key
	Summary []string // one line per service for previews: name, image, config digest; no secrets
	Images  []string // references to pull
	Archive []byte   // tar: manifest, compose.yaml, env/, config/ (secret)
	// Migrates says that services of it migrate the database when they start:
	// one that fails may leave it newer than what serves on, and says so.
	Migrates bool
}

// Registry is a login for pulling images.
type Registry struct {
	Server, Username string
	Password         pulumi.StringInput // secret
}

// ReleaseArgs is one release of one host.
type ReleaseArgs struct {
	Host     *Host         // required
	Network  *HostNetwork  // required
	Firewall *HostFirewall // no port is published before it holds; required
	Bundle   Bundle        // required
	// After are the releases that this one needs healthy.
	After      []pulumi.CustomResource
	Registries []Registry
	// HealthTimeoutSeconds bounds the wait for all services to be healthy.
	// Default 180.
	HealthTimeoutSeconds int
	// SoakSeconds is how long a new container of a rolling service must live
	// before it gets requests. 0: it must only be healthy.
	SoakSeconds int
	// Commit is what the bundle was made from, for the host's history.
	// Default none. A change of it alone changes nothing: the commit that
	// first made this bundle is what the history names.
	Commit string
}

const (
	defaultHealthSeconds = 180
	// pullSeconds bounds all pulls of a bundle together.
	pullSeconds = 1200
)

func (a *ReleaseArgs) validate() error {
	var errs []error
	if a.Host == nil || a.Network == nil || a.Firewall == nil {
		errs = append(errs, errors.New("Host, Network, Firewall: required"))
	}
	if a.Bundle.Digest == "" || strings.Trim(a.Bundle.Digest, "0123456789abcdef") != "" {
		errs = append(errs, fmt.Errorf("Bundle.Digest: %q is not hex", a.Bundle.Digest))
	}
	if len(a.Bundle.Archive) == 0 {
		errs = append(errs, errors.New("Bundle.Archive: empty"))
	}
	if a.HealthTimeoutSeconds < 0 || a.SoakSeconds < 0 {
		errs = append(errs, errors.New("HealthTimeoutSeconds, SoakSeconds: negative"))
	}
	for i, r := range a.Registries {
		if r.Server == "" || r.Username == "" || r.Password == nil {
			errs = append(errs, fmt.Errorf("Registries[%d]: server, username and password are required", i))
		}
	}
	return errors.Join(errs...)
}

// Release is a bundle that runs, healthy, on a host.
type Release struct {
	pulumi.ResourceState

	// Digest of the bundle, known once it is healthy.
	Digest pulumi.StringOutput `pulumi:"digest"`

	command pulumi.CustomResource
}

// Healthy is done when the bundle runs, healthy. Whoever waits must wait for it:
// a component stands for those of its children that are registered by then.
func (r *Release) Healthy() pulumi.CustomResource { return r.command }

// NewRelease pulls the bundle's images as soon as the host is set up, and
// starts the bundle once the network is written, the firewall holds, the volume
// has its size and After is done. Children: name-pull, name-commit,
// name-release.
func NewRelease(ctx *pulumi.Context, name string, args *ReleaseArgs, opts ...pulumi.ResourceOption) (*Release, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("release %q: %w", name, err)
	}
	r := &Release{}
	inputs := pulumi.Map{"role": pulumi.String(args.Bundle.Role), "bundle": pulumi.String(args.Bundle.Digest)}
	if err := ctx.RegisterComponentResourceV2(releaseToken, name, inputs, r, opts...); err != nil {
		return nil, fmt.Errorf("register release %q: %w", name, err)
	}
	host := args.Host
	pull, err := newStep(ctx, name+"-pull", step{
		access: host.access, dialErrors: dialErrors, server: host.server, serverID: host.serverID,
		text: args.pullText(), stdin: args.logins(), secret: true,
		parent: r, after: []pulumi.CustomResource{host.setup},
	})
	if err != nil {
		return nil, err
	}
	commit, err := keepCommit(ctx, name, args, pulumi.Parent(r))
	if err != nil {
		return nil, err
	}
	after := append([]pulumi.CustomResource{pull, args.Network.command, args.Firewall.command}, args.After...)
	if host.grown != nil {
		after = append(after, host.grown)
	}
	release, err := newStep(ctx, name+"-release", step{
		access: host.access, dialErrors: dialErrors, server: host.server, serverID: host.serverID,
		text: args.releaseText(commit), stdin: args.payload(), secret: true,
		parent: r, after: after,
	})
	if err != nil {
		return nil, err
	}
	r.command = release
	// The id is known only when the command has run.
	r.Digest = release.ID().ApplyT(func(pulumi.ID) string { return args.Bundle.Digest }).(pulumi.StringOutput)
	if err := ctx.RegisterResourceOutputs(r, pulumi.Map{"digest": r.Digest}); err != nil {
		return nil, fmt.Errorf("register outputs of release %q: %w", name, err)
	}
	return r, nil
}

const releaseScript = "/usr/local/sbin/construct-release"

func (a *ReleaseArgs) pullText() pulumi.StringOutput {
	comment := fmt.Sprintf("pull %d images on %s", len(a.Bundle.Images), a.Host.name)
	prefix := fmt.Sprintf("exec sudo %s pull --timeout %d --", releaseScript, pullSeconds)
	return commandText([]string{comment}, prefix, plain(a.Bundle.Images...)...)
}

func (a *ReleaseArgs) releaseText(commit pulumi.StringInput) pulumi.StringOutput {
	comments := append([]string{fmt.Sprintf("release %s of %s on %s", a.Bundle.Digest, a.Bundle.Role, a.Host.name)}, a.Bundle.Summary...)
	seconds := a.HealthTimeoutSeconds
	if seconds == 0 {
		seconds = defaultHealthSeconds
	}
	words := plain("apply", a.Bundle.Digest, "--health-timeout", strconv.Itoa(seconds), "--soak", strconv.Itoa(a.SoakSeconds))
	if a.Bundle.Migrates {
		words = append(words, pulumi.String("--migrates"))
	}
	words = append(words, pulumi.String("--commit"), commit)
	return commandText(comments, "exec sudo "+releaseScript, words...)
}

// logins is one line per registry: "login SERVER USER BASE64-PASSWORD".
func (a *ReleaseArgs) logins() pulumi.StringInput {
	values := make([]any, len(a.Registries))
	for i, r := range a.Registries {
		values[i] = r.Password
	}
	return pulumi.All(values...).ApplyT(func(passwords []any) string {
		var b strings.Builder
		for i, r := range a.Registries {
			fmt.Fprintf(&b, "login %s %s %s\n", encode([]byte(r.Server)), encode([]byte(r.Username)), encode([]byte(passwords[i].(string))))
		}
		return b.String()
	}).(pulumi.StringOutput)
}

// payload is what construct-release apply reads: header lines, an empty line,
// the archive, packed. The host's own addresses are in it since a release
// publishes its ports on them: when they change, it must run again.
func (a *ReleaseArgs) payload() pulumi.StringInput {
	sum := sha256.Sum256(a.Bundle.Archive)
	return pulumi.Sprintf("addresses %s %s\nsha256 %s\n\n%s\n",
		a.Network.private, a.Network.public, hex.EncodeToString(sum[:]), pack(a.Bundle.Archive))
}
