package lint

import "slices"

// Rule is one thing that is looked for.
type Rule struct {
	// ID begins with the daemon's name and stays the same from release to release.
	ID       string
	Severity Severity
	// What says in one sentence what the rule finds and why that matters; Remedy what to write instead.
	What, Remedy string
}

// shared are the rules that every daemon has, without the daemon's name in front.
var shared = []Rule{
	{"syntax", Error, "The daemon cannot read this.", "Correct the text; the daemon's own checker tells more: kea-dhcp4 -t, dnsmasq --test, dhcpd -t -cf."},
	{"include-unreadable", Warning, "A file that the configuration names could not be read, so nothing was checked in it.", "Run lint where the file is readable, or correct its name."},
	{"x64-arch-9-missing", Error, "x86-64 firmware says architecture 7 or 9 (RFC 4578); only 7 is matched, so some machines get nothing.", "Match architecture 9 wherever 7 is matched."},
	{"bios-gets-efi", Error, "A BIOS machine is given an EFI binary, which it cannot run.", "Match architecture 0 and give undionly.kpxe; give ipxe.efi to architectures 7 and 9 only."},
	{"uefi-gets-bios", Error, "A UEFI machine is given a BIOS binary, which it cannot run.", "Give ipxe.efi to architectures 7 and 9, and undionly.kpxe to architecture 0 only."},
	{"http-gets-bare-name", Error, "A machine that boots by HTTP is given a bare file name; it needs a URL.", "Match option 60 HTTPClient (architectures 15 to 20) and give the URL http://NEXT-SERVER:7171/ipxe/binary/ipxe.efi."},
	{"http-no-option-60", Error, "UEFI HTTP boot drops every offer that does not answer option 60 HTTPClient.", "Send option 60 HTTPClient, to HTTPClient machines only."},
	{"stock-ipxe-loops", Warning, "An iPXE as distributions ship it says user class iPXE; it is given the binary again, and loops for ever.", "Give machines with user class iPXE the script too."},
	{"stale-script-url", Error, "The script's URL is that of EKS Anywhere before 0.20, which no later stack serves.", "Write http://NEXT-SERVER:7171/ipxe/script/auto.ipxe."},
	{"next-server-unusable", Error, "No machine can reach this next-server.", "Write the address of the Tinkerbell stack: the bootstrap IP while the cluster is created, tinkerbellIP afterwards."},
	{"next-server-outside", Note, "The next-server is in no subnet that is served here, so machines need a router to reach it.", "Correct the address, or see that machines get a router and that it forwards TFTP and HTTP; then disable this rule here."},
	{"next-server-typo", Error, "Two addresses of next-servers differ in one number of the network only: one is likely mistyped.", "Write the same address everywhere."},
	{"next-server-differs", Warning, "The boot rules send machines to different addresses, so the steps of one boot may meet different stacks.", "Write one address in every rule, or disable this rule here when there are several clusters."},
	{"duplicate-address", Error, "One address is reserved for two machines.", "Give each machine an address of its own."},
	{"duplicate-mac", Error, "One MAC has two reservations in one subnet: which one counts is chance.", "Keep one of them."},
	{"address-outside", Error, "A reserved address is in no subnet that is served here, or in another one than its reservation.", "Correct the address, or add its subnet."},
	{"mark-edited", Warning, "What Tugboot wrote was changed by hand; the next change of Tugboot's takes that back.", "Change the Hardware objects, and write your own rules outside of Tugboot's files and names."},
}

