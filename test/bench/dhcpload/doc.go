// Package dhcpload plays machines that ask for their address, many thousand a second, and checks every answer. It knows
// the fleet, what firmware and iPXE put in their packets and what they must be told; it must not know which server
// answers. It follows RFC 2131 (section 4.1 for retransmission), RFC 2132, RFC 4578 and, as a relay agent, RFC 1542.
package dhcpload
