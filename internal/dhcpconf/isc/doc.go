// Package isc reads the configuration of ISC dhcpd as a tree of statements, with the place of every token in it, and the
// reservations that stand there. It must not know where a file lies, what dhcpd would do with it, or what should stand in
// it. It follows dhcpd.conf(5), dhcp-options(5) and dhcp-eval(5), whose expressions it keeps as tokens.
package isc
