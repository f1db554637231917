package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Validate judges a Config: every problem at once, as [Problems]. What only
// the cloud's catalogue knows (does this size exist in that region) is left to
// the cloud's adapter.
func (c *Config) Validate() error { return c.validate().err() }

func (c *Config) validate() Problems {
	v := &validator{Config: c}
	for _, check := range []func(){
		v.stack, v.cloud, v.adminUser,
		v.domain, v.dns, v.acme, v.federation,
		v.sshKeys, v.sshAccess, v.network,
		v.roles,
		v.release, v.images, v.registries,
		v.maintenance, v.rateLimit, v.kafka, v.vault, v.apns, v.monitoring, v.logs,
		v.passwords, v.keys, v.jwt,
	} {
		check()
	}
	return v.problems
}

// validator collects the problems of one Config.
type validator struct {
	*Config
	problems Problems
}

func (v *validator) add(path, detail, want string) { v.problems.add(path, detail, want) }

// require reports an empty value and says whether there is one.
func (v *validator) require(path, value, want string) bool {
	if value == "" {
		v.add(path, "is missing", want)
	}
	return value != ""
}

// maxLabel is the longest label of a host name (RFC 1035), which is also the
// shortest limit among the clouds' names, labels and tags.
const maxLabel = 63

// longestName is what the program puts around project and stack at most.
const longestName = "message-99-data"

var nameSyntax = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// stack checks what every resource's name begins with. Its problems carry no
// namespace: project and stack names are not configuration keys.
func (v *validator) stack() {
	want := "lower-case letters, digits and hyphens, beginning and ending with a letter or digit"
	if !nameSyntax.MatchString(v.Stack) {
		v.problems = append(v.problems, Problem{
			Path: "stack", Detail: fmt.Sprintf("name %q cannot be part of a host name", v.Stack), Want: want,
		})
	}
	if !nameSyntax.MatchString(v.Project) || !isLetter(v.Project) {
		v.problems = append(v.problems, Problem{
			Path: "project", Detail: fmt.Sprintf("name %q cannot be the beginning of a host name", v.Project),
			Want: want + ", a letter first",
		})
	}
	if room := maxLabel - len(v.Project) - len(longestName) - 2; len(v.Stack) > room {
		v.problems = append(v.problems, Problem{
			Path: "stack", Detail: fmt.Sprintf("name has %d characters", len(v.Stack)),
			Want: fmt.Sprintf("at most %d, since host names end at %d", room, maxLabel),
		})
	}
}

func isLetter(s string) bool { return s != "" && s[0] >= 'a' && s[0] <= 'z' }

// cloudFacts is what can be said of a cloud without asking it.
type cloudFacts struct {
	title         string
	region        *regexp.Regexp
	exampleRegion string
	// knownRegions only serves to recognise one of the other cloud.
	knownRegions []string
	size         *regexp.Regexp
	exampleSize  string
	minVolumeGB  int
	// maxNetworkBits is the longest prefix that the API accepts: VPCs of
	// DigitalOcean go down to /28, networks of Hetzner to /24.
	maxNetworkBits int
}

func factsOf(cloud Cloud) (cloudFacts, bool) {
	switch cloud {
	case DigitalOcean:
		return cloudFacts{
			title: "DigitalOcean", region: regexp.MustCompile(`^[a-z]{3}[0-9]$`), exampleRegion: "fra1",
			knownRegions: []string{
				"nyc1", "nyc2", "nyc3", "ams3", "sfo2", "sfo3", "sgp1", "lon1", "fra1", "tor1", "blr1", "syd1", "atl1",
			},
			size:        regexp.MustCompile(`^[a-z]{1,3}[0-9_]*(-[a-z0-9_.]+)+$`),
			exampleSize: "s-2vcpu-4gb", minVolumeGB: 1, maxNetworkBits: 28,
		}, true
	case Hetzner:
		return cloudFacts{
			title: "Hetzner", region: regexp.MustCompile(`^[a-z]{3}[0-9]?$`), exampleRegion: "fsn1",
			knownRegions: []string{"fsn1", "nbg1", "hel1", "ash", "hil", "sin"},
			size:         regexp.MustCompile(`^[a-z]{2,4}[0-9]{1,3}$`),
			exampleSize:  "cpx31", minVolumeGB: 10, maxNetworkBits: 24,
		}, true
	}
	return cloudFacts{}, false
}

// other returns the facts of the cloud that was not chosen.
func (v *validator) other() cloudFacts {
	other := DigitalOcean
	if v.Cloud == DigitalOcean {
		other = Hetzner
	}
	facts, _ := factsOf(other)
	return facts
}

func (v *validator) cloud() {
	want := fmt.Sprintf("%s or %s", DigitalOcean, Hetzner)
	facts, known := factsOf(v.Cloud)
	if v.require("cloud", string(v.Cloud), want) && !known {
		v.add("cloud", "is no supported cloud", want)
	}
	if !known {
		if v.Region == "" {
			v.add("region", "is missing", "the cloud's own region or location")
		}
		return
	}
	want = "a region of " + facts.title + ", for example " + facts.exampleRegion
	if !v.require("region", v.Region, want) {
		return
	}
	other := v.other()
	switch {
	case slices.Contains(other.knownRegions, v.Region) && !slices.Contains(facts.knownRegions, v.Region):
		v.add("region", "is a region of "+other.title, want)
	case !facts.region.MatchString(v.Region):
		v.add("region", "is not a region's name", want)
	}
}

var userSyntax = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

// systemUsers exist on every Debian server, or are made by its packages.
var systemUsers = strings.Fields(`root daemon bin sys sync games man lp mail news uucp proxy www-data backup
	list irc nobody _apt systemd-network systemd-resolve systemd-timesync messagebus sshd docker debian admin`)

func (v *validator) adminUser() {
	switch want := "a Linux user name such as construct"; {
	case !v.require("adminUser", v.AdminUser, want):
	case !userSyntax.MatchString(v.AdminUser):
		v.add("adminUser", "is not a user name", want)
	case slices.Contains(systemUsers, v.AdminUser):
		v.add("adminUser", "is a name that the system uses itself", want)
	}
}
