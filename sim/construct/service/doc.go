// Package service holds the HTTP back ends of the stand-in: auth, user,
// notification, messaging and media. All but media trust X-User-Id without
// any check, so nothing but the gateway may reach them.
package service
