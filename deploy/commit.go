package deploy

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// noCommit stands in the history for a commit that is not known.
const noCommit = "-"

// keepCommit registers name-commit, which remembers the commit that a bundle
// was first made from. It is in the state so that a commit without an effect
// on the bundle changes no input of the release: the stash takes what it is
// given when it is made, ignores what it is given later, and is made anew when
// the bundle is another.
func keepCommit(ctx *pulumi.Context, name string, args *ReleaseArgs, opts ...pulumi.ResourceOption) (pulumi.StringOutput, error) {
	commit := args.Commit
	if commit == "" {
		commit = noCommit
	}
	stash, err := pulumi.NewStash(ctx, name+"-commit", &pulumi.StashArgs{Input: pulumi.String(commit)}, append(opts,
		pulumi.IgnoreChanges([]string{"input"}),
		pulumi.ReplacementTrigger(pulumi.String(args.Bundle.Digest)),
	)...)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("register commit of release %q: %w", name, err)
	}
	return stash.Output.ApplyT(func(kept any) (string, error) {
		commit, ok := kept.(string)
		if !ok {
			return "", fmt.Errorf("commit of release %q: %T in the state (want a string)", name, kept)
		}
		return commit, nil
	}).(pulumi.StringOutput), nil
}
