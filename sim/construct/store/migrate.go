package store

import (
	"bytes"
	"context"
	"crypto/sha512"
	"embed"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migration is one numbered SQL file.
type Migration struct {
	Version     int64
	Description string
	SQL         string
}

// Checksum is SHA-384 of the file, which sqlx stores.
func (m Migration) Checksum() []byte {
	sum := sha512.Sum384([]byte(m.SQL))
	return sum[:]
}

// firstOf080 is the first migration that only release 0.8 and later carry.
// With it a rollback to 0.7 refuses to start, as the real services do.
const firstOf080 = 4

// Migrations lists the embedded files of a release, lowest number first.
func Migrations(release string) ([]Migration, error) {
	files, err := fs.Glob(embedded, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	slices.Sort(files)
	var out []Migration
	for _, f := range files {
		number, description, _ := strings.Cut(strings.TrimSuffix(path.Base(f), ".sql"), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read migration %q: %w", f, err)
		}
		if version >= firstOf080 && strings.HasPrefix(release, "0.7.") {
			continue
		}
		sql, err := embedded.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("read migration %q: %w", f, err)
		}
		out = append(out, Migration{version, strings.ReplaceAll(description, "_", " "), string(sql)})
	}
	return out, nil
}

const createTable = `CREATE TABLE IF NOT EXISTS _sqlx_migrations (
	version BIGINT PRIMARY KEY,
	description TEXT NOT NULL,
	installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
	success BOOLEAN NOT NULL,
	checksum BYTEA NOT NULL,
	execution_time BIGINT NOT NULL
)`

// Migrate applies what is missing, under sqlx's advisory lock. It refuses a
// database with a migration that was edited, left half done, or is unknown.
func Migrate(ctx context.Context, pool *pgxpool.Pool, migrations []Migration) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire connection: %w", err)
	}
	defer conn.Release()
	var database string
	if err := conn.QueryRow(ctx, "SELECT current_database()").Scan(&database); err != nil {
		return fmt.Errorf("read database name: %w", err)
	}
	lock := int64(0x3d32ad9e) * int64(crc32.ChecksumIEEE([]byte(database)))
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
		return fmt.Errorf("take migration lock: %w", err)
	}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lock) }()

	if _, err := conn.Exec(ctx, createTable); err != nil {
		return fmt.Errorf("create migration table: %w", err)
	}
	done, err := applied(ctx, conn.Conn())
	if err != nil {
		return err
	}
	if err := check(done, migrations); err != nil {
		return err
	}
	for _, m := range migrations {
		if _, ok := done[m.Version]; ok {
			continue
		}
		if err := apply(ctx, conn.Conn(), m); err != nil {
			return err
		}
	}
	return nil
}

type record struct {
	success  bool
	checksum []byte
}

func applied(ctx context.Context, conn *pgx.Conn) (map[int64]record, error) {
	rows, err := conn.Query(ctx, "SELECT version, success, checksum FROM _sqlx_migrations ORDER BY version")
	if err != nil {
		return nil, fmt.Errorf("read migration table: %w", err)
	}
	defer rows.Close()
	out := map[int64]record{}
	for rows.Next() {
		var v int64
		var r record
		if err := rows.Scan(&v, &r.success, &r.checksum); err != nil {
			return nil, fmt.Errorf("read migration row: %w", err)
		}
		out[v] = r
	}
	return out, rows.Err()
}

// check refuses in the order in which sqlx does, with its words.
func check(done map[int64]record, known []Migration) error {
	byVersion := map[int64]Migration{}
	for _, m := range known {
		byVersion[m.Version] = m
	}
	versions := make([]int64, 0, len(done))
	for v := range done {
		versions = append(versions, v)
	}
	slices.Sort(versions)
	for _, v := range versions {
		m, ok := byVersion[v]
		switch {
		case !done[v].success:
			return fmt.Errorf("migration %d is partially applied; fix and remove row from `_sqlx_migrations` table", v)
		case !ok:
			return fmt.Errorf("migration %d was previously applied but is missing in the resolved migrations", v)
		case !bytes.Equal(done[v].checksum, m.Checksum()):
			return fmt.Errorf("migration %d was previously applied but has been modified", v)
		}
	}
	return nil
}

func apply(ctx context.Context, conn *pgx.Conn, m Migration) error {
	start := time.Now()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin migration %d: %w", m.Version, err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, m.SQL); err != nil {
		return fmt.Errorf("apply migration %d %s: %w", m.Version, m.Description, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
		VALUES ($1, $2, TRUE, $3, $4)`, m.Version, m.Description, m.Checksum(), time.Since(start).Nanoseconds())
	if err != nil {
		return fmt.Errorf("record migration %d: %w", m.Version, err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit migration %d: %w", m.Version, err)
	}
	return nil
}
