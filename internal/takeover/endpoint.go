package takeover

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Endpoint is where one stack serves, as machines are told. Two are equal (==) when machines are told the same.
type Endpoint struct {
	// Addr is next-server. The zero Addr means that nothing is advertised.
	Addr netip.Addr
	// TFTPPort and HTTPPort are 0 where the stack was not seen to serve that protocol.
	TFTPPort, HTTPPort uint16
	// ScriptPath is the path of the iPXE script, such as /ipxe/script/auto.ipxe; empty without an HTTPPort.
	ScriptPath string
	// BootFiles names the first-stage binary for each family of machines: "family=file" pairs, sorted, one space between
	// two. Families that are not named are not given a binary.
	BootFiles string
}

// The longest texts that are stored and told.
const (
	maxScriptPath = 255
	maxBootFiles  = 1024
)

// IsZero reports whether e advertises nothing.
func (e Endpoint) IsZero() bool { return e == Endpoint{} }

// ScriptURL is the URL of the script, or "" where the stack serves none.
func (e Endpoint) ScriptURL() string {
	if !e.Addr.IsValid() || e.HTTPPort == 0 {
		return ""
	}
	authority := e.Addr.String()
	if e.HTTPPort != 80 {
		authority += ":" + strconv.Itoa(int(e.HTTPPort))
	}
	return "http://" + authority + e.ScriptPath
}

// wrong says what makes e one that cannot be stored or told to machines: the field and what must be there; or "", "".
func (e Endpoint) wrong() (field, want string) {
	switch {
	case unreachable(e.Addr) != "":
		return "address", "an IPv4 address that machines on the network can reach"
	case (e.HTTPPort == 0) != (e.ScriptPath == ""):
		return "script-path", "a path such as /ipxe/script/auto.ipxe, and none where http-port is 0"
	case e.ScriptPath != "" && !plainPath(e.ScriptPath):
		return "script-path", "a path such as /ipxe/script/auto.ipxe, without spaces, quotes or variables"
	}
	if _, ok := parseBootFiles(e.BootFiles); !ok {
		return "boot-files", "pairs such as bios=undionly.kpxe uefi-x86-64=ipxe.efi, sorted, with one space between two"
	}
	return "", ""
}

// sound reports whether e can be stored and told to machines.
func (e Endpoint) sound() bool {
	field, _ := e.wrong()
	return field == ""
}

// complete reports whether everything that a machine needs to boot from the network is there.
func (e Endpoint) complete() bool {
	return e.sound() && e.TFTPPort != 0 && e.HTTPPort != 0
}

// samePlace reports whether two endpoints differ in nothing but their boot files.
func (e Endpoint) samePlace(other Endpoint) bool {
	e.BootFiles, other.BootFiles = "", ""
	return e == other
}

// seenAs returns what is to be told once the stack that was known as e was seen as seen. A boot file that this round did
// not see is still told while the address is the same: packets get lost, and who took it for gone would have every
// service written twice.
func (e Endpoint) seenAs(seen Endpoint) Endpoint {
	if e.Addr != seen.Addr {
		return seen
	}
	files, ok := parseBootFiles(e.BootFiles)
	fresh, freshOK := parseBootFiles(seen.BootFiles)
	if !ok || !freshOK {
		return seen
	}
	maps.Copy(files, fresh)
	pairs := make([]string, 0, len(files))
	for _, family := range slices.Sorted(maps.Keys(files)) {
		pairs = append(pairs, family+"="+files[family])
	}
	if text := strings.Join(pairs, " "); len(text) <= maxBootFiles {
		seen.BootFiles = text
	}
	return seen
}

// parseBootFiles reads "family=file" pairs, strictly.
func parseBootFiles(s string) (map[string]string, bool) {
	files := map[string]string{}
	if s == "" {
		return files, true
	}
	if len(s) > maxBootFiles {
		return nil, false
	}
	last := ""
	for pair := range strings.SplitSeq(s, " ") {
		family, file, _ := strings.Cut(pair, "=")
		if family <= last || !plainName(family) || !plainName(file) {
			return nil, false
		}
		last = family
		files[family] = file
	}
	return files, true
}

// plainName reports whether s can be a file's name anywhere: letters, digits, dots, hyphens, underscores and pluses.
func plainName(s string) bool {
	return s != "" && s[0] != '.' && s[0] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return !alphanumeric(r) && r != '.' && r != '-' && r != '_' && r != '+'
	})
}

// plainPath reports whether s is an absolute path that is safe in a script, a configuration and a log.
func plainPath(s string) bool {
	return len(s) > 1 && len(s) <= maxScriptPath && s[0] == '/' &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("%\"'`${}\\<>?#", r) })
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
