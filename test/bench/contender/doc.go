// Package contender knows how each server that is measured is told its reservations and files, started, and made to read a
// change: one small file each, and a line in All. It must not know what is measured. The configurations are those of the
// servers' own manuals, as their operators write them; where a faster one is usual, it is a contender of its own.
package contender
