// Command conformance asks a DHCP and TFTP server what the RFCs, PXE 2.1 and UEFI HTTP boot rule, and prints one line per rule:
// `go run ./test/conformance --server ADDRESS --interface IFACE --known MAC=ADDRESS`. It knows the rows of test/conformance/rows
// and how to print them; its test starts Tugboot and other people's servers in namespaces, and must not look at anything but
// what they answer. The table that the test keeps is docs/conformance.md, which also says how to ask a server of your own.
package main
