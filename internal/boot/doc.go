// Package boot decides what a machine is told to boot. It knows kinds of clients, reservations and what one stack
// offers; it must not know packets, sockets, files, clocks or Kubernetes. It follows RFC 4578 (client architecture),
// RFC 3004 (user class), PXE 2.1, the UEFI specification's HTTP boot chapter and iPXE's option 175.
//
// # The boot, once and for all
//
// A bare-metal machine boots from the network in steps, and asks DHCP in each of them:
//
//  1. Firmware (a PXE ROM, UEFI PXE, or UEFI HTTP boot) sends DISCOVER with vendor class PXEClient or HTTPClient
//     (option 60) and its client architecture (option 93). It is given its reserved address and the first-stage boot
//     file: an iPXE binary, fetched by TFTP from next-server, or by HTTP from a URL.
//  2. iPXE runs and asks DHCP again. Built for Tinkerbell it says user class Tinkerbell (option 77); as distributions
//     ship it, iPXE. A distribution's UEFI iPXE first fetches autoexec.ipxe, which makes it say Tinkerbell; its BIOS
//     binary does not, and would be handed itself for ever: so an iPXE that can speak HTTP is given the script too.
//  3. The answer to it is the URL of auto.ipxe. The script loads kernel and initrd and starts them.
//  4. The operating system installer asks DHCP as any host does: it is given its address and nothing to boot.
//
// [Decide] is steps 1 to 4 as one function. The DHCP reply, the script server, the configuration renderers and the
// command that explains an answer all call it. [Table] walks every kind of client through it, so that a test can show
// that what is rendered, answered and served agrees.
package boot
