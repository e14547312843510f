package microsoft

import (
	"fmt"
	"slices"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
)

// The options that policies set.
const (
	optVendorClass = 60
	optTFTPServer  = 66
	optBootFile    = 67
)

// option is one option value, in the strings that Set-DhcpServerv4OptionValue takes.
type option struct {
	id     int
	values []string
}

// class is a vendor or user class. Its data is what clients send, or begin to send.
type class struct {
	key, kind, data string
	// listed is true for a user class as an element of RFC 3004's list: its length, one byte, stands before it.
	listed bool
}

// policy is one boot rule.
type policy struct {
	name         string
	user, vendor []string // keys of classes; a client matches one of each that is not empty
	options      []option
}

// maxPolicyName is the length of a policy's name ([MS-DHCPM] section 2.2.1.2.110).
const maxPolicyName = 64

// policies turns the rules into policies, and returns the classes that they need. Rules for an iPXE without HTTP are left
// out: a policy sees user classes, and such an iPXE says the same one.
func policies(word render.Word) ([]policy, []class, error) {
	rules, err := word.Rules()
	if err != nil {
		return nil, nil, err
	}
	var all []policy
	var classes []class
	need := func(c class) string {
		if !slices.Contains(classes, c) {
			classes = append(classes, c)
		}
		return c.key
	}
	for _, rule := range rules {
		name := word.Prefix() + rule.Name
		switch {
		case isOldIPXE(rule):
			continue
		case len(name) > maxPolicyName:
			return nil, nil, fmt.Errorf("cluster %q: the name of the policy %q is longer than the %d characters that Windows takes: name the cluster in at most %d",
				word.Mark.Cluster, name, maxPolicyName, maxPolicyName-len(name)+len(word.Mark.Cluster))
		}
		p := policy{name: name, options: optionsOf(rule)}
		if user := rule.Client.UserClass; user != "" {
			p.user = []string{need(class{key: rule.Name, kind: "User", data: user}), need(class{key: rule.Name + "-rfc3004", kind: "User", data: user, listed: true})}
		}
		for _, arch := range rule.Archs {
			data := fmt.Sprintf("%s:Arch:%05d", rule.Client.VendorClass, arch)
			p.vendor = append(p.vendor, need(class{key: fmt.Sprintf("%s-%05d", rule.Client.VendorClass, arch), kind: "Vendor", data: data}))
		}
		all = append(all, p)
	}
	return all, classes, nil
}

// isOldIPXE reports whether a rule is for an iPXE that cannot fetch the script.
func isOldIPXE(rule boot.Rule) bool {
	return rule.Client.UserClass == boot.UserClassIPXE && !rule.Client.IPXE.Capable()
}

// optionsOf returns what a policy tells. Every policy sets option 66, from which Windows makes next-server, so that no
// client that matches two policies gets halves of both. Option 60 goes to HTTP clients only.
func optionsOf(rule boot.Rule) []option {
	d := rule.Decision
	options := []option{{optTFTPServer, []string{d.NextServer.String()}}, {optBootFile, []string{d.BootFile}}}
	if d.VendorClass == boot.VendorHTTPClient {
		options = slices.Insert(options, 0, option{optVendorClass, []string{d.VendorClass.String()}})
	}
	return options
}
