// Package wire is the conformance suite's own client: it makes and reads DHCP messages byte by byte, and sends and hears them
// as Ethernet frames, in the name of any machine. It knows headers and nothing of what an answer should say, and must not share
// code with the servers that it looks at. It follows RFC 2131, 2132 and 3396, 791, 768 and 826, and packet(7).
package wire
