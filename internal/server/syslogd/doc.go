// Package syslogd receives syslog over UDP and TCP, tells which machine each message is from and hands it to the log and
// the journal, within bounds that a flood cannot pass. It knows sockets, limits and the inventory; it must not know what
// messages mean, and never slows another server down. It follows RFC 5426 (UDP), RFC 6587 (TCP) and package syslog.
package syslogd
