package container

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Sweep removes the hosts, networks, volumes, loop devices and firewall rules
// of an instance, whichever process made them. It removes nothing else, and
// does nothing when nothing is there.
func Sweep(ctx context.Context, instance string) error {
	if !instances.MatchString(instance) {
		return fmt.Errorf("sweep instance %q: want %s", instance, instances)
	}
	h := helper{instance: instance}
	containers, err := list(ctx, "container", instance)
	if err != nil {
		return fmt.Errorf("sweep instance %q: %w", instance, err)
	}
	helping := slices.Contains(containers, h.container())
	hosts := slices.DeleteFunc(slices.Clone(containers), func(name string) bool { return name == h.container() })
	var errs []error
	if len(hosts) > 0 {
		_, err := docker(ctx, nil, append([]string{"rm", "--force", "--volumes"}, hosts...)...)
		errs = append(errs, err)
	}
	if helping {
		errs = append(errs, h.undo(ctx))
		_, err := docker(ctx, nil, "rm", "--force", h.container())
		errs = append(errs, err)
	}
	for _, kind := range []string{"network", "volume"} {
		names, err := list(ctx, kind, instance)
		errs = append(errs, err)
		if len(names) > 0 {
			_, err := docker(ctx, nil, append([]string{kind, "rm"}, names...)...)
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sweep instance %q: %w", instance, err)
	}
	return nil
}

// SweepAll sweeps every instance on the machine, running ones included.
func SweepAll(ctx context.Context) error {
	var found []string
	for _, command := range [][]string{{"ps", "--all"}, {"network", "ls"}, {"volume", "ls"}} {
		args := append(command, "--filter", "label="+labelInstance, "--format", `{{.Label "`+labelInstance+`"}}`)
		out, err := docker(ctx, nil, args...)
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		found = append(found, strings.Fields(out)...)
	}
	slices.Sort(found)
	var errs []error
	for _, instance := range slices.Compact(found) {
		errs = append(errs, Sweep(ctx, instance))
	}
	return errors.Join(errs...)
}

// undo takes back what was done to the machine through the helper.
func (h helper) undo(ctx context.Context) error {
	if _, err := docker(ctx, nil, "start", h.container()); err != nil {
		return err
	}
	const script = `nft delete table inet "$1" 2>/dev/null || true
		nft delete table bridge "$1" 2>/dev/null || true
		losetup --list --noheadings --output NAME,BACK-FILE | while read -r device file _; do
			case "${file##*/}" in "$2"*) losetup --detach "$device" ;; esac
		done`
	_, err := h.run(ctx, script, h.table(), diskPrefix(h.instance))
	return err
}

// table names the instance's nftables table.
func (h helper) table() string { return "csim_" + h.instance }
