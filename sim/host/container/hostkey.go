package container

import "context"

// SwapHostKey has a running host's sshd show a new ed25519 key, or its own one
// again.
func (b *Backend) SwapHostKey(ctx context.Context, hostID string, swap bool) error {
	const own = `cd /etc/ssh; [ -e own ] || exit 0; mv own/* .; rmdir own; systemctl reload ssh`
	const other = `cd /etc/ssh; [ ! -e own ] || exit 0; mkdir own; mv ssh_host_ed25519_key* own
		ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key; systemctl reload ssh`
	return b.change(hostID, "swap host key of", func(m *machine) error {
		script := own
		if swap {
			script = other
		}
		_, err := shell(ctx, m.name, script)
		return err
	})
}
