// Package series finds out which series the alert rules and the dashboards
// refer to, and which of them a running Prometheus does not have: a rule over a
// series that nothing produces never fires, and looks as green as one that has
// no reason to.
package series
