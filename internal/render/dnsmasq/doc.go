// Package dnsmasq says what one cluster's machines are to be told, in dnsmasq's language: one fixed file that its operator
// includes once, and two files, hosts and options, that dnsmasq reads again on SIGHUP. It must not know files, processes or
// sockets, and no other service's language. It follows the manual page of dnsmasq 2.90 and RFC 4578, RFC 3004 and RFC 3442.
//
// # How the rules are scoped
//
// A line of the hosts file must not set a tag: dnsmasq up to 2.90 crashes on SIGHUP after such a host has done an exchange.
// So a machine is ours when dnsmasq knows it (it has a dhcp-host line), when it is in one of our networks, and when it does
// not carry the tag [Exempt], which the operator sets on dhcp-host lines of their own there. Three limits follow. Options
// are one for each network; a machine that asks for others is reported. A reserved address inside a dynamic range of the
// operator's has that range's tag, not ours: the operator gives both the same tag. Two clusters cannot share one network.
package dnsmasq
