// Package kea reads the configuration of Kea's DHCPv4 server, with the place of every value in it, and the reservations that
// stand there. It must not know where a file lies, what Kea would do with it, or what should stand in it. It follows the
// Kea Administrator Reference Manual, chapters "Kea Configuration" (JSON with comments and includes) and "The DHCPv4 Server".
package kea
