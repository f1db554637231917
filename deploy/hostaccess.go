package deploy

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"golang.org/x/crypto/ssh"
)

// admit makes the configured keys the only ones that log in, and gives the host
// its own. It is a step of its own, so that a change of operators is one short
// command on each host, and the host's private keys are in no other.
func (h *Host) admit(ctx *pulumi.Context, name string, args *HostArgs) error {
	fingerprints, err := args.HostKeys.fingerprints()
	if err != nil {
		return fmt.Errorf("admit operators to host %q: %w", name, err)
	}
	// A preview cuts long lines: who comes and who goes is in comments.
	comments := []string{"who logs in on " + args.Name + ", and its host keys"}
	words := []string{"--admin", args.Access.User}
	for _, f := range fingerprints {
		comments = append(comments, "host key "+f)
		words = append(words, "--host-key", f)
	}
	for _, line := range trimmed(args.AuthorizedKeys) {
		key, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return fmt.Errorf("admit operators to host %q: %w", name, err)
		}
		comments = append(comments, strings.TrimSpace("login "+ssh.FingerprintSHA256(key)+" "+comment))
		words = append(words, "--key", line)
	}
	h.admitted, err = newStep(ctx, name+"-access", step{
		access: args.Access, dialErrors: dialErrors, server: args.Server, serverID: args.ServerID,
		text:   commandText(comments, "exec sudo /usr/local/sbin/construct-access", plain(words...)...),
		stdin:  pulumi.String(args.HostKeys.Main.PrivatePEM + args.HostKeys.Spare.PrivatePEM),
		secret: true, parent: h, after: []pulumi.CustomResource{h.setup},
	})
	return err
}
