// Package web holds what every HTTP service of the stand-in shares: JSON in
// and out, the static health answers, and a listener that never drains.
package web
