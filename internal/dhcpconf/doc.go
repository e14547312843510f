// Package dhcpconf is the vocabulary of the three parsers below it: a place in a file, what is wrong there, how included
// files are reached, and a reservation as an operator's configuration has it. It knows no daemon's language, opens no file
// and has no opinion on what it reads. Words follow RFC 2131, RFC 2132 and RFC 3442.
package dhcpconf
