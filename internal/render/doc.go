// Package render is the vocabulary of the four renderers below it: what one existing DHCP service is to say for one cluster
// (Wanted), whose word that is (Word), and the boot rules in the order of boot.Table. It knows no service's language, no
// file and no socket. docs/existing-dhcp.md tells what is written where, and what is the operator's.
package render
