// Package syslog reads syslog messages from bytes and makes their text fit to be shown. It knows message formats and
// framing; it must not know sockets, machines or where messages go. It follows RFC 3164, RFC 5424 and RFC 6587, and
// takes what follows none of them as plain text.
package syslog
