// Package wire sends and receives UDP packets many at a time, on one thread, without allocating. It must not know what is
// in a packet. It follows recvmmsg(2), sendmmsg(2) and ppoll(2), with IPv4 alone.
package wire
