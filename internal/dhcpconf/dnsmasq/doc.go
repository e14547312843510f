// Package dnsmasq reads dnsmasq's configuration, with the place of every option in it, and the reservations that stand there.
// It must not know where a file lies, what dnsmasq would do with it, or what should stand in it. It follows dnsmasq(8),
// "CONFIG FILE" and the options --conf-file, --conf-dir, --dhcp-hostsfile, --dhcp-optsfile and --dhcp-host.
package dnsmasq
