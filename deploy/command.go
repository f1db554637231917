package deploy

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-command/sdk/go/command/remote"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// step is one remote command of this package.
type step struct {
	access     Access
	dialErrors int
	server     pulumi.CustomResource
	serverID   pulumi.StringInput
	text       pulumi.StringInput // visible, free of secrets; see commandText
	stdin      pulumi.StringInput // what the text's script reads after its first line
	secret     bool               // stdin is secret, and so is what the command prints
	parent     pulumi.Resource
	// after is what must be done first. Never components: which children the SDK
	// takes one to stand for depends on how many it has registered by then.
	after []pulumi.CustomResource
}

func (s step) dependencies() []pulumi.Resource {
	all := []pulumi.Resource{s.server}
	for _, r := range s.after {
		all = append(all, r)
	}
	return all
}

// newStep registers a step as remote.Command. The same text runs on creation
// and on every change of an input; there are no triggers, which would replace
// the resource, and nothing runs on deletion.
func newStep(ctx *pulumi.Context, name string, s step) (*remote.Command, error) {
	stdin := pulumi.Sprintf("# server %s\n%s", s.serverID, s.stdin)
	opts := []pulumi.ResourceOption{
		pulumi.Parent(s.parent),
		pulumi.DependsOn(s.dependencies()),
		pulumi.DeletedWith(s.server),
	}
	logging := remote.LoggingStderr
	if s.secret {
		stdin = pulumi.ToSecret(stdin).(pulumi.StringOutput)
		logging = remote.LoggingNone
		opts = append(opts, pulumi.AdditionalSecretOutputs([]string{"stdin", "stdout", "stderr"}))
	}
	command, err := remote.NewCommand(ctx, name, &remote.CommandArgs{
		Connection:             s.access.Connection(s.dialErrors),
		Create:                 s.text.ToStringOutput().ToStringPtrOutput(),
		Update:                 s.text.ToStringOutput().ToStringPtrOutput(),
		Stdin:                  stdin.ToStringPtrOutput(),
		Logging:                logging,
		AddPreviousOutputInEnv: pulumi.Bool(false),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("register command %q: %w", name, err)
	}
	return command, nil
}

// commandText is a command as an operator reads it: comments that say what
// it does, then one line of shell. prefix is shell and taken as it is; words
// are values, quoted once they are known.
func commandText(comments []string, prefix string, words ...pulumi.StringInput) pulumi.StringOutput {
	values := make([]any, len(words))
	for i, w := range words {
		values[i] = w
	}
	return pulumi.All(values...).ApplyT(func(values []any) (string, error) {
		plain := make([]string, len(values))
		for i, v := range values {
			plain[i] = v.(string)
		}
		return joinText(comments, prefix, plain)
	}).(pulumi.StringOutput)
}

func joinText(comments []string, prefix string, words []string) (string, error) {
	var b strings.Builder
	for _, c := range comments {
		if strings.ContainsFunc(c, isControl) {
			return "", fmt.Errorf("write command text: control character in %q", c)
		}
		b.WriteString("# " + c + "\n")
	}
	b.WriteString(prefix)
	for _, w := range words {
		q, err := Quote(w)
		if err != nil {
			return "", fmt.Errorf("write command text: %w", err)
		}
		b.WriteString(" " + q)
	}
	return b.String(), nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// plain turns known words into inputs.
func plain(words ...string) []pulumi.StringInput {
	inputs := make([]pulumi.StringInput, len(words))
	for i, w := range words {
		inputs[i] = pulumi.String(w)
	}
	return inputs
}
