// Package dhcpd receives DHCP requests on UDP port 67, and in a proxy mode on PXE's port 4011, and sends the answers that
// package dhcp4 makes from the snapshot in force. It knows sockets, interfaces, queues and limits of Linux; it must not
// know what an answer says or why, nor Kubernetes. It follows RFC 2131 section 4.1 and PXE 2.1 section 2.2.5 for what is
// sent where, and ip(7), packet(7) and socket(7).
package dhcpd
