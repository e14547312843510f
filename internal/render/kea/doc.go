// Package kea says what one cluster's machines are to be told, in the language of Kea's DHCPv4 server: client classes that
// hold the boot rules, and reservations that hold the addressing. It must not know files, processes or sockets, and no
// other service's language. It follows the Kea Administrator Reference Manual for 2.2 to 3.0, chapters "The DHCPv4 Server"
// and "Client Classification", and RFC 4578, RFC 3004 and RFC 3442.
//
// # How the rules are scoped
//
// Every reservation puts its machine into the class tugboot-CLUSTER, which has no test and carries the mark. Each rule is a
// class that tests for it, and for KNOWN, so that Kea evaluates it after it has looked for a reservation. A rule tests
// that none before it holds which could hold too: one machine is in one of them.
//
// Kea takes next-server and boot-file-name from the first class that sets them, before those of the subnet. A class of the
// operator's that does not test for KNOWN is evaluated before the reservation is looked for, and beats the rules; so does
// option 60 of a subnet beat that of a rule. A machine that no rule is for is told what its subnet says, a boot file there
// included. Kea does not look into option 175: every iPXE is given the script, and one that is too old to fetch by HTTP
// does not boot.
package kea
