// Package probe asks a stack what firmware, iPXE and a Tink worker would ask, and reports every answer as a
// takeover.Stack. It knows sockets, bounds and where each release serves what; it must not know Kubernetes, nor what
// follows from an answer. It follows RFC 1350 (TFTP) and RFC 9110 (HTTP); discover.go tells how a script is found that
// nobody may have at the moment.
package probe
