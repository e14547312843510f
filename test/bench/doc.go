// Bench measures Tugboot and other people's servers beside each other, in one run on one machine: DHCP, TFTP and HTTP, from
// one exchange to a thousand machines that boot at once, with the physical limit beside them. It knows contenders, loads and
// the order of the turns; it must not know a server's language (contender), a protocol (dhcpload, tftpload, httpload) or
// how a figure is shown (report). The network is one cable between two namespaces that package lab makes; it needs root.
package main
