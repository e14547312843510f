// Package reservation is the vocabulary of the house: a hardware address, the fixed address and network settings that
// belong to it, and what may be booted there. It knows no Kubernetes, no packet and no file; it imports the standard
// library only, without its networking part. Words and ranges follow RFC 2131 and RFC 2132.
package reservation
