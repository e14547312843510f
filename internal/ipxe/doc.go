// Package ipxe holds what a machine is given by path: the first-stage binaries, autoexec.ipxe and auto.ipxe. It knows
// reservations, boot.Decide, one directory of files read at start and one that is read when asked; it must not know
// sockets, HTTP or TFTP. Scripts follow iPXE's own command line parser (core/exec.c, image/script.c), kernel arguments
// those that HookOS reads.
//
// Who may write a Hardware object's ipxe.contents or ipxe.url may run anything on that machine: the first is handed out
// as it is, the second chained. Every other value is proven to be one harmless word, or the script is refused.
package ipxe
