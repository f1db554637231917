package stacks

import (
	"fmt"
	"slices"
	"sort"
)

// Line is a release line of the Construct services. Another line is another
// catalogue; nothing outside this package knows the difference.
type Line string

// LineS is the REST line with Kafka and a delivery worker.
const LineS Line = "S"

// Catalogue lists the services of a release line that the chosen features
// bring, sorted by role and name.
func Catalogue(line Line, f Features) ([]ServiceSpec, error) {
	var all []ServiceSpec
	switch line {
	case LineS:
		all = slices.Concat(gatewayServices(f), appServices(f), databaseServices(), messageServices(f))
		if f.Media {
			all = append(all, mediaServices()...)
		}
	default:
		return nil, fmt.Errorf("catalogue %q: unknown release line (want %q)", line, LineS)
	}
	all = append(all, haproxies(all, f)...)
	if f.Media {
		all = append(all, exporterServices(f)...)
	}
	if f.Media && f.Logs {
		all = append(all, logServices()...)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Role != all[j].Role {
			return all[i].Role < all[j].Role
		}
		return all[i].Name < all[j].Name
	})
	return all, nil
}

// Services lists what runs on one role's servers, sorted by name.
func Services(role Role, f Features) []ServiceSpec {
	all, err := Catalogue(LineS, f)
	if err != nil {
		return nil // unreachable: the line is a constant
	}
	return slices.DeleteFunc(all, func(s ServiceSpec) bool { return s.Role != role })
}

// find returns the first service of a name. ok is false when the features
// leave it out. Names that others need are unique; only exporters and agents repeat.
func find(all []ServiceSpec, name string) (spec ServiceSpec, ok bool) {
	for _, s := range all {
		if s.Name == name {
			return s, true
		}
	}
	return ServiceSpec{}, false
}
