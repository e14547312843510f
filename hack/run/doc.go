// Command run is what `make run` starts: it makes a whole site on this host, boots a machine in it, prints the boot's
// timeline and keeps serving until it is told to stop. It knows the lab and how to tell a person what happens; what
// Tugboot answers, it reads from Tugboot. The words it prints are those of RFC 2131 and of docs/architecture.md.
package main
