package deploy

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// schemaToken is part of every child's URN; a renamed one needs an alias.
const schemaToken = "construct:deploy:Schema"

const schemaScript = "/usr/local/sbin/construct-schema"

// Migrator is a service that migrates the database when it starts.
type Migrator struct{ Service, Image string }

// SchemaArgs are required in full.
type SchemaArgs struct {
	Host      *Host      // the database's
	Migrators []Migrator // sorted
	// After is what makes the database answer: its own release.
	After []pulumi.CustomResource
}

// Schema is a database that these versions of the services may be let at: none
// of them is known to be older than it, and of one that may migrate it there is
// a dump from before.
type Schema struct {
	pulumi.ResourceState

	name    string
	args    *SchemaArgs
	command pulumi.CustomResource
}

// NewSchema refuses or dumps, again whenever a service that migrates gets
// another image, and touches no service. Children: name-schema, and
// name-schema-record of [Schema.Record].
func NewSchema(ctx *pulumi.Context, name string, args *SchemaArgs, opts ...pulumi.ResourceOption) (*Schema, error) {
	if args.Host == nil || len(args.Migrators) == 0 || len(args.After) == 0 {
		return nil, fmt.Errorf("schema %q: %w", name, errors.New("Host, Migrators, After: required"))
	}
	s := &Schema{name: name, args: args}
	if err := ctx.RegisterComponentResourceV2(schemaToken, name, pulumi.Map{}, s, opts...); err != nil {
		return nil, fmt.Errorf("register schema %q: %w", name, err)
	}
	command, err := s.step(ctx, name+"-schema", "prepare",
		"before a new version: refuse one that is older than the database of "+args.Host.name+", dump it if it may be migrated", args.After)
	if err != nil {
		return nil, err
	}
	s.command = command
	return s, nil
}

// Ready is done when the services may start. Whoever waits for it must not wait
// for the component, of which [Schema.Record] is a part.
func (s *Schema) Ready() pulumi.CustomResource { return s.command }

// Record notes, once the services run healthy, which migrations their images
// know, so that one that knows fewer can be refused.
func (s *Schema) Record(ctx *pulumi.Context, healthy []pulumi.CustomResource) error {
	_, err := s.step(ctx, s.name+"-schema-record", "record",
		"after it: note which migrations of the database of "+s.args.Host.name+" it knows", append([]pulumi.CustomResource{s.command}, healthy...))
	if err != nil {
		return err
	}
	if err := ctx.RegisterResourceOutputs(s, pulumi.Map{}); err != nil {
		return fmt.Errorf("register outputs of schema %q: %w", s.name, err)
	}
	return nil
}

func (s *Schema) step(ctx *pulumi.Context, name, verb, comment string, after []pulumi.CustomResource) (pulumi.CustomResource, error) {
	host := s.args.Host
	var words []string
	for _, m := range s.args.Migrators {
		words = append(words, m.Service+"="+m.Image)
	}
	return newStep(ctx, name, step{
		access: host.access, dialErrors: dialErrors, server: host.server, serverID: host.serverID,
		text:  commandText([]string{comment}, "exec sudo "+schemaScript+" "+verb, plain(words...)...),
		stdin: pulumi.String(""), parent: s, after: append([]pulumi.CustomResource{host.setup}, after...),
	})
}
