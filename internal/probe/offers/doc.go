// Package offers is a DHCP client that asks what firmware and iPXE ask, reports every answer, and judges the answers
// against what an endpoint wants to be told. It knows packets, sockets and bounds; it must not know Kubernetes, nor who
// configured the server that answers, and it sends no REQUEST unless told. It follows RFC 2131, RFC 4578 and packet(7);
// the packets are those of the captures in test/testdata/pcap.
package offers
