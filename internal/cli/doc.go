// Package cli is the command line: one file for each command, each of which reads its flags, puts the rooms of the house
// together and turns errors into exit codes. It knows every other package and holds no rule of its own. It follows the
// conventions of cobra, and exit codes 0 (done), 1 (failed) and 2 (wrong usage).
package cli
