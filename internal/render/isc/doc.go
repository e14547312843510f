// Package isc says what one cluster's machines are to be told, in the language of ISC dhcpd: one line that its operator
// includes once, and one live file, a group that holds the boot rules and our hosts. It must not know files, processes or
// sockets, and no other service's language. It follows dhcpd.conf(5), dhcp-options(5) and dhcp-eval(5) of dhcpd 4.4.3, and
// RFC 4578, RFC 3004 and RFC 3442.
//
// # How the rules are scoped
//
// Statements in a group are executed for the hosts in it alone, and after those of the subnet, so that they win. Options
// that the group does not set stay as the operator's subnet and global scopes have them, a filename there included: it is
// told to a machine of ours that matches no rule. dhcpd does not look into option 175: every iPXE is given the script, and
// one that is too old to fetch by HTTP does not boot. dhcpd counts time to January 2038: an infinite lease ends there.
package isc
