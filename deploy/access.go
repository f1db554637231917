package deploy

import (
	"github.com/pulumi/pulumi-command/sdk/go/command/remote"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// perDialSeconds bounds one attempt to connect. A host that swallows
	// packets costs this much per attempt, one that refuses next to nothing.
	perDialSeconds = 5
	// bootDialErrors lets a host take its time to boot: the provider retries
	// from 100 ms by 1.5 up to 5 s (pulumi-command, connection.go), so 70
	// errors are 5 minutes of refusals or 11 of silence.
	bootDialErrors = 70
	// dialErrors is for hosts that have answered before: about a minute, so
	// that a reboot or an sshd restart in between is ridden out.
	dialErrors = 20
)

// Access is how one host is reached over SSH.
type Access struct {
	Host       pulumi.StringInput // address to dial; required
	Port       int                // default 22
	User       string             // required
	PrivateKey pulumi.StringInput // PEM, secret; nil: the operator's agent
	HostKey    string             // public key in authorized_keys format, from HostKey; required
	Proxy      *Access            // dial through this host; nil: directly
}

// Connection is what remote.Command wants. The host key is pinned on the
// target and on the proxy. dialErrorLimit is the number of failed dials
// borne before giving up.
func (a Access) Connection(dialErrorLimit int) remote.ConnectionArgs {
	c := remote.ConnectionArgs{
		Host:           a.Host,
		Port:           pulumi.Float64(float64(a.port())),
		User:           pulumi.String(a.User),
		HostKey:        pulumi.String(a.HostKey),
		DialErrorLimit: pulumi.Int(dialErrorLimit),
		PerDialTimeout: pulumi.Int(perDialSeconds),
	}
	if a.PrivateKey != nil {
		c.PrivateKey = a.PrivateKey.ToStringOutput().ToStringPtrOutput()
	}
	if a.Proxy != nil {
		c.Proxy = a.Proxy.proxyConnection(dialErrorLimit)
	}
	return c
}

func (a Access) proxyConnection(dialErrorLimit int) remote.ProxyConnectionArgs {
	c := remote.ProxyConnectionArgs{
		Host:           a.Host,
		Port:           pulumi.Float64(float64(a.port())),
		User:           pulumi.String(a.User),
		HostKey:        pulumi.String(a.HostKey),
		DialErrorLimit: pulumi.Int(dialErrorLimit),
		PerDialTimeout: pulumi.Int(perDialSeconds),
	}
	if a.PrivateKey != nil {
		c.PrivateKey = a.PrivateKey.ToStringOutput().ToStringPtrOutput()
	}
	return c
}

func (a Access) port() int {
	if a.Port == 0 {
		return 22
	}
	return a.Port
}
