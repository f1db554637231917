package deploy

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// grow makes the data volume's file system as large as the volume, and again
// whenever the configured size changes. It is a step of its own: set-up has
// other reasons to run, and a volume that grew is none of them. It comes after
// set-up, hence after the attachment and the volume, which the cloud has
// resized by then.
func (h *Host) grow(ctx *pulumi.Context, name string, args *HostArgs) error {
	if args.Device == nil {
		return nil
	}
	body, err := script("grow.sh")
	if err != nil {
		return err
	}
	h.grown, err = newStep(ctx, name+"-grow", step{
		access: args.Access, dialErrors: dialErrors, server: args.Server, serverID: args.ServerID,
		text: commandText([]string{fmt.Sprintf("grow the file system of %s to %d GB", args.Name, args.VolumeGB)},
			"exec sudo bash -s --", args.Device, pulumi.String(strconv.Itoa(args.VolumeGB))),
		stdin: pulumi.String(body), parent: h, after: []pulumi.CustomResource{h.setup},
	})
	return err
}
