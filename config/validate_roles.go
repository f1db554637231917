package config

import (
	"fmt"
	"slices"
)

// maxVolumeGB is the largest volume that both clouds sell.
const maxVolumeGB = 10240

var neutralSizes = []string{"small", "medium", "large"}

func (v *validator) roles() {
	v.sizes("roles.gateway", v.Roles.Gateway)
	v.sizes("roles.app", v.Roles.App)
	v.dataRole("roles.db", v.Roles.Database)
	v.dataRole("roles.message", v.Roles.Message)
	if v.Roles.MediaEnabled {
		v.dataRole("roles.media", v.Roles.Media)
	}
	for _, role := range []struct {
		path string
		Role
	}{{"gateway", v.Roles.Gateway}, {"app", v.Roles.App}} {
		if role.VolumeGB != 0 {
			v.add("roles."+role.path+".volumeGb", "is set although the role keeps no data", "none")
		}
	}
}

func (v *validator) dataRole(path string, role Role) {
	v.sizes(path, role)
	facts, known := factsOf(v.Cloud)
	smallest := 1
	if known {
		smallest = facts.minVolumeGB
	}
	if role.VolumeGB < smallest || role.VolumeGB > maxVolumeGB {
		v.add(path+".volumeGb", fmt.Sprintf("is %d", role.VolumeGB), fmt.Sprintf("%d to %d", smallest, maxVolumeGB))
	}
}

func (v *validator) sizes(path string, role Role) {
	v.size(path+".size", role.Size)
	for i, size := range role.FallbackSizes {
		v.size(fmt.Sprintf("%s.fallbackSizes[%d]", path, i), size)
	}
}

// size accepts the neutral names and anything that looks like a slug of the
// chosen cloud; which slugs exist is the adapter's to check.
func (v *validator) size(path, size string) {
	facts, known := factsOf(v.Cloud)
	want := "small, medium, large, or the cloud's own name for a size"
	if known {
		want = fmt.Sprintf("small, medium, large, or a size of %s such as %s", facts.title, facts.exampleSize)
	}
	switch {
	case !v.require(path, size, want) || !known || slices.Contains(neutralSizes, size) || facts.size.MatchString(size):
	case v.other().size.MatchString(size):
		v.add(path, "is a size of "+v.other().title, want)
	default:
		v.add(path, "is not a size", want)
	}
}
