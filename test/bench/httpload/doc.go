// Package httpload plays a number of machines that fetch a large file over HTTP at once. It knows requests, statuses and
// lengths, and what the file must hold; it must not know which server sends. It follows RFC 9112, and tcp(7) for taking
// bytes off a connection without looking at them, so that the server's core is the busy one.
package httpload
