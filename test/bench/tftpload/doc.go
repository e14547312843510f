// Package tftpload plays any number of TFTP clients on one thread and compares every byte that they are sent. It knows the
// protocol from the client's side and what the file must hold; it must not know which server sends. It follows RFC 1350,
// 2347, 2348, 2349 and 7440.
package tftpload
