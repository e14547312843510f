// Package dhcp4 turns the bytes of a DHCPv4 request into the bytes of the one answer to it, where the answer goes and
// the reason for it. It knows the wire, reservations and the decision of what to boot; it must not know sockets,
// clocks, logs or Kubernetes. It follows RFC 2131 and 2132, with RFC 3011, 3046, 3396, 3442, 3527, 4578, 5107, 6842
// and 8357, and the boot story told in package boot.
package dhcp4
