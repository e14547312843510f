// Package results keeps what was measured: one file for each contender, written after each of its turns, so that a run that
// was broken off goes on where it was. It must not know how a figure is measured or shown. The files are JSON, for whoever
// wants to look closer.
package results
