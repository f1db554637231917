package stacks

import "fmt"

// httpHealth probes an HTTP path with bash alone, since the Construct image
// has neither curl nor wget. The forwarding header gives the probe a bucket of
// its own in the gateway's per-address limit (facts 2).
func httpHealth(port int, path string) []string {
	script := fmt.Sprintf(`exec 3<>/dev/tcp/127.0.0.1/%d && `+
		`printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3 && `+
		`read -r _ status _ <&3 && [ "$status" = 200 ]`, port, path)
	return []string{"CMD", "bash", "-c", script}
}

// wgetHealth probes a URL with the wget that busybox brings to the images of
// Prometheus, Grafana, Caddy and the exporters. timeout(1) bounds it: busybox 1.35
// as built by Debian crashes on wget -T with an address.
func wgetHealth(url string) []string {
	return []string{"CMD", "timeout", "4", "wget", "-q", "-O", "/dev/null", url}
}

// connectedHealth holds while a process has an open TCP connection to one of
// the remote ports. It is how a consumer without a listener shows that it
// still talks to its broker.
func connectedHealth(ports []int) []string {
	pattern := ""
	for i, p := range ports {
		if i > 0 {
			pattern += "|"
		}
		pattern += fmt.Sprintf("%04X", p)
	}
	return []string{"CMD", "grep", "-Eqs", ":(" + pattern + ") 01 ", "/proc/net/tcp", "/proc/net/tcp6"}
}
