package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// settings are grafana.ini's values, overridden by GF_SECTION_KEY variables.
type settings struct {
	listen        string
	data          string
	provisioning  string
	adminUser     string
	adminPassword string
	rootURL       string
	ignored       map[string]bool
}

func mapKeys(m map[string]bool) iter.Seq[string] { return maps.Keys(m) }

func loadSettings(getenv func(string) string) (*settings, error) {
	path := or(getenv("GF_PATHS_CONFIG"), "/etc/grafana/grafana.ini")
	ini, err := readINI(path)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	get := func(section, key, fallback string) (string, error) {
		used[section+"."+key] = true
		name := "GF_" + strings.ToUpper(section+"_"+key)
		if file := getenv(name + "__FILE"); file != "" {
			return readSecret(file)
		}
		v := or(getenv(name), or(ini[section+"."+key], fallback))
		if file, ok := strings.CutPrefix(v, "$__file{"); ok {
			return readSecret(strings.TrimSuffix(file, "}"))
		}
		return v, nil
	}
	s := &settings{ignored: map[string]bool{}}
	var addr, port string
	var problems []error
	for _, x := range []struct {
		to                     *string
		section, key, fallback string
	}{
		{&addr, "server", "http_addr", ""},
		{&port, "server", "http_port", "3000"},
		{&s.rootURL, "server", "root_url", ""},
		{&s.data, "paths", "data", "/var/lib/grafana"},
		{&s.provisioning, "paths", "provisioning", "/etc/grafana/provisioning"},
		{&s.adminUser, "security", "admin_user", "admin"},
		{&s.adminPassword, "security", "admin_password", "admin"},
	} {
		if *x.to, err = get(x.section, x.key, x.fallback); err != nil {
			problems = append(problems, fmt.Errorf("setting %s.%s: %w", x.section, x.key, err))
		}
	}
	for k := range ini {
		if !used[k] {
			s.ignored[k] = true
		}
	}
	s.listen = net.JoinHostPort(addr, port)
	return s, errors.Join(problems...)
}

func readSecret(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read %q: %w", path, err)
	}
	return strings.TrimSpace(string(b)), nil
}

// readINI reads section.key = value; a missing file is empty.
func readINI(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	defer func() { _ = f.Close() }()
	out, section := map[string]string{}, ""
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			section = strings.Trim(line, "[]")
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("parse %q: %q is neither a section nor a setting", path, line)
		}
		out[section+"."+strings.TrimSpace(k)] = strings.Trim(strings.TrimSpace(v), `"`)
	}
	return out, lines.Err()
}

// keepPassword returns the digest of the password that holds: the one in the
// database, or, for a new database, the given one.
func keepPassword(db, password string) (string, error) {
	kept, err := os.ReadFile(db)
	if err == nil {
		return string(kept), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read database: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(db), 0o750); err != nil {
		return "", fmt.Errorf("make data directory: %w", err)
	}
	sum := digest(password)
	if err := os.WriteFile(db, []byte(sum), 0o600); err != nil {
		return "", fmt.Errorf("write database: %w", err)
	}
	return sum, nil
}

func digest(password string) string {
	sum := sha256.Sum256([]byte("grafana stand-in:" + password))
	return hex.EncodeToString(sum[:])
}

func or(v, fallback string) string {
	if v == "" {
		return fallback
	}
	return v
}
