// Package tftpd serves files over TFTP: its sockets, its limits, its log lines, metrics and journal entries. It must not
// know what a file name means (an ipxe.Source does), nor what a packet brings about (package tftp does). It follows RFC
// 1350 and RFC 1123 section 4.2.3, but that all its transfers share the port on which it listens, so that one firewall
// rule and one capability are enough: a transfer is known by the client's address and port.
//
// The price of one port: who forges both a request and the ACKs that follow can have a file sent to a third party, as
// the server's TID is no secret. Requests alone, forged or not, bring the first packet at most twice.
package tftpd
