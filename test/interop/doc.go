// Package interop sets the real clients of a distribution on `tugboot serve`: DHCP clients and a relay agent, TFTP and
// HTTP clients, logger(1), each in a network namespace of its own, and asserts what they report and what was on the wire.
// It knows Tugboot's command line and what it says to the outside, and must not import what decides inside. It follows the
// manuals of the clients and RFC 2131, 2132, 3046, 1350, 2347 to 2349, 7440, 9110, 3164; it needs root and the packages of
// `hack/install-packages.sh test`.
package interop
