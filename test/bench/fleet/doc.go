// Package fleet is the network that everything is measured on: one server, one relay agent that is also every client, and
// up to a million machines with a MAC and a reserved address each. It must not know any DHCP server's language. MACs are
// locally administered unicast ones (IEEE 802), addresses those of 10.64.0.0/10 (RFC 1918).
package fleet
