package boot

import (
	"fmt"
	"slices"
	"strings"
)

// Binaries are the names under which a stack serves first-stage binaries. It is immutable.
type Binaries struct {
	byFamily map[Family]string
	all      map[string]bool
}

// NewBinaries returns the set of files, of which byFamily names the one for each family of machines.
func NewBinaries(byFamily map[Family]string, files []string) *Binaries {
	b := &Binaries{byFamily: map[Family]string{}, all: map[string]bool{}}
	for f, name := range byFamily {
		b.byFamily[f] = name
		b.all[name] = true
	}
	for _, name := range files {
		b.all[name] = true
	}
	return b
}

// For returns the file for family f, or "" where there is none.
func (b *Binaries) For(f Family) string {
	if b == nil {
		return ""
	}
	return b.byFamily[f]
}

// Has reports whether a file of that name is served.
func (b *Binaries) Has(name string) bool { return b != nil && b.all[name] }

// String names the file of each family as ParseBinaries reads it: "bios=undionly.kpxe uefi-x86-64=ipxe.efi", sorted by
// the family's name. A file whose name ParseBinaries would not take is left out. It is "" for none.
func (b *Binaries) String() string {
	var pairs []string
	for _, f := range Families() {
		if name := b.For(f); plainName(name) {
			pairs = append(pairs, f.String()+"="+name)
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, " ")
}

// ParseBinaries reads what String wrote, and nothing else: the families sorted, each once, with one space between two.
// Files of no family are not in it.
func ParseBinaries(s string) (*Binaries, error) {
	byFamily := map[Family]string{}
	if s == "" {
		return NewBinaries(byFamily, nil), nil
	}
	last := ""
	for pair := range strings.SplitSeq(s, " ") {
		f, file, err := ParseBinary(pair)
		switch {
		case err != nil:
			return nil, err
		case pair <= last:
			return nil, fmt.Errorf("%+.80q: stands twice or in the wrong place: sort the families and name each once", pair)
		case byFamily[f] != "":
			return nil, fmt.Errorf("%+.80q: a second file for these machines: leave one out", pair)
		}
		byFamily[f], last = file, pair
	}
	return NewBinaries(byFamily, nil), nil
}

// ParseBinary reads one pair of a family and its file, such as uefi-x86-64=shimx64.efi.
func ParseBinary(pair string) (Family, string, error) {
	name, file, _ := strings.Cut(pair, "=")
	f := familyNamed(name)
	if f == FamilyUnknown {
		return f, "", fmt.Errorf("%+.80q: no family of machines begins it: write FAMILY=FILE, such as uefi-x86-64=ipxe.efi", pair)
	}
	if !plainName(file) {
		return f, "", fmt.Errorf("%+.80q: not the name of a file: write letters, digits, dots, dashes and underscores, such as %s=ipxe.efi", pair, name)
	}
	return f, file, nil
}

// familyNamed is the inverse of Family.String, FamilyUnknown for no family's name.
func familyNamed(name string) Family {
	for _, f := range Families() {
		if f.String() == name {
			return f
		}
	}
	return FamilyUnknown
}

// maxName is the length of the file field of a DHCP answer without the NUL that ends it.
const maxName = 127

// plainName reports whether s is a file's name that means nothing but itself in a path, a URL, a script or a rendered
// file.
func plainName(s string) bool {
	return s != "" && len(s) <= maxName && s[0] != '.' && s[0] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_')
	})
}
