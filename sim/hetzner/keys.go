package hetzner

import (
	"net/http"
	"slices"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
	"golang.org/x/crypto/ssh"
)

type sshKey struct {
	meta
	public      string
	fingerprint string
}

type keyCreate struct {
	Name      string            `json:"name"`
	PublicKey string            `json:"public_key"`
	Labels    map[string]string `json:"labels"`
}

func (k *sshKey) view() schema.SSHKey {
	return schema.SSHKey{ID: k.id, Name: k.name, Fingerprint: k.fingerprint, PublicKey: k.public, Labels: k.labels, Created: k.created}
}

func (c *Cloud) createKey(r *http.Request) (reply, error) {
	var in keyCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	pub, _, _, _, err := ssh.ParseAuthorizedKey([]byte(in.PublicKey))
	if err != nil {
		return reply{}, invalid("public_key", "SSH key is invalid")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fingerprint := ssh.FingerprintLegacyMD5(pub)
	if slices.ContainsFunc(c.keys, func(k *sshKey) bool { return k.fingerprint == fingerprint }) {
		return reply{}, fail(http.StatusConflict, "uniqueness_error", "SSH key not unique")
	}
	m, err := newMeta(c, c.keys, "SSH key", in.Name, in.Labels)
	if err != nil {
		return reply{}, err
	}
	k := &sshKey{meta: m, public: in.PublicKey, fingerprint: fingerprint}
	c.keys = append(c.keys, k)
	return created(map[string]schema.SSHKey{"ssh_key": k.view()})
}

func (c *Cloud) deleteKey(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, err := inPath(r, c.keys, "ssh_key")
	if err != nil {
		return reply{}, err
	}
	c.keys = slices.DeleteFunc(c.keys, func(o *sshKey) bool { return o == k })
	return gone()
}

// listing answers a list of resources, filtered and paged.
func listing[T entity, V any](c *Cloud, key string, all func() []T, view func(T) V) handler {
	return func(r *http.Request) (reply, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		some, err := selected(r, all())
		if err != nil {
			return reply{}, err
		}
		var out []V
		for _, e := range some {
			out = append(out, view(e))
		}
		return listReply(r, key, out)
	}
}

// getting answers one resource.
func getting[T entity, V any](c *Cloud, kind string, all func() []T, view func(T) V) handler {
	return func(r *http.Request) (reply, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		e, err := inPath(r, all(), kind)
		if err != nil {
			return reply{}, err
		}
		return ok(map[string]V{kind: view(e)})
	}
}

// updating renames and relabels one resource.
func updating[T entity, V any](c *Cloud, kind string, all func() []T, view func(T) V) handler {
	return func(r *http.Request) (reply, error) {
		var in edit
		if err := decode(r, &in); err != nil {
			return reply{}, err
		}
		c.mu.Lock()
		e, err := inPath(r, all(), kind)
		if err == nil {
			err = apply(e.base(), all(), kind, in)
		}
		if err != nil {
			c.mu.Unlock()
			return reply{}, err
		}
		out := view(e)
		c.mu.Unlock()
		c.syncFirewalls() // a label selector may apply one now
		return ok(map[string]V{kind: out})
	}
}
