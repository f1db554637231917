package e2e

import (
	"os"
	"testing"

	"github.com/construct-server/infra/config"
)

// soaking tells whether the long suites were asked for: `make soak`.
func soaking() bool { return os.Getenv("CONSTRUCT_SOAK") != "" }

// sampled skips container hosts of a cloud for which another's stand in every
// run: they take ten minutes or more. `make e2e` and `make soak` have both.
func sampled(t *testing.T, cloud, sample config.Cloud) {
	t.Helper()
	if cloud != sample && !soaking() && os.Getenv("CONSTRUCT_EVERY_CLOUD") == "" {
		t.Skipf("sample: %s stands for both clouds; make e2e has %s as well", sample, cloud)
	}
}
