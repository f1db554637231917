// Package cloud says, in neutral types, what a cloud must offer for a
// deployment: a private network, firewalls, servers, volumes, a stable public
// address and DNS. The adapters below it know one provider each: its ids,
// slugs, limits and quirks. Nothing above it knows any of these.
package cloud
