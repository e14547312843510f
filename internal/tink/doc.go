// Package tink turns Hardware objects of tinkerbell.org into reservations, and reports everything in them that is wrong.
// It must not know where an object comes from or what becomes of a reservation: no client, no clock, no log. It follows
// RFC 2131 and 2132 (addresses and options), RFC 1123 section 2.1 (host names), RFC 3442 (routes) and IEEE 802.1Q (VLANs),
// because Tinkerbell's schema checks next to nothing of them.
package tink
