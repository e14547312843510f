package ipxe

import (
	"strings"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Kind is what a path asks for.
type Kind uint8

// The kinds.
const (
	KindNone     Kind = iota // nothing that could be here
	KindScript               // auto.ipxe
	KindAutoexec             // autoexec.ipxe
	KindBinary               // a first-stage binary, by name
	KindImage                // a kernel or an initrd, by name
)

// The names of the two scripts.
const (
	scriptName   = "auto.ipxe"
	autoexecName = "autoexec.ipxe"
)

// maxPath is the longest path that is looked at, in bytes.
const maxPath = 512

// Target is what a path asks for, and for which machine.
type Target struct {
	Kind Kind
	// MAC is the one that stands in the path, zero when none does.
	MAC reservation.MAC
	// File is the last element of the path. Only with KindImage is it ever the name of a file to open.
	File string
}

// Resolve says what a path, already unescaped, asks for. Scripts are at /, /ipxe/script/ and scriptPath, the path that
// is advertised; binaries and autoexec.ipxe at /, /ipxe/ and /ipxe/binary/; kernels and initrds at /hook/; a MAC in any of
// its notations may stand before the last element. TFTP clients leave out the leading slash, double it or write back slashes: all the same.
// "." and ".." are not followed.
func Resolve(p, scriptPath string) Target {
	if len(p) > maxPath {
		return Target{}
	}
	elements := split(p)
	if len(elements) == 0 {
		return Target{}
	}
	directory, file := elements[:len(elements)-1], elements[len(elements)-1]
	var m reservation.MAC
	if n := len(directory); n > 0 {
		if parsed, err := reservation.ParseMAC(directory[n-1]); err == nil {
			m, directory = parsed, directory[:n-1]
		}
	}
	return Target{Kind: kind(strings.Join(directory, "/"), file, scriptPath), MAC: m, File: file}
}

// kind classifies a file by its name and its directory, which is written without slashes around it.
func kind(directory, file, scriptPath string) Kind {
	advertised := strings.Join(split(scriptPath), "/")
	switch {
	case strings.TrimPrefix(directory+"/"+file, "/") == advertised:
		return KindScript
	case file == scriptName && (directory == "" || directory == "ipxe/script"):
		return KindScript
	case directory == "hook":
		return KindImage
	case directory != "" && directory != "ipxe" && directory != "ipxe/binary":
		return KindNone
	case file == autoexecName:
		return KindAutoexec
	case isBinary(file):
		return KindBinary
	}
	return KindNone
}

// split returns the elements of a path, without the empty ones.
func split(p string) []string {
	return strings.FieldsFunc(p, func(r rune) bool { return r == '/' || r == '\\' })
}
