package cloud

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// SayNext makes a server whose creation fails for want of capacity say which
// size is next. The catalogue can be wrong, and the engine cannot create
// anything else in its place. Refusal is in the cloud's words for it. It does
// nothing where no other size is left.
func SayNext(ctx *pulumi.Context, name string, args *ServerArgs, refusal string) ([]pulumi.ResourceOption, error) {
	if args.Next == "" {
		return nil, nil
	}
	hook, err := ctx.RegisterErrorHook(name+"-next-size", func(failed *pulumi.ErrorHookArgs) (bool, error) {
		if !slices.ContainsFunc(failed.Errors, func(e string) bool { return strings.Contains(e, refusal) }) {
			return false, nil
		}
		return false, ctx.Log.Error(fmt.Sprintf("%s: the cloud refuses a %s although its catalogue has it; the next size in the list is %s: "+
			"make it construct:roles.%s.size, then pulumi up", name, args.Slug, args.Next, args.Role), nil)
	})
	if err != nil {
		return nil, fmt.Errorf("register what %q says when it is refused: %w", name, err)
	}
	return []pulumi.ResourceOption{pulumi.ResourceHooks(&pulumi.ResourceHookBinding{OnError: []*pulumi.ErrorHook{hook}})}, nil
}
