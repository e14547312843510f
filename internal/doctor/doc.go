// Package doctor judges whether `tugboot serve` would work with given flags on a host, in its network and with its cluster,
// and says what to do where it would not. It knows facts that others have gathered and an ordered list of checks; it must not
// look at anything itself: no socket, no file, no API, no clock. What it holds ports, capabilities and rights against is what
// ip(7), capabilities(7) and config/rbac say.
package doctor
