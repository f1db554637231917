package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// awkward is text that quoting goes wrong on.
func awkward() []string {
	return []string{
		"", "a b", "'", `"`, "''", `'"'"'`, "`id`", "$(id)", "$HOME", "${x:-y}", "#x", " #", `a\`, `\n`, `\'`, "!!", "~", "*", "-x", "--", "=",
		"a=b", "{a,b}", "<(id)", "&", ";", "|", "a\nb", "a\r\nb", "a\tb", "a\x00b", "\x7f", "ümläut", "\u0085", "\u2028", "\u2029", "\u00a0",
		"\ufeff", "\U0001f511", "\xff", "%s", "%n", "{{.}}", "${{x}}", "$$", "x: y", "- x", "? x", "| x", "&a *a", "@x", "%YAML", "---", "...", "null", "1e3",
	}
}

// bash runs a script of one command and returns what it prints.
func bash(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "bash", "-c", script).CombinedOutput()
	require.NoError(t, err, "%q\n%s", script, out)
	return string(out)
}

// FuzzCommandText gives a command arbitrary comments and words: bash runs the
// command alone, and each word arrives as it was.
func FuzzCommandText(f *testing.F) {
	for _, seed := range awkward() {
		f.Add("release", seed, "x")
		f.Add(seed, "word", seed+seed)
	}
	f.Fuzz(func(t *testing.T, comment, one, other string) {
		text, err := joinText([]string{comment}, `exec printf '%s\0'`, []string{one, other})
		if err != nil {
			return
		}
		assert.Equal(t, one+"\x00"+other+"\x00", bash(t, text), "%q", text)
	})
}

// FuzzPeers tells a host arbitrary names and addresses of peers: its hosts file
// has one line for each, or the script refuses.
func FuzzPeers(f *testing.F) {
	for _, seed := range []string{"", " ", "=", "a\u00a0b", "é", "#", "$(id)"} { // each takes a while
		f.Add("db.internal"+seed, "10.20.0.5")
		f.Add("db.internal", "fd00::5"+seed)
	}
	f.Fuzz(func(t *testing.T, name, address string) {
		quoted, err := Quote(name + "=" + address)
		if err != nil {
			return
		}
		h := newTarget(t)
		lib, err := filepath.Abs("scripts/lib")
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Join(h.root, "usr/local/lib"), 0o755))
		require.NoError(t, os.Symlink(lib, filepath.Join(h.root, "usr/local/lib/construct")))
		require.NoError(t, os.WriteFile(filepath.Join(h.fake, "systemctl"), []byte("#!/bin/sh\n"), 0o700)) //nolint:gosec // a program
		h.write("etc/hosts", "127.0.0.1\tlocalhost\n")
		script := "bash scripts/network.sh --private 10.20.0.2 --public 198.51.100.2 --mtu 1500 --peer " + quoted
		command := exec.CommandContext(t.Context(), "bash", "-c", script)
		command.Env = []string{"PATH=" + h.fake + ":" + os.Getenv("PATH"), "CONSTRUCT_ROOT=" + h.root}
		if out, err := command.CombinedOutput(); err != nil {
			assert.Contains(t, string(out), "network.sh: ", "%q fails without a word", name+"="+address)
			assert.False(t, h.exists("etc/construct/hosts"), "%q is refused, and written", name+"="+address)
			return
		}
		assert.Equal(t, address+"\t"+name+"\n", h.read("etc/construct/hosts"))
		assert.Len(t, strings.Fields(h.read("etc/construct/hosts")), 2, "%q is not one address and one name", name+"="+address)
	})
}

// FuzzMask has a service print a secret of its environment in some of the ways
// in which programs do: the report of its failure does not tell it.
func FuzzMask(f *testing.F) {
	for i, seed := range awkward() {
		f.Add("long enough"+seed+"s3cret", "password is ", seed, i)
	}
	f.Fuzz(func(t *testing.T, secret, before, after string, form int) {
		// What an environment file can carry, and is long enough to be a secret.
		if len(secret) < 8 || strings.ContainsAny(secret+before+after, "'\\\n\r\x00") || strings.Contains(before+after, secret) {
			return
		}
		printed := secret
		if form%2 == 1 {
			printed = strings.ReplaceAll(secret, `"`, `\"`)
		}
		h := newTarget(t)
		require.NoError(t, os.MkdirAll(filepath.Join(h.root, "var/lib/construct/releases/aa/env"), 0o755))
		h.write("var/lib/construct/releases/aa/compose.yaml", "")
		h.write("var/lib/construct/releases/aa/manifest", "")
		h.write("var/lib/construct/releases/aa/env/web.env", "PASSWORD='"+secret+"'\n")
		h.write("log", before+printed+after+"\n")
		lib, err := filepath.Abs("scripts/lib")
		require.NoError(t, err)
		out := bash(t, "set -euo pipefail; CONSTRUCT_ROOT="+h.root+" lib="+lib+
			`; for part in common state live bundle report; do source "$lib/$part.sh"; done; mask aa <"$root/log"`)
		assert.NotContains(t, out, secret)
		assert.NotContains(t, out, printed)
		assert.Contains(t, out, "***")
	})
}

// FuzzUserData makes user data of arbitrary names and keys: it is refused, or
// says what it was given and nothing besides.
func FuzzUserData(f *testing.F) {
	for _, seed := range awkward() {
		f.Add(seed, "construct", testPublicKey, 22)
		f.Add("construct-prod-db-1", seed, testPublicKey, 2222)
		f.Add("construct-prod-db-1", "construct", testPublicKey+seed, 0)
		f.Add("construct-prod-db-1", "construct", seed+testPublicKey, -1)
	}
	f.Fuzz(func(t *testing.T, host, user, key string, port int) {
		args := testUserData()
		wanted := strings.Split(args.sshdConfig(), "\n")
		args.Hostname, args.AdminUser, args.AuthorizedKeys[0], args.SSHPort = host, user, key, port
		text, err := UserData(args)
		if err != nil {
			return
		}
		var config cloudConfig
		require.NoError(t, yaml.Unmarshal([]byte(text), &config))
		assert.Equal(t, host, config.Hostname)
		assert.Equal(t, []string{strings.TrimSpace(key)}, config.Users[0].AuthorizedKeys)
		assert.NotContains(t, config.Users[0].AuthorizedKeys[0], "\n")
		assert.Equal(t, user, config.Users[0].Name)
		assert.Len(t, config.Users, 1)
		require.Len(t, config.WriteFiles, 1)
		lines := strings.Split(config.WriteFiles[0].Content, "\n")
		require.Len(t, lines, len(wanted))
		for i := range lines {
			switch {
			case strings.HasPrefix(wanted[i], "Port "):
				if port == 0 {
					port = 22
				}
				assert.Equal(t, "Port "+strconv.Itoa(port), lines[i])
			case strings.HasPrefix(wanted[i], "AllowUsers "):
				assert.Equal(t, []string{"AllowUsers", user}, strings.Fields(lines[i]))
			default:
				assert.Equal(t, wanted[i], lines[i])
			}
		}
	})
}
