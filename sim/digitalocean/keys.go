package digitalocean

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/digitalocean/godo"
	"golang.org/x/crypto/ssh"
)

type keyCreate struct {
	Name      string `json:"name"`
	PublicKey string `json:"public_key"`
}

type keyUpdate struct {
	Name string `json:"name"`
}

type keyBody struct {
	SSHKey godo.Key `json:"ssh_key"`
}

type keysBody struct {
	SSHKeys []godo.Key `json:"ssh_keys"`
	listMeta
}

func (c *Cloud) createKey(r *http.Request) (reply, error) {
	var in keyCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	if in.Name == "" {
		return reply{}, unprocessable("name can't be blank")
	}
	pub, _, _, _, err := ssh.ParseAuthorizedKey([]byte(in.PublicKey))
	if err != nil {
		return reply{}, unprocessable("Key invalid, key should be of the format `type key [comment]`")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fingerprint := ssh.FingerprintLegacyMD5(pub)
	if slices.ContainsFunc(c.keys, func(k *godo.Key) bool { return k.Fingerprint == fingerprint }) {
		return reply{}, unprocessable("SSH Key is already in use on your account")
	}
	k := &godo.Key{ID: c.id(), Name: in.Name, Fingerprint: fingerprint, PublicKey: in.PublicKey}
	c.keys = append(c.keys, k)
	return created(keyBody{*k})
}

// key finds a key by id or fingerprint. c.mu is held.
func (c *Cloud) key(ref string) *godo.Key {
	i := slices.IndexFunc(c.keys, func(k *godo.Key) bool {
		return strconv.Itoa(k.ID) == ref || k.Fingerprint == ref
	})
	if i < 0 {
		return nil
	}
	return c.keys[i]
}

func (c *Cloud) listKeys(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []godo.Key
	for _, k := range c.keys {
		all = append(all, *k)
	}
	page, meta := paginate(r, all)
	return ok(keysBody{page, meta})
}

func (c *Cloud) getKey(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.key(r.PathValue("id"))
	if k == nil {
		return reply{}, notFound()
	}
	return ok(keyBody{*k})
}

func (c *Cloud) updateKey(r *http.Request) (reply, error) {
	var in keyUpdate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	if strings.TrimSpace(in.Name) == "" {
		return reply{}, unprocessable("name can't be blank")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.key(r.PathValue("id"))
	if k == nil {
		return reply{}, notFound()
	}
	k.Name = in.Name
	return ok(keyBody{*k})
}

func (c *Cloud) deleteKey(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.key(r.PathValue("id"))
	if k == nil {
		return reply{}, notFound()
	}
	c.keys = slices.DeleteFunc(c.keys, func(o *godo.Key) bool { return o == k })
	return gone()
}
