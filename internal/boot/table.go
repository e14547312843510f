package boot

import "github.com/tugboot/tugboot/internal/reservation"

// Rule is one kind of client with what every client of that kind is told.
type Rule struct {
	// Name is unique, stable and made of lower-case letters, digits and dashes, such as firmware-uefi-x86-64.
	Name string
	// Archs are the architectures the rule is for; nil means any.
	Archs []Arch
	// Client is a client of this kind, with the zero MAC.
	Client Client
	// Decision is Decide's word on it.
	Decision Decision
}

// Table lists every kind of netboot client, each exactly once, with what Decide tells it at e. URLs in it carry no MAC,
// as an existing DHCP service renders them. The order is that of Decide: the first rule that matches a client is its.
func Table(e Endpoint) []Rule {
	allowed := &reservation.Reservation{Settings: &reservation.Settings{Netboot: reservation.Netboot{Allow: true}}}
	var rules []Rule
	add := func(name string, archs []Arch, c Client) {
		c.Netboot = true
		if len(archs) > 0 {
			c.Arch = archs[0]
		}
		rules = append(rules, Rule{Name: name, Archs: archs, Client: c, Decision: Decide(c, allowed, e)})
	}
	add("tinkerbell", nil, Client{VendorClass: VendorPXEClient, UserClass: UserClassTinkerbell})
	if e.UserClass != "" {
		add("custom-user-class", nil, Client{VendorClass: VendorPXEClient, UserClass: e.UserClass})
	}
	for _, f := range Families() {
		if archs := f.HTTPArchs(); archs != nil {
			add("http-"+f.String(), archs, Client{VendorClass: VendorHTTPClient})
		}
	}
	add("ipxe", nil, Client{VendorClass: VendorPXEClient, UserClass: UserClassIPXE, IPXE: IPXEInfo{HTTP: true, Version: minIPXE}})
	for _, f := range Families() {
		add("old-ipxe-"+f.String(), f.PXEArchs(), Client{VendorClass: VendorPXEClient, UserClass: UserClassIPXE})
	}
	for _, f := range Families() {
		add("firmware-"+f.String(), f.PXEArchs(), Client{VendorClass: VendorPXEClient})
	}
	return rules
}
