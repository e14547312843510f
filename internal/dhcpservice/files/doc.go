// Package files drives an existing DHCP service that reads its configuration from files in one folder: it replaces them as
// rename(2) does, so that a reader sees the old bytes or the new ones, and has the daemon check and read them by commands of
// the operator's. It must not know a service's language, which a Language holds, and it never uses a shell. What dnsmasq
// and ISC dhcpd do with their files is in the packages below internal/render.
package files
