// Package store connects the services to PostgreSQL and Redis and runs the
// embedded migrations as sqlx would: one advisory lock, one row per migration
// with its checksum, and a refusal to start on anything edited or unknown.
package store