var keaRules = []Rule{
	{"kea-host-boot-file", Error, "Boot data in a reservation goes before that of every class, so iPXE is given the binary again, for ever.", "Move next-server, boot-file-name and server-hostname out of the reservation into client classes."},
	{"kea-scope-option-66-67", Error, "Option 66 or 67 as option-data of a scope is sent whatever class a machine is in, and clients take it before the fixed field.", "Remove the option-data, and use next-server and boot-file-name in client classes."},
	{"kea-option-60-everywhere", Error, "Option 60 is sent to every machine: UEFI PXE clients then wait for a server that never answers.", "Send option 60 in a class that tests for HTTPClient only."},
	{"kea-subnet-missing", Error, "Kea refuses an element of subnet4 without its subnet.", `Write "subnet": "192.168.2.0/24" and an id into it.`},
	{"kea-user-class-exact", Warning, "User class is compared at its first byte only; clients that follow RFC 3004 put a length there, and are missed.", "Test substring(option[77].hex,0,10) and substring(option[77].hex,1,10)."},
	{"kea-next-server-missing", Error, "A boot file is named and no next-server, so machines do not know where to fetch it.", "Write next-server beside boot-file-name."},
}

var dnsmasqRules = []Rule{
	{"dnsmasq-hosts-set", Error, "dnsmasq 2.81 to 2.90 crashes on SIGHUP when a line of the hosts file has set: and its machine has asked.", "Remove set: from hosts files and hang options on the tag of dhcp-range, or use dnsmasq 2.91 or later."},
	{"dnsmasq-server-name-literal", Error, "The second part of dhcp-boot is the server's name, and is sent as it stands in option 66.", "Leave the name empty: dhcp-boot=FILE,,ADDRESS."},
	{"dnsmasq-next-server-own", Warning, "dhcp-boot without an address sends dnsmasq's own as next-server.", "Write the address: dhcp-boot=FILE,,ADDRESS."},
	{"dnsmasq-option-60-everywhere", Error, "Option 60 is sent to every machine: UEFI PXE clients then wait for a server that never answers.", "Send option 60 with a tag that only HTTPClient machines have."},
	{"dnsmasq-boot-overrides-opts", Error, "dhcp-boot goes before the boot file in dhcp-option lines, and changes with a restart only.", "Remove dhcp-boot, or give it a tag that Tugboot's machines do not have."},
	{"dnsmasq-two-clusters", Error, "Two clusters have the same subnet in one dnsmasq, which cannot tell their machines apart.", "Give each cluster a subnet of its own, or use Kea or dhcpd."},
}

var dhcpdRules = []Rule{
	{"dhcpd-host-boot-file", Error, "Boot data in a host goes before every rule outside of it, so iPXE is given the binary again, for ever.", "Move filename, next-server and server-name out of the host into if statements."},
	{"dhcpd-scope-boot-file", Warning, "A boot file of a subnet, group or pool goes before the rules at the top of the file.", "Move it into those rules, or the rules into the same scope."},
	{"dhcpd-option-60-everywhere", Error, "Option 60 is sent to every machine: UEFI PXE clients then wait for a server that never answers.", "Send option 60 in an if that tests for HTTPClient only."},
	{"dhcpd-next-server-quoted", Error, "dhcpd refuses a next-server in quotes.", "Write the address without quotes."},
	{"dhcpd-condition-parentheses", Error, "dhcpd's grammar refuses (a) or (b).", "Write the conditions without parentheses around each."},
	{"dhcpd-user-class-exact", Warning, "User class is compared as a whole or at its first byte; clients that follow RFC 3004 put a length there, and are missed.", `Test substring (option user-class, 0, 10) and substring (option user-class, 1, 10).`},
	{"dhcpd-next-server-missing", Error, "A boot file is named and no next-server, so machines do not know where to fetch it.", "Write next-server beside filename."},
}

// Rules returns all rules, those of one daemon together.
func Rules() []Rule {
	var all []Rule
	for _, d := range []struct {
		daemon Daemon
		own    []Rule
	}{{Kea, keaRules}, {Dnsmasq, dnsmasqRules}, {DHCPD, dhcpdRules}} {
		for _, r := range shared {
			r.ID = string(d.daemon) + "-" + r.ID
			all = append(all, r)
		}
		all = append(all, d.own...)
	}
	return all
}

// RuleOf returns the rule id; false when there is none.
func RuleOf(id string) (Rule, bool) {
	all := Rules()
	if i := slices.IndexFunc(all, func(r Rule) bool { return r.ID == id }); i >= 0 {
		return all[i], true
	}
	return Rule{}, false
}
