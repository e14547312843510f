package probe

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// errNoScript is the error of a text that iPXE does not take for a script.
var errNoScript = errors.New("it does not begin with #!ipxe")

// tinkServers returns what a script gives kernels as grpc_authority, sorted, each once: a machine that runs the script
// talks to that Tink server, whoever gave it the script. Texts that are no script have none and an error.
//
// It reads scripts the way iPXE does: a backslash joins two lines, words end at white space, the words && || ; end a
// command, a word that begins with # comments out the rest, and there is no quoting. Only arguments of commands that
// name or start an image count, so that an echo or a comment proves nothing. A variable stands for every value that it
// is set to anywhere, because a script may jump; iPXE's own settings stay as they are written.
func tinkServers(text []byte) ([]string, error) {
	if !isScript(text) {
		return nil, errNoScript
	}
	all := commands(text)
	v := variables{}
	for _, command := range all {
		v.set(command)
	}
	var found []string
	for _, command := range all {
		switch command[0] {
		case "kernel", "imgselect", "imgfetch", "imgload", "imgargs", "imgexec", "chain", "boot":
			found = append(found, v.authorities(command[1:])...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// isScript reports whether the first line is the one by which iPXE knows a script.
func isScript(text []byte) bool {
	for _, magic := range []string{"#!ipxe", "#!gpxe"} {
		if rest, ok := bytes.CutPrefix(text, []byte(magic)); ok && (len(rest) == 0 || strings.ContainsRune(" \t\r\n", rune(rest[0]))) {
			return true
		}
	}
	return false
}

// commands splits a script into commands, each of which has a word at least.
func commands(text []byte) [][]string {
	var all [][]string
	for line := range strings.Lines(strings.NewReplacer("\\\r\n", "", "\\\n", "").Replace(string(text))) {
		words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r", r) })
		if i := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, "#") }); i >= 0 {
			words = words[:i]
		}
		for len(words) > 0 {
			end := slices.IndexFunc(words, func(word string) bool { return word == "&&" || word == "||" || word == ";" })
			if end < 0 {
				end = len(words)
			}
			if end > 0 {
				all = append(all, words[:end])
			}
			words = words[min(end+1, len(words)):]
		}
	}
	return all
}

// variables are the values that a script sets, by name.
type variables map[string][]string

// authority is the kernel argument.
const authority = "grpc_authority"

// set takes note of a set command that gives a variable one word, as a Tink server's address is. Of two values or more
// the first two are kept: that there is more than one is all that matters.
func (v variables) set(command []string) {
	if len(command) != 3 || command[0] != "set" {
		return
	}
	name, _, _ := strings.Cut(command[1], ":") // a type may follow
	if known := v[name]; len(known) < 2 && !slices.Contains(known, command[2]) {
		v[name] = append(known, command[2])
	}
}

// authorities returns the values of the grpc_authority arguments among words. Linux joins what stands between double
// quotes into one argument, so that they may stand around the argument or its value.
func (v variables) authorities(words []string) []string {
	var found []string
	for _, word := range words {
		name, value, ok := strings.Cut(strings.Trim(word, `"`), "=")
		if !ok || name != authority {
			continue
		}
		value = strings.Trim(value, `"`)
		variable, isVariable := strings.CutPrefix(value, "${")
		variable, closed := strings.CutSuffix(variable, "}")
		if values := v[variable]; isVariable && closed && len(values) > 0 {
			found = append(found, values...)
			continue
		}
		found = append(found, value)
	}
	return found
}

// proof returns the address that a script names as its Tink server: the zero Addr where it names none, or one by name,
// which proves nothing. To name two is an error, because nobody knows which of them counts.
func proof(script []byte) (netip.Addr, error) {
	servers, err := tinkServers(script)
	switch {
	case err != nil:
		return netip.Addr{}, err
	case len(servers) == 0:
		return netip.Addr{}, nil
	case len(servers) > 1:
		return netip.Addr{}, heardf("names two Tink servers, %.60q and %.60q: leave one grpc_authority, and look at the Hardware's kernelParams",
			servers[0], servers[1])
	}
	return hostOf(servers[0]), nil
}

// hostOf returns the address in address:port, the zero Addr for anything else: a host name or a setting of iPXE's is
// legitimate, and no proof.
func hostOf(server string) netip.Addr {
	at, err := netip.ParseAddrPort(server)
	if err != nil || unaskable(at.Addr()) != nil || at.Port() == 0 {
		return netip.Addr{}
	}
	return at.Addr()
}
