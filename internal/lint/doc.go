// Package lint finds in an operator's DHCP configuration what keeps machines from booting: the traps of Kea, dnsmasq and ISC
// dhcpd, each as a rule with a name, a reason and a remedy. It opens no file, asks no server, and must not report what it
// does not understand. It follows the daemons' manuals, RFC 3004, RFC 4578 and the UEFI specification's HTTP boot chapter.
package lint
