// Package statedir keeps small documents in a folder for after a restart: the last one that was saved whole, or none. It
// knows how to write a file so that a crash at any moment leaves the old or the new one, and how to tell its own files
// from broken and foreign ones; it must not know what is in them. It follows rename(2), fsync(2) and RFC 8259.
package statedir
