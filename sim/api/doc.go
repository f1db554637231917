// Package api holds what the two emulated cloud APIs have in common: strict
// request bodies, JSON answers, pagination, the hourly request budget, timed
// work behind an asynchronous action, and the view of a cloud that the control
// API and the DNS server take.
package api
