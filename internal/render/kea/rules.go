package kea

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
)

// ruleClasses are the boot rules, none where there is nothing to boot.
func ruleClasses(w render.Word) ([]Class, error) {
	e, err := w.Endpoint()
	if err != nil || !e.Addr.IsValid() {
		return nil, err
	}
	var classes []Class
	var before []boot.Rule
	for _, rule := range boot.Table(e) {
		if !rendered(rule) {
			continue
		}
		test := []string{"member('KNOWN')", member(Marker(w.Mark.Cluster))}
		for _, other := range before {
			if overlap(other, rule) {
				test = append(test, "not "+member(w.Prefix()+other.Name))
			}
		}
		before = append(before, rule)
		c := Class{Name: w.Prefix() + rule.Name, Test: strings.Join(append(test, conditions(rule)...), " and ")}
		if d := rule.Decision; d.Action == boot.Boot {
			c.NextServer, c.ServerName, c.BootFile = d.NextServer.String(), d.ServerName, d.BootFile
			if class := d.VendorClass.String(); class != "" {
				c.Options = []Option{{Name: "vendor-class-identifier", Code: 60, Space: "dhcp4", CSV: true, Data: class, AlwaysSend: true}}
			}
		}
		classes = append(classes, c)
	}
	return classes, nil
}

// rendered reports whether a rule has a class. A rule of a user class that boots nothing has one, so that its clients are
// not taken for firmware. Kea does not tell an old iPXE from another, and has no menu for one kind of board.
func rendered(rule boot.Rule) bool {
	if rule.Client.UserClass != "" {
		return rule.Archs == nil
	}
	return rule.Decision.Action == boot.Boot && !rule.Decision.RaspberryPiMenu
}

// overlap reports whether one client can match both.
func overlap(a, b boot.Rule) bool {
	if a.Client.UserClass != "" || b.Client.UserClass != "" {
		return true
	}
	return a.Client.VendorClass == b.Client.VendorClass && slices.ContainsFunc(a.Archs, func(arch boot.Arch) bool { return slices.Contains(b.Archs, arch) })
}

// conditions are what a rule tests of the request. All that stands in them comes from boot.
func conditions(rule boot.Rule) []string {
	if class := rule.Client.UserClass; class != "" {
		listed := fmt.Sprintf("%02x%x", len(class), class)
		return []string{
			fmt.Sprintf("(%s or %s)", vendor(boot.VendorPXEClient), vendor(boot.VendorHTTPClient)),
			// Raw, and as the first of the list of RFC 3004, where its length stands before it.
			fmt.Sprintf("(option[77].hex == '%s' or substring(option[77].hex,0,%d) == 0x%s)", class, len(class)+1, listed),
		}
	}
	archs := make([]string, 0, len(rule.Archs))
	for _, a := range rule.Archs {
		archs = append(archs, fmt.Sprintf("substring(option[93].hex,0,2) == 0x%04x", uint16(a)))
	}
	return []string{vendor(rule.Client.VendorClass), "(" + strings.Join(archs, " or ") + ")"}
}

// vendor is true for clients whose option 60 begins with the class.
func vendor(class boot.VendorClass) string {
	return fmt.Sprintf("substring(option[60].hex,0,%d) == '%s'", len(class.String()), class)
}

func member(class string) string { return "member('" + class + "')" }
