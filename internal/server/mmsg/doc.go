// Package mmsg receives and sends many datagrams with one system call. It knows how Linux lays out what it is asked and what
// it answers (recvmmsg(2), sendmmsg(2), ip(7), udp(7), packet(7)), and how its waiting goes along with Go's scheduler; it must
// not know what is in a datagram. In the steady state it takes no memory.
package mmsg
