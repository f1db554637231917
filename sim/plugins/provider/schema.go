package provider

import (
	"context"
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// ErrNotFound is returned by Read for a resource that no longer exists.
var ErrNotFound = errors.New("resource not found")

// Shape is the kind of a value.
type Shape int

// The shapes of property values.
const (
	ShapeString Shape = iota
	ShapeInt
	ShapeNumber
	ShapeBool
	ShapeList
	ShapeMap
	ShapeObject
	ShapeAny // anything, assets and archives included
)

// Type is the type of a property.
type Type struct {
	Shape  Shape
	Elem   *Type  // of a list or a map
	Fields Schema // of an object
}

// The plain types.
var (
	String = Type{Shape: ShapeString}
	Int    = Type{Shape: ShapeInt}
	Number = Type{Shape: ShapeNumber}
	Bool   = Type{Shape: ShapeBool}
	Any    = Type{Shape: ShapeAny}
)

// ListOf is a list of t.
func ListOf(t Type) Type { return Type{Shape: ShapeList, Elem: &t} }

// MapOf is a map from string to t.
func MapOf(t Type) Type { return Type{Shape: ShapeMap, Elem: &t} }

// Object is an object with the given fields.
func Object(fields Schema) Type { return Type{Shape: ShapeObject, Fields: fields} }

// Schema says what properties there are, by Pulumi name.
type Schema map[string]Property

// Property is what an official provider's schema says of one input.
type Property struct {
	Type     Type
	Required bool
	// Default is filled in by Check. nil means none.
	Default any
	// Computed inputs keep the cloud's value when the program gives none.
	Computed bool
	// ForceNew properties replace the resource when they change.
	ForceNew bool
	// Secret inputs are marked secret by Check.
	Secret bool
	// Set lists compare without regard to order.
	Set bool
	// AutoName is the longest name that may be made up where the program
	// gives none; 0 means names are not made up. A name given by the program
	// means delete-before-replace, as the bridged providers have it.
	AutoName int
	// OneOf lists the strings allowed; empty allows all.
	OneOf []string
	// Same reports whether a state's value stands for an input's value, where
	// they differ in spelling (hashes, case).
	Same func(state, input any) bool
}

// Resource is one resource type.
type Resource struct {
	Inputs  Schema
	Outputs map[string]Type // computed only; never accepted as inputs

	// Create makes the resource. An id together with an error means that it
	// exists but is not complete: the engine then keeps it in the state.
	Create func(ctx context.Context, in Values) (id string, out Output, err error)
	// Read returns the properties as the cloud has them, or ErrNotFound.
	// nil means: nothing to compare with, the state is taken as it is.
	Read func(ctx context.Context, id string, state Values) (Output, error)
	// Update changes the resource in place. nil means every change replaces.
	Update func(ctx context.Context, id string, old, in Values) (Output, error)
	// Delete removes the resource; one that is already gone is no error.
	Delete func(ctx context.Context, id string, state Values) error

	// DiffInputs compares with the previous inputs, as native providers do,
	// instead of with the state, as bridged ones do.
	DiffInputs bool
	// Replaces names further properties whose change, from state to inputs,
	// forces replacement. Optional.
	Replaces func(state, in Values) []string
	// Unsettled names outputs that are not known until an update is done,
	// given the names of the changed properties. Optional.
	Unsettled func(changed []string, state, in Values) []string
}

// Function is one invoke.
type Function struct {
	Args Schema
	Call func(ctx context.Context, args Values) (Output, error)
}

// Output is a resource's or function's result in plain Go values.
type Output map[string]any

// Provider is a whole plugin.
type Provider struct {
	Name    string
	Version string // as the SDK asks for, without "v"
	// Secrets is whether secret marks are passed through to the table. Where
	// false, the engine marks outputs of the same name as a secret input.
	Secrets   bool
	Config    Schema
	Configure func(ctx context.Context, config Values) error
	Resources map[string]*Resource
	Functions map[string]*Function
}

// defaultsKey is where bridged providers record which inputs they filled in.
const defaultsKey = resource.PropertyKey("__defaults")
