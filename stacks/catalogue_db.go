package stacks

import "slices"

const (
	postgresUID = 999 // of the official images, Debian variants
	redisUID    = 999

	postgresConfig = "/etc/postgresql/" + currentConfig
	redisConfig    = "/etc/redis/" + currentConfig
)

func databaseServices() []ServiceSpec {
	return []ServiceSpec{postgres(), redisService("redis-primary", DB)}
}

func postgres() ServiceSpec {
	return ServiceSpec{
		Name: "postgres", Role: DB, Image: "postgres",
		Command: []string{"postgres", "-c", "config_file=" + postgresConfig + "/postgresql.conf"},
		Reload:  []string{"bash", postgresConfig + "/reload.sh"}, Started: []string{"postgresql.conf"},
		UID: postgresUID, GID: postgresUID,
		Port: 5432, Private: []int{5432},
		Health:   []string{"CMD", "bash", postgresConfig + "/health.sh"},
		MemoryMB: 384, MemoryShare: 3, PIDs: 512, GraceSec: 120,
		Data:      []DataDir{{Host: DataRoot + "/postgres", Mount: "/var/lib/postgresql/data", Mode: 0o700}},
		ConfigDir: "/etc/postgresql",
		HostNames: true,                                                          // pg_hba.conf has them: without an answer nobody is let in
		Tmpfs:     []string{"/run/postgresql:uid=999,gid=999,mode=2775,size=8m"}, // its socket
		ShmMB:     128,
		env: func(*renderer) []variable {
			return []variable{
				// A directory of its own, since a volume's root may hold
				// files that initdb refuses.
				{"PGDATA", "/var/lib/postgresql/data/16"},
				{"POSTGRES_INITDB_ARGS", "--data-checksums --locale=C --encoding=UTF8 --auth-local=peer --auth-host=scram-sha-256"},
				{"POSTGRES_PASSWORD_FILE", postgresConfig + "/password"},
			}
		},
		files: func(r *renderer) []File { return r.postgresFiles() },
	}
}

// postgresFiles are the server's certificate, and a password for the superuser,
// which the image asks for at the first start: pg_hba.conf lets nobody in with it.
func (r *renderer) postgresFiles() []File {
	cert, key, err := r.authority.issue(DB.Host())
	if err != nil {
		r.fail(err)
		return nil
	}
	password, err := derivePassword(r.d.Seed, "postgres superuser")
	if err != nil {
		r.fail(err)
		return nil
	}
	return []File{
		{Path: "password", Mode: 0o400, Content: []byte(password + "\n"), Secret: true},
		{Path: "server.crt", Mode: 0o444, Content: cert},
		{Path: "server.key", Mode: 0o400, Content: key, Secret: true},
	}
}

// postgresLogin is the role that the services log in as. It is named after its
// password: a new password is another role, so that the old one stays good
// until the services on other hosts have the new one too.
func (r *renderer) postgresLogin() string {
	return postgresAppUser + "_login_" + r.digest("postgres login", r.d.Secrets.PostgresPassword)[:8]
}

// verifier is what the server keeps of a role's password.
func (r *renderer) verifier(role, password string) string {
	v, err := scramVerifier(r.d.Seed, role, password)
	if err != nil {
		r.fail(err)
	}
	return v
}

// databaseClients are the hosts from which the services dial, sorted.
func (r *renderer) databaseClients() []string {
	var hosts []string
	for _, s := range r.all { // sorted by role
		if s.Pool > 0 && !slices.Contains(hosts, s.Role.Host()) {
			hosts = append(hosts, s.Role.Host())
		}
	}
	return hosts
}

// redisService is one Redis; its configuration directory makes it primary or
// replica. No password is in its environment, which a change of would make a
// new container: the server takes them all from the directory.
func redisService(name string, role Role) ServiceSpec {
	s := ServiceSpec{
		Name: name, Role: role, Image: "redis",
		Command: []string{"redis-server", redisConfig + "/redis.conf"},
		Reload:  []string{"bash", redisConfig + "/reload.sh"}, Started: []string{"redis.conf"},
		UID: redisUID, GID: redisUID,
		Port: 6379, Private: []int{6379},
		Health:   []string{"CMD", "bash", redisConfig + "/health.sh"},
		MemoryMB: 192, MemoryShare: 2, PIDs: 64, GraceSec: 60,
		Data:      []DataDir{{Host: DataRoot + "/redis", Mount: "/data", Mode: 0o700}},
		ConfigDir: "/etc/redis",
		files: func(r *renderer) []File {
			files, err := r.templates("redis")
			if err != nil {
				r.fail(err)
			}
			return files
		},
	}
	if role == Message {
		s.Needs = []string{"redis-primary"}
		s.Command = []string{"bash", redisConfig + "/start.sh"}
	}
	return s
}
