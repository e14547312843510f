// Package tftp parses and builds TFTP packets and decides, packet by packet, what a server sends in one read transfer.
// It must not know sockets, clocks, files or what a file name means: time and bytes are arguments, and what a caller
// sends is a result. It follows RFC 1350 (the protocol), RFC 1123 section 4.2 (its repair), RFC 2347 (options), RFC 2348
// (blksize), RFC 2349 (timeout, tsize) and RFC 7440 (windowsize).
package tftp
