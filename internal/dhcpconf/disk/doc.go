// Package disk reads a DHCP configuration, and what it includes, from this host's disk, with texts in place of files where
// those are not written yet. It knows nothing of what stands in the files, and must neither write nor wait for a pipe.
// Relative names are looked for beside the configuration, for where a daemon looks depends on how it was started.
package disk
