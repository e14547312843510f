// Package rows holds the conformance suite's rows: for each rule of the RFCs, of PXE 2.1 and of UEFI HTTP boot that a client can
// see from outside, a name, the rule and a function that asks a server and judges its answers. It knows the rules and what is on
// the wire; it must not know which server it asks, nor share code with Tugboot's. It follows RFC 1350, 2131, 2132, 2347 to 2349,
// 3004, 3046, 3396, 3442, 3527, 4388, 4578, 5107, 6842, 7440 and 9110, the PXE 2.1 and the UEFI 2.10 specification.
package rows
