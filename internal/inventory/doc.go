// Package inventory holds the set of reservations that is in force: an immutable Snapshot with its lookups, the
// conflicts between claimants, and the Store that publishes one snapshot after the other atomically. It knows nothing
// of where reservations come from or what is done with them. Rules of precedence are in docs/design.
package inventory
