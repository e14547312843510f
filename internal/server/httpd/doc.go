// Package httpd serves what an ipxe.Source gives out over HTTP, with bounds on connections, headers and time. It knows
// sockets and requests; it must not know which machine is given what, nor why. It follows RFC 9110 (HTTP semantics) and
// the UEFI specification's HTTP boot chapter, which needs Content-Length in the answer to HEAD.
package httpd
